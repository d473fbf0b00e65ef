"""Read transfers from an Excel workbook (.xlsx): the contract's columns in the first row, a transfer a row.

The sheet is the one named `transfers`, or the only one. Numbers in Excel are binary fractions of 15 digits: an amount
is the shortest decimal that is the same number, and is refused if that has more than 15 digits. Texts must be texts: a
number has lost its leading zeros. A formula counts as the value that was saved with it. A date that is a date to Excel
has no offset, and counts in the zone that is named.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, load_workbook

from comity.backends.transfers.archives import check_workbook
from comity.backends.transfers.entries import Broken, Conventions, Entry, Item
from comity.backends.transfers.rows import AMOUNTS, KNOWN, check_columns
from comity.backends.transfers.zones import Zone, day, in_zone
from comity.errors import InputError

SHEET = "transfers"
MAGIC = b"PK\x03\x04"
_NUMBERS = frozenset(name for pair in AMOUNTS for name in pair)
_DIGITS = 15


def items(path: Path, conventions: Conventions) -> Iterator[Item]:
    """Rows from the second on; entries are numbered as Excel numbers its rows."""
    check_workbook(path)
    try:
        with load_workbook(str(path)) as book:
            sheet = _sheet(book, path)
            first = (sheet.start or (0, 0))[0] + 1
            rows = sheet.iter_rows()
            clock = _Clock(conventions.zone)
            names = _header(next(rows, []), f"{path}, sheet {sheet.name!r}, row {first}")
            for number, cells in enumerate(rows, start=first + 1):
                if any(cell != "" for cell in cells):
                    yield _entry(names, cells, number, clock)
    except InputError:
        raise
    except (CalamineError, ValueError, TypeError, OSError) as error:
        raise InputError.because(
            expected="an Excel workbook (.xlsx)",
            got=str(error)[:200] or type(error).__name__,
            where=str(path),
        ) from error


def _sheet(book: CalamineWorkbook, path: Path) -> CalamineSheet:
    names = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    if SHEET not in names and len(names) != 1:
        raise InputError.because(
            expected=f"one sheet, or one that is named {SHEET!r}", got=", ".join(map(repr, names[:20])) or "none",
            where=str(path),
        )  # fmt: skip
    return book.get_sheet_by_name(SHEET if SHEET in names else names[0])


def _header(cells: Sequence[Any], where: str) -> list[str]:
    names = [cell if isinstance(cell, str) else "" for cell in cells]
    check_columns(names, where)
    return names


class _Clock:
    """Excel's dates and times in a zone; a date alone keeps the order of the rows."""

    def __init__(self, zone: Zone | None) -> None:
        self._zone = zone
        self._seen: dict[date, int] = {}

    def text(self, cell: date) -> str:
        if isinstance(cell, datetime):
            return in_zone(cell, self._zone)
        order = self._seen[cell] = self._seen.get(cell, -1) + 1
        return day(cell.isoformat(), self._zone, order)


def _entry(names: Sequence[str], cells: Sequence[Any], number: int, clock: _Clock) -> Entry | Broken:
    row: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        if name not in KNOWN or cell == "":
            continue
        try:
            row[name] = _text(name, cell, clock)
        except InputError as error:
            return Broken(number=number, reason=f"{name}: {error.problem}")
    return Entry(number=number, row=row)


def _text(name: str, cell: Any, clock: _Clock) -> str:
    if isinstance(cell, str):
        return cell
    if name in _NUMBERS and isinstance(cell, int | float) and not isinstance(cell, bool):
        return _decimal(cell)
    if name == "booked_at" and isinstance(cell, date):
        return clock.text(cell)
    expected = (
        "a date and time, or text"
        if name == "booked_at"
        else "text (format the cells as text and enter it anew)"
    )
    raise InputError.because(expected=expected, got=f"{_kind(cell)} {cell!s:.40}")


def _decimal(number: int | float) -> str:
    """The shortest decimal that is this number."""
    exact = Decimal(repr(number))
    text = f"{exact.normalize():f}" if exact.is_finite() and abs(exact.adjusted()) < 30 else repr(number)
    if len(text.replace(".", "").replace("-", "").strip("0")) > _DIGITS:
        raise InputError.because(
            expected=f"a number of at most {_DIGITS} digits, which is what Excel keeps, or text",
            got=text[:40],
        )
    return text


def _kind(cell: Any) -> str:
    if isinstance(cell, bool):
        return "the truth value"
    return "the number" if isinstance(cell, int | float) else f"a {type(cell).__name__}"
