"""A book's transfers as plain arrays, in the order of events, with lists by account. Pure: a table in, arrays out.

Accounts are coded in the order in which they first appear, so that neither their names nor the order of the rows
can change what a kernel finds. Amounts stay in minor units; two amounts are compared only within one currency.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from comity.errors import InputError
from comity.tracing.book import BOOK_SCHEMA

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
"""In microseconds, the unit of `Columns.at`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Events by account, in order: account a has `events[start[a]:start[a + 1]]`."""

    start: Ints
    events: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Arrays by event. Build with `Columns.from_table`."""

    table: Any
    """The rows in order of events: columns of `BOOK_SCHEMA`."""
    at: Ints
    """Microseconds since the epoch, never falling."""
    sender: Ints
    """Account code; likewise `receiver`."""
    receiver: Ints
    amount: Ints
    arriving: Ints
    """What arrives: the converted amount where there is a conversion, else the amount."""
    currency: Ints
    """Currency code of what leaves; `to_currency` of what arrives."""
    to_currency: Ints
    accounts: Any
    """Account names by code (Arrow); likewise `currencies`."""
    currencies: Any
    paid: Listing
    """Transfers by the account that paid; `received` by the account that received."""
    received: Listing

    @classmethod
    def from_table(cls, table: Any) -> "Columns":
        """Order `table` (`BOOK_SCHEMA`) by time, then id, and code its accounts and currencies."""
        missing = [name for name in BOOK_SCHEMA.names if name not in table.column_names]
        if missing:
            raise InputError.because(
                expected="the columns of a book", got=f"a table without {', '.join(missing)}"
            )
        keys = [("booked_at", "ascending"), ("transfer_id", "ascending")]
        table = table.select(BOOK_SCHEMA.names).take(pc.sort_indices(table, sort_keys=keys)).combine_chunks()
        sender, receiver, accounts = _coded(table["from_account"], table["to_account"])
        to_currency = pc.coalesce(table["to_currency"], table["currency"])
        currency, arriving_in, currencies = _coded(table["currency"], to_currency)
        return cls(
            table=table,
            at=_integers(table["booked_at"]),
            sender=sender,
            receiver=receiver,
            amount=_integers(table["amount_minor"]),
            arriving=_integers(pc.coalesce(table["to_amount_minor"], table["amount_minor"])),
            currency=currency,
            to_currency=arriving_in,
            accounts=accounts,
            currencies=currencies,
            paid=_listing(sender, len(accounts)),
            received=_listing(receiver, len(accounts)),
        )

    def __len__(self) -> int:
        return len(self.at)

    def cut(self, begin: int, end: int) -> "Columns":
        """The events from `begin` to before `end`, as a book of its own; accounts keep their codes."""
        part = slice(begin, end)
        sender, receiver = self.sender[part], self.receiver[part]
        return Columns(
            table=self.table.slice(begin, end - begin),
            at=self.at[part],
            sender=sender,
            receiver=receiver,
            amount=self.amount[part],
            arriving=self.arriving[part],
            currency=self.currency[part],
            to_currency=self.to_currency[part],
            accounts=self.accounts,
            currencies=self.currencies,
            paid=_listing(sender, len(self.accounts)),
            received=_listing(receiver, len(self.accounts)),
        )

    def ids(self, events: Ints) -> list[str]:
        return list(self.table["transfer_id"].take(pa.array(events)).to_pylist())

    def name(self, account: int) -> str:
        return str(self.accounts[account].as_py())


def _coded(first: Any, second: Any) -> tuple[Ints, Ints, Any]:
    """Code two text columns over one list of values, in order of first appearance, row by row."""
    size = len(first)
    both = pa.chunked_array([*first.chunks, *second.chunks], pa.string()).combine_chunks()
    # Interleaved, so that the codes follow the order of events and not first all senders, then all receivers.
    places = pa.array(np.arange(2 * size).reshape(2, size).T.ravel())
    coded = both.take(places).dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    numbers = np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int64).reshape(size, 2)
    return np.ascontiguousarray(numbers[:, 0]), np.ascontiguousarray(numbers[:, 1]), coded.dictionary


def _listing(account: Ints, accounts: int) -> Listing:
    start = np.zeros(accounts + 1, np.int64)
    np.cumsum(np.bincount(account, minlength=accounts), out=start[1:])
    return Listing(start=start, events=np.argsort(account, kind="stable").astype(np.int64))


def _integers(column: Any) -> Ints:
    return np.ascontiguousarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
