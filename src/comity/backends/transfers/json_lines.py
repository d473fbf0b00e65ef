"""JSON objects, one a line, of files of any size: a line has at most 8 MiB."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from comity.errors import InputError
from comity.proofs.canonical import parse_strict

MOST_BYTES = 8 * 1024 * 1024


def objects_of(path: Path) -> Iterator[tuple[int, dict[str, Any] | InputError]]:
    """Each line's number and object, or what is wrong with the line; blank lines are passed over."""
    try:
        with path.open("rb") as raw:
            number = 0
            while line := raw.readline(MOST_BYTES + 1):
                number += 1
                if len(line) > MOST_BYTES:
                    raise InputError.because(
                        expected=f"lines of at most {MOST_BYTES >> 20} MiB", got="a longer one",
                        where=f"{path}, line {number}", remedy="One JSON object a line, as the exporters write them.",
                    )  # fmt: skip
                if line.strip():
                    yield number, _object(line)
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(path)
        ) from error


def _object(line: bytes) -> dict[str, Any] | InputError:
    try:
        found = parse_strict(line)
    except InputError as error:
        return error
    if not isinstance(found, dict):
        return InputError.because(expected="a JSON object", got=type(found).__name__)
    return found
