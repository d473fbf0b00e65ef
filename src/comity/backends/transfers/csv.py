"""Read a CSV file in blocks of Arrow columns of text, each row with its physical line. RFC 4180, UTF-8,
comma.

Everything that is wrong with a row's form (fields too few or too many, broken quotes, bytes that are not
UTF-8) is told with the line where the row starts; what is wrong with the header or the whole file is raised.
A byte order mark is passed over, blank lines are no rows. What the values mean is not looked at here.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from comity.errors import InputError

MOST_ROW_BYTES = 4 * 1024 * 1024
"""Of one row, however many lines or columns it has."""
MOST_BLOCK_BYTES = 64 * 1024 * 1024
MOST_COLUMNS = 10_000
BLOCK_ROWS = 8_192
"""Few enough to stay in the processor's cache: larger blocks are slower."""
_PIECE = 64 * 1024
CheckNames = Callable[[Sequence[str], str], None]
_OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class CsvReader(Protocol):
    """What `csv.reader` returns, whose own type has no public name."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """Some rows, by column (Arrow strings). `lines[i]` is where row i starts; `broken` are rows that have no
    columns.
    """

    columns: dict[str, Any]
    lines: list[int]
    broken: list[tuple[int, str]]


def read_blocks(path: Path, *, known: Collection[str], check: CheckNames) -> Iterator[TextBlock]:
    """Yield the file's rows, in one block at least; only columns in `known` are kept.

    `check` gets the column names and where they are, and raises `InputError` if they will not do.
    """
    try:
        with path.open("rb") as raw:
            _refuse_other_encodings(raw, path)
            guard = _Guard(raw, path)
            buffered = io.BufferedReader(guard, _PIECE)
            text = io.TextIOWrapper(buffered, "utf-8-sig", errors="surrogateescape", newline="")
            yield from _blocks(text, path, known, check, guard)
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(path)
        ) from error


class _Guard(io.RawIOBase):
    """The file in pieces, and how many bytes of it came since a row ended: what one row may take of the memory."""

    def __init__(self, raw: BinaryIO, path: Path) -> None:
        self._raw, self._path = raw, path
        self.since_row = self.since_block = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._raw.readinto(buffer)  # type: ignore[attr-defined] # BinaryIO does not say that it has it
        self.since_row += count
        self.since_block += count
        if self.since_row > MOST_ROW_BYTES + 2 * _PIECE:
            raise InputError.because(
                expected=f"rows of at most {MOST_ROW_BYTES >> 20} MiB", got="a longer one", where=str(self._path),
                remedy="Check the line ends and the quotes of the file.",
            )  # fmt: skip
        return count


def _refuse_other_encodings(raw: BinaryIO, path: Path) -> None:
    mark = raw.read(2)
    raw.seek(0)
    if mark in _OTHER_MARKS:
        raise InputError.because(
            expected="CSV in UTF-8",
            got=_OTHER_MARKS[mark],
            where=str(path),
            remedy="Save the file as CSV UTF-8 and try again.",
        )


def _blocks(
    text: io.TextIOWrapper, path: Path, known: Collection[str], check: CheckNames, guard: "_Guard"
) -> Iterator[TextBlock]:
    reader = csv.reader(text, strict=True)
    header = _header(reader, f"{path}, line 1", check)
    places = {name: place for place, name in enumerate(header) if name in known}
    ended = False
    while not ended:
        rows, lines, broken, ended = _some_rows(reader, len(header), guard)
        columns = _columns(rows, places)
        if columns is None:
            rows = _decodable(rows, lines, broken, list(places.values()))
            columns = _columns(rows, places) or {}
        yield TextBlock(columns=columns, lines=lines, broken=broken)


def _columns(rows: list[list[str]], places: Mapping[str, int]) -> dict[str, Any] | None:
    """Turn rows into columns; None if some text is not UTF-8."""
    turned = list(zip(*rows, strict=True)) if rows else [()] * (max(places.values(), default=0) + 1)
    try:
        return {name: pa.array(turned[place], pa.string()) for name, place in places.items()}
    except UnicodeEncodeError:
        return None


def _header(reader: CsvReader, where: str, check: CheckNames) -> list[str]:
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise InputError.because(expected="a header of column names", got=str(error), where=where) from error
    if not header:
        raise InputError.because(
            expected="a header of column names", got="an empty file or line", where=where
        )
    if len(header) > MOST_COLUMNS:
        raise InputError.because(
            expected=f"at most {MOST_COLUMNS} columns", got=str(len(header)), where=where
        )
    if any("\0" in name or not _is_utf8(name) for name in header):
        raise InputError.because(
            expected="CSV in UTF-8",
            got="bytes that are not",
            where=where,
            remedy="Save the file as CSV UTF-8.",
        )
    check(header, where)
    return header


def check_names(names: Sequence[str], where: str, required: Collection[str], known: Collection[str]) -> None:
    """Raise if a required column is missing or a known one is there twice."""
    missing = [name for name in required if name not in names]
    if missing:
        raise InputError.because(
            expected=f"the columns {', '.join(required)}",
            got=f"no {', '.join(missing)} among {', '.join(map(repr, names[:30]))}",
            where=where,
            remedy="Name the columns as the trace contract does (spec/trace.md).",
        )
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if twice:
        raise InputError.because(expected="each column once", got=f"{', '.join(twice)} twice", where=where)


def _some_rows(
    reader: CsvReader, width: int, guard: _Guard
) -> tuple[list[list[str]], list[int], list[tuple[int, str]], bool]:
    """Read up to a block: rows of the right width, their lines, the rows that are broken, and whether it
    ended.
    """
    rows: list[list[str]] = []
    lines: list[int] = []
    broken: list[tuple[int, str]] = []
    before = reader.line_num
    guard.since_block = 0
    while len(rows) + len(broken) < BLOCK_ROWS:
        try:
            for row in reader:
                if len(row) == width:
                    rows.append(row)
                    lines.append(before + 1)
                elif row:
                    broken.append((before + 1, f"expected {width} fields, got {len(row)}"))
                before = reader.line_num
                guard.since_row = 0
                if len(rows) + len(broken) >= BLOCK_ROWS or guard.since_block > MOST_BLOCK_BYTES:
                    return rows, lines, broken, False
            return rows, lines, broken, True
        except csv.Error as error:
            broken.append((before + 1, f"expected quotes as in RFC 4180, got: {error}"))
            before = reader.line_num
            guard.since_row = 0
    return rows, lines, broken, False


def _decodable(
    rows: list[list[str]], lines: list[int], broken: list[tuple[int, str]], places: list[int]
) -> list[list[str]]:
    """Move rows with bytes that are not UTF-8 in a known column from `rows` and `lines` to `broken`."""
    kept, kept_lines = [], []
    for row, line in zip(rows, lines, strict=True):
        wrong = next((row[place] for place in places if not _is_utf8(row[place])), None)
        if wrong is None:
            kept.append(row)
            kept_lines.append(line)
        else:
            got = wrong.encode("utf-8", "surrogateescape")[:40]
            broken.append((line, f"expected text in UTF-8, got the bytes {got!r}"))
    lines[:] = kept_lines
    return kept


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_of_rows(path: Path, starts: Collection[int]) -> dict[int, str]:
    """Return the rows that start on these lines as they are in the file, for a person to look at and mend."""
    wanted = set(starts)
    found: dict[int, str] = {}
    with path.open("rb") as raw:
        lines = io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="")
        taken: list[str] = []

        def watch() -> Iterator[str]:
            for line in lines:
                taken.append(line)
                yield line

        reader = csv.reader(watch(), strict=True)
        at = 1
        while len(found) < len(wanted):
            try:
                ended = next(reader, None) is None
            except csv.Error:
                ended = False
            if at in wanted:
                found[at] = "".join(islice(taken, 100_000)).rstrip("\r\n")
            taken.clear()
            at = reader.line_num + 1
            if ended:
                break
    return {
        line: text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        for line, text in found.items()
    }
