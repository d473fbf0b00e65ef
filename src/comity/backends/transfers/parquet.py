"""Read a Parquet file of transfers in blocks of Arrow columns. Types are settled once, for the whole file.

Refused: floats for money, times without a zone, integers where text is due. Rows are counted from 1.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from comity.backends.transfers.columns import CODED, clean_codes
from comity.backends.transfers.csv import CheckNames
from comity.errors import InputError

MAGIC = b"PAR1"
BLOCK_ROWS = 262_144
_INTEGER_AMOUNTS = ("amount_minor", "to_amount_minor")
_DECIMAL_AMOUNTS = ("amount", "to_amount")


def is_parquet(path: Path) -> bool:
    """Look at the first bytes, not at the name."""
    with path.open("rb") as raw:
        return raw.read(4) == MAGIC


def read_row_blocks(
    path: Path, *, known: Collection[str], check: CheckNames
) -> Iterator[tuple[dict[str, Any], list[tuple[int, str]]]]:
    """Yield blocks of (columns, rows of the block whose text is not UTF-8 with the reason).

    `check` gets the column names and where they are, and raises `InputError` if they will not do.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
        check(schema.names, str(path))
        kept = [name for name in schema.names if name in known]
        for name in kept:
            _check_type(name, schema.field(name).type, f"{path}, column {name}")
        coded = [name for name in kept if name in CODED and pa.types.is_string(schema.field(name).type)]
        with pq.ParquetFile(path, read_dictionary=coded) as file:
            for batch in file.iter_batches(batch_size=BLOCK_ROWS, columns=kept):
                yield _settled(batch)
    except (pa.ArrowException, OSError) as error:
        raise InputError.because(
            expected="a Parquet file that can be read", got=str(error)[:300], where=str(path)
        ) from error


def row_as_text(path: Path, rows: Collection[int]) -> dict[int, str]:
    """Return those rows (from 1), all their columns, as a person may read them."""
    found: dict[int, str] = {}
    first = 1
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BLOCK_ROWS):
            for row in rows:
                if first <= row < first + batch.num_rows:
                    found[row] = _row_text(batch, row - first)
            first += batch.num_rows
    return found


def _row_text(batch: Any, place: int) -> str:
    shown = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            shown.append(f"{name}={column[place].as_py()!r}")
        except (ValueError, OverflowError):
            shown.append(f"{name}=?")
    return ", ".join(shown)


def _check_type(name: str, kind: Any, where: str) -> None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if name == "booked_at":
        if not pa.types.is_timestamp(kind) or kind.tz is None:
            raise InputError.because(expected="a timestamp with its zone", got=str(kind), where=where)
        return
    if pa.types.is_null(kind):
        return
    textual = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if name in _INTEGER_AMOUNTS:
        fits, expected = textual or pa.types.is_integer(kind), "64-bit integers in minor units"
    elif name in _DECIMAL_AMOUNTS:
        fits = textual or (pa.types.is_decimal(kind) and kind.scale >= 0 and kind.precision <= 38)
        expected = "decimals or text, in major units; never floats, which cannot hold money exactly"
    else:
        fits, expected = textual, "text"
    if not fits:
        raise InputError.because(expected=expected, got=str(kind), where=where)


def _settled(batch: Any) -> tuple[dict[str, Any], list[tuple[int, str]]]:
    columns: dict[str, Any] = {}
    broken: dict[int, str] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_timestamp(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
            columns[name] = column.cast(kind)
            continue
        if clean_codes(column):
            columns[name] = column
            continue
        texts, wrong = _texts(column)
        columns[name] = texts
        broken |= dict.fromkeys(wrong, f"{name}: expected text in UTF-8, got other bytes")
    return columns, sorted(broken.items())


def _texts(column: Any) -> tuple[Any, list[int]]:
    """The column as valid text, and the places where it was not (made null)."""
    texts = column.cast(pa.string())
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raw = texts.cast(pa.binary()).to_pylist()
        wrong = [place for place, value in enumerate(raw) if value is not None and not _is_utf8(value)]
        for place in wrong:
            raw[place] = None
        return pa.array(raw, pa.binary()).cast(pa.string()), wrong
    return texts, []


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
