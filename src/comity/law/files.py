"""Read the data files that ship in the package. They are read through `importlib.resources`, so a zip works
too.
"""

import csv
import io
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from comity.errors import InputError
from comity.proofs.canonical import parse_strict


def folder(*parts: str) -> Traversable:
    """A folder or file below `law/data`."""
    return files("comity.law").joinpath("data", *parts)


def read_text(*parts: str) -> str:
    return folder(*parts).read_text(encoding="utf-8")


def read_json(*parts: str) -> Any:
    return parse_strict(read_text(*parts), where="/".join(parts))


def read_rows(text: str, columns: tuple[str, ...], *, where: str) -> list[tuple[str, dict[str, str]]]:
    """Rows of a CSV text as (place, row); exactly these columns, no short and no long row."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != columns:
        raise InputError.because(
            expected=",".join(columns), got=",".join(reader.fieldnames or ()), where=where
        )
    rows = []
    for row in reader:
        place = f"{where} line {reader.line_num}"
        if None in row or None in row.values():
            raise InputError.because(expected=f"{len(columns)} cells", got="another number", where=place)
        rows.append((place, {key: value.strip() for key, value in row.items()}))
    return rows


def exact_keys(record: Any, required: Mapping[str, type | tuple[type, ...]], *, where: str) -> dict[str, Any]:
    """Return `record` if it is an object with these keys, of these types, and no other."""
    if not isinstance(record, dict):
        raise InputError.because(expected="an object", got=type(record).__name__, where=where)
    if set(record) != set(required):
        odd = sorted(set(record) ^ set(required))
        raise InputError.because(
            expected=f"the keys {sorted(required)}", got=f"a difference in {odd}", where=where
        )
    for key, kind in required.items():
        if not isinstance(record[key], kind) or (isinstance(record[key], bool) and not _takes_bool(kind)):
            raise InputError.because(
                expected=f"{key} of type {kind}", got=type(record[key]).__name__, where=where
            )
    return record


def texts(value: Any, *, where: str) -> tuple[str, ...]:
    """Return a list of non-empty texts as a tuple."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise InputError.because(expected="a list of texts", got=repr(value)[:80], where=where)
    return tuple(value)


def _takes_bool(kind: type | tuple[type, ...]) -> bool:
    return bool in kind if isinstance(kind, tuple) else kind is bool
