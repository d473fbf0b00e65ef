"""Bitcoin transactions in the layout of bitcoin-etl: JSON lines, or Parquet with nested inputs and outputs.

A transaction is an account of its own, `tx:HASH`: each input pays into it, in order, then it pays each output, in
order, and the fee. Which satoshi of which input reached which output is the legal rule's to say, as for any
account. Inputs must have their addresses and values (`bitcoinetl enrich_transactions`).

A block's time may be before that of the block under it. Transactions stand in the order of the chain: each at its
block's time, but at least two microseconds after the one before it in the file (inputs, then outputs).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from comity.backends.transfers.entries import Broken, Conventions, Entry, Item
from comity.backends.transfers.json_lines import objects_of
from comity.backends.transfers.parquet import is_parquet
from comity.errors import InputError
from comity.model.money import MAX_MINOR

COLUMNS = frozenset({"hash", "block_number", "block_timestamp", "index", "inputs", "outputs", "is_coinbase"})
_NEW_MONEY = "coinbase"
_BATCH = 512
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HASH = frozenset("0123456789abcdef")


def items(path: Path, _: Conventions) -> Iterator[Item]:
    """The movements of each transaction; a file's transactions must be in the order of the chain."""
    clock = _Chain(path)
    number = 0
    for row, found in _parquet_rows(path) if is_parquet(path) else objects_of(path):
        try:
            if isinstance(found, InputError):
                raise found
            moved = _movements(found, clock)
        except InputError as error:
            number += 1
            yield Broken(number=number, reason=f"transaction {row}: {error.problem}")
            continue
        for movement in moved:
            number += 1
            yield Entry(number=number, row=movement)


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    row = 0
    try:
        with pq.ParquetFile(path) as file:
            kept = [name for name in file.schema_arrow.names if name in COLUMNS]
            for batch in file.iter_batches(batch_size=_BATCH, columns=kept):
                for found in batch.to_pylist():
                    row += 1
                    yield row, found
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError.because(
            expected="a Parquet file that can be read", got=str(error)[:300], where=str(path)
        ) from error


class _Chain:
    """The order of the chain as times."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = (-1, -1)
        self._last = -2

    def place(self, block: int, index: int, seconds: int) -> int:
        """Microseconds since 1970 of a transaction's inputs."""
        if (block, index) <= self._at:
            raise InputError.because(
                expected="transactions in the order of the chain (block_number, index)",
                got=f"block {block}, index {index} after block {self._at[0]}, index {self._at[1]}",
                where=str(self._path), remedy="Sort the file by block_number and index.",
            )  # fmt: skip
        self._at = (block, index)
        self._last = max(seconds * 1_000_000, self._last + 2)
        return self._last


def _movements(found: Mapping[str, Any], clock: _Chain) -> list[dict[str, str]]:
    """Everything that moves in one transaction, or `InputError`: a transaction is whole or refused."""
    name = found.get("hash")
    if not isinstance(name, str) or len(name) != 64 or not _HASH.issuperset(name):
        raise InputError.because(expected="hash, 64 hexadecimal digits", got=repr(name)[:80])
    block, index = _whole(found, "block_number"), _whole(found, "index")
    spent = [] if found.get("is_coinbase") else _ends(found, "inputs", name)
    made = _ends(found, "outputs", name)
    paid = sum(value for _, value in made)
    fee = 0 if found.get("is_coinbase") else sum(value for _, value in spent) - paid
    if fee < 0:
        raise InputError.because(
            expected=f"{name}: inputs that cover the outputs", got=f"{-fee} satoshi too little",
            remedy="Enrich the inputs: bitcoinetl enrich_transactions",
        )  # fmt: skip
    at = clock.place(block, index, _seconds(found.get("block_timestamp")))
    if found.get("is_coinbase"):
        spent = [(_NEW_MONEY, paid)]
    pot = f"tx:{name}"
    into = [_row(f"{name}/in/{place:06}", at, end, pot, value) for place, (end, value) in enumerate(spent)]
    out = [_row(f"{name}/out/{place:06}", at + 1, pot, end, value) for place, (end, value) in enumerate(made)]
    rest = [_row(f"{name}/out/fee", at + 1, pot, f"fees:{block}", fee)]
    return [row for row in (*into, *out, *rest) if row["amount_minor"] != "0"]


def _row(name: str, micros: int, sender: str, receiver: str, value: int) -> dict[str, str]:
    when = _EPOCH + timedelta(microseconds=micros)
    return {
        "transfer_id": name, "booked_at": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "from_account": sender,
        "to_account": receiver, "amount_minor": str(value), "currency": "BTC", "channel": "bitcoin",
    }  # fmt: skip


def _ends(found: Mapping[str, Any], what: str, name: str) -> list[tuple[str, int]]:
    """Account and satoshi of each input or output, by their index."""
    ends = found.get(what)
    if not isinstance(ends, list) or not all(isinstance(one, Mapping) for one in ends):
        raise InputError.because(expected=f"{name}: a list of {what}", got=repr(ends)[:60])
    ordered = sorted(ends, key=lambda one: _whole(one, "index"))
    if len({one["index"] for one in ordered}) < len(ordered):
        raise InputError.because(expected=f"{name}: each of the {what} once", got="an index twice")
    return [(_account(one, what, name), _whole(one, "value")) for one in ordered]


def _account(end: Mapping[str, Any], what: str, name: str) -> str:
    """The address; several together; or for a script without one, the output itself."""
    addresses = end.get("addresses")
    if addresses is None:
        addresses = []
    if not isinstance(addresses, list) or not all(isinstance(one, str) and one for one in addresses):
        raise InputError.because(expected=f"{name}: addresses as a list of texts", got=repr(addresses)[:60])
    if addresses:
        return ",".join(sorted(addresses))
    if what == "outputs":
        return f"script:{name}:{_whole(end, 'index')}"
    spent = end.get("spent_transaction_hash")
    if not isinstance(spent, str) or len(spent) != 64:
        raise InputError.because(expected=f"{name}: an input with addresses or what it spends", got="neither")
    return f"script:{spent}:{_whole(end, 'spent_output_index')}"


def _whole(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19) or (
        isinstance(value, Decimal) and value == value.to_integral_value()
    ):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_MINOR:
        raise InputError.because(
            expected=f"{name}, an integer from 0 to 2^63 - 1", got=repr(value)[:60],
            remedy="Inputs need their values: bitcoinetl enrich_transactions",
        )  # fmt: skip
    return value


def _seconds(value: Any) -> int:
    """A block's time: seconds since 1970, or a timestamp (Parquet, taken as UTC where it has no zone)."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    found = _whole({"block_timestamp": value}, "block_timestamp")
    if found > 253_402_300_799:
        raise InputError.because(expected="block_timestamp before the year 10000", got=str(found))
    return found
