"""A book of transfers as columns, ready to be followed. Pure: a table in, arrays out.

Events are in the order of the trace contract (`booked_at`, then `transfer_id` bytewise); a pot is (account,
currency); an index by pot (compressed sparse rows) lists the events that touch it. Zero amounts, transfers
from a pot to itself and transfers between accounts that are not ours move nothing here and are not in the
index.

The table is trusted to be valid (`comity.backends.transfers.files` validates): only its columns are checked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from comity.errors import InputError

_TEXT = pa.string()
BOOK_SCHEMA = pa.schema(
    [
        pa.field("transfer_id", _TEXT, nullable=False),
        pa.field("booked_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("from_account", _TEXT, nullable=False),
        pa.field("to_account", _TEXT, nullable=False),
        pa.field("amount_minor", pa.int64(), nullable=False),
        pa.field("currency", _TEXT, nullable=False),
        pa.field("to_amount_minor", pa.int64()),
        pa.field("to_currency", _TEXT),
        pa.field("from_institution", _TEXT),
        pa.field("to_institution", _TEXT),
        pa.field("from_country", _TEXT),
        pa.field("to_country", _TEXT),
        pa.field("channel", _TEXT),
        pa.field("reference", _TEXT),
    ]
)
"""The columns of a book, whatever file they came from."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Arrays by event (in order), by pot, and the index. Build with `Book.from_table`."""

    table: Any
    """The rows as they came, `BOOK_SCHEMA`; `row[e]` is the row of event e."""
    row: Ints
    times: Ints
    """Microseconds since the epoch, by event."""
    sender: Ints
    """Pot code, by event; -1 where the account is not ours. Likewise `receiver`."""
    receiver: Ints
    amount: Ints
    arriving: Ints
    """What arrives, by event: `to_amount_minor` where there is a conversion, else the amount."""
    index: Ints
    """Events, grouped by pot, in order; pot p has `index[start[p]:start[p + 1]]`."""
    start: Ints
    payment: Ints
    """By place in `index`: the next place, this one or later, where that pot pays; `len(index)` for none."""
    opening: Ints
    """Clean money before the first event, by pot."""
    pots: tuple[Any, Ints, Any, Ints]
    """Accounts, account code by pot, currencies, currency code by pot."""
    covers: frozenset[str] | None

    @classmethod
    def from_table(
        cls,
        table: Any,
        *,
        balances: Mapping[tuple[str, str], int] | None = None,
        covers: frozenset[str] | None = None,
    ) -> "Book":
        """Order and index `table`.

        `balances`: (account, currency) → clean minor units. `covers`: the countries whose accounts are ours;
        an account without a country is ours; None means that every account is. An account booked both under a
        country of ours and under another is an `InputError`.
        """
        table = _with_schema(table)
        row = _order(table)
        accounts, from_account, to_account = _codes(table, "from_account", "to_account")
        ours = _ours(table, accounts, from_account, to_account, covers)
        currencies, currency, to_currency = _codes(table, "currency", "to_currency")
        to_currency = np.where(to_currency < 0, currency, to_currency)
        amount = _integers(table["amount_minor"])
        arriving = _integers(pc.coalesce(table["to_amount_minor"], table["amount_minor"]))

        width = max(len(currencies), 1)
        paying, paid = from_account * width + currency, to_account * width + to_currency
        keys, codes = np.unique(np.concatenate([paying, paid]), return_inverse=True)
        moves = (amount > 0) & (paying != paid)
        size = len(amount)
        sender = np.where(ours[from_account], codes[:size], -1)[row]
        receiver = np.where(ours[to_account], codes[size:], -1)[row]
        index, start = _index(sender, receiver, moves[row], len(keys))
        return cls(
            table=table,
            row=row,
            times=_integers(table["booked_at"])[row],
            sender=sender,
            receiver=receiver,
            amount=amount[row],
            arriving=arriving[row],
            index=index,
            start=start,
            payment=_next_payment(sender, index, start),
            opening=_opening(balances or {}, accounts, currencies, keys),
            pots=(accounts, keys // width, currencies, keys % width),
            covers=covers,
        )

    def __len__(self) -> int:
        return len(self.row)

    def find(self, transfer_ids: Collection[str]) -> dict[str, int]:
        """Return the events of those transfers that are in the book, by transfer id."""
        wanted = pa.array(sorted(set(transfer_ids)), pa.string())
        hits = pc.is_in(self.table["transfer_id"], value_set=wanted).to_numpy()
        rows = np.flatnonzero(hits)
        if not len(rows):
            return {}
        event = np.empty(len(self.row), np.int64)
        event[self.row] = np.arange(len(self.row))
        ids = self.table["transfer_id"].take(pa.array(rows)).to_pylist()
        return dict(zip(ids, event[rows].tolist(), strict=True))

    def text(self, column: str, event: int) -> str:
        """Return a text column of an event; empty where the book has none."""
        value = self.table[column][int(self.row[event])].as_py()
        return value if value is not None else ""

    def booked_at(self, event: int) -> datetime:
        return EPOCH + int(self.times[event]) * _MICROSECOND

    def touches_ours(self, event: int) -> bool:
        return bool(self.sender[event] >= 0 or self.receiver[event] >= 0)

    def moves(self, event: int) -> bool:
        """False for zero amounts, transfers from a pot to itself, and transfers that touch no account
        of ours.
        """
        return bool(self.amount[event] > 0 and self.sender[event] != self.receiver[event])

    def events_until(self, until: datetime | None) -> int:
        """Return how many events are booked at or before `until`."""
        if until is None:
            return len(self.row)
        return int(np.searchsorted(self.times, (until - EPOCH) // _MICROSECOND, side="right"))

    def pot_name(self, pot: int) -> tuple[str, str]:
        """Return (account, currency)."""
        accounts, account, currencies, currency = self.pots
        return accounts[int(account[pot])].as_py(), currencies[int(currency[pot])].as_py()

    def first_text(self, pot: int, sent: str, received: str) -> str:
        """Return the first known value of a pot's `sent` (as sender) or `received` (as receiver) column."""
        if self.table[sent].null_count == self.table[received].null_count == len(self.row):
            return ""
        for event in self.index[self.start[pot] : self.start[pot + 1]].tolist():
            found = self.text(sent if self.sender[event] == pot else received, event)
            if found:
                return found
        return ""


def _with_schema(table: Any) -> Any:
    missing = [name for name in BOOK_SCHEMA.names if name not in table.column_names]
    if missing:
        raise InputError.because(
            expected="the columns of a book", got=f"a table without {', '.join(missing)}"
        )
    return table.select(BOOK_SCHEMA.names).cast(BOOK_SCHEMA)


def _order(table: Any) -> Ints:
    """Return the rows in the order of events. Ids are only compared where times are equal."""
    times = _integers(table["booked_at"])
    row = np.argsort(times, kind="stable")
    ordered = times[row]
    same = np.zeros(len(row), bool)
    same[1:] = ordered[1:] == ordered[:-1]
    same[:-1] |= same[1:]
    tied = np.flatnonzero(same)
    if len(tied):
        rows = row[tied]
        group = pa.table({"time": ordered[tied], "id": table["transfer_id"].take(pa.array(rows))})
        by_id = pc.sort_indices(group, sort_keys=[("time", "ascending"), ("id", "ascending")])
        row[tied] = rows[by_id.to_numpy()]
    return row


def _codes(table: Any, first: str, second: str) -> tuple[Any, Ints, Ints]:
    """Code two text columns over one list of values; -1 stands for null."""
    both = pa.chunked_array([*table[first].chunks, *table[second].chunks], _TEXT)
    coded = both.dictionary_encode().unify_dictionaries()
    values = coded.chunk(0).dictionary if coded.num_chunks else pa.array([], _TEXT)
    indices = pa.chunked_array([chunk.indices for chunk in coded.chunks], pa.int32())
    numbers = _integers(pc.fill_null(indices, -1))
    return values, numbers[: table.num_rows], numbers[table.num_rows :]


def _integers(column: Any) -> Ints:
    return np.ascontiguousarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)


def _ours(
    table: Any, accounts: Any, from_account: Ints, to_account: Ints, covers: frozenset[str] | None
) -> npt.NDArray[np.bool_]:
    """Return, by account code, whether the account is ours."""
    if covers is None:
        return np.ones(len(accounts), bool)
    here, elsewhere = np.zeros(len(accounts), bool), np.zeros(len(accounts), bool)
    own = pa.array(sorted(covers), _TEXT)
    for column, codes in (("from_country", from_account), ("to_country", to_account)):
        country = table[column]
        covered = pc.or_(pc.is_null(country), pc.is_in(country, value_set=own)).to_numpy()
        here[codes[covered]] = True
        elsewhere[codes[~covered]] = True
    torn = np.flatnonzero(here & elsewhere)
    if len(torn):
        raise InputError.because(
            expected="each account in one country",
            got=f"account {accounts[int(torn[0])].as_py()!r} booked both as ours and in another country",
            where="transfer book",
            remedy="Correct from_country and to_country of that account's transfers, then import again.",
        )
    return here


def _index(sender: Ints, receiver: Ints, moves: npt.NDArray[np.bool_], pots: int) -> tuple[Ints, Ints]:
    events = np.arange(len(sender), dtype=np.int64)
    paying, paid = moves & (sender >= 0), moves & (receiver >= 0)
    pot = np.concatenate([sender[paying], receiver[paid]])
    event = np.concatenate([events[paying], events[paid]])
    order = np.lexsort((event, pot))
    start = np.zeros(pots + 1, np.int64)
    np.cumsum(np.bincount(pot, minlength=pots), out=start[1:])
    return event[order], start


def _next_payment(sender: Ints, index: Ints, start: Ints) -> Ints:
    """From the back, the lowest place with a payment; a payment of a later pot is none of this pot's."""
    size = len(index)
    pot = np.repeat(np.arange(len(start) - 1), np.diff(start))
    places = np.where(sender[index] == pot, np.arange(size), size)
    following = np.minimum.accumulate(places[::-1])[::-1]
    return np.where(following < start[pot + 1], following, size)


def _opening(balances: Mapping[tuple[str, str], int], accounts: Any, currencies: Any, keys: Ints) -> Ints:
    opening = np.zeros(len(keys), np.int64)
    if not balances or not len(keys):
        return opening
    account = _positions([name for name, _ in balances], accounts)
    currency = _positions([code for _, code in balances], currencies)
    key = account * max(len(currencies), 1) + currency
    at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    known = (account >= 0) & (currency >= 0) & (keys[at] == key)
    opening[at[known]] = np.fromiter(balances.values(), np.int64, len(balances))[known]
    return opening


def _positions(names: list[str], values: Any) -> Ints:
    return _integers(pc.fill_null(pc.index_in(pa.array(names, _TEXT), value_set=values), -1))
