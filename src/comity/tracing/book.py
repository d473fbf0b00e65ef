"""A book of transfers as columns, ready to be followed. Pure: a table in, arrays out.

Events are in the order of the trace contract (`booked_at`, then `transfer_id` bytewise); a pot is (account,
currency); the index (`positions`) lists by pot the events that move its money, and where each lies in what went out
and came in. Zero amounts, transfers from a pot to itself and transfers between accounts that are not ours move nothing
here and are not in the index.

The table is trusted to be valid (`comity.backends.transfers.files` validates): only its columns are checked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from comity.errors import InputError
from comity.tracing.positions import Codes, Ints, Lots, Positions

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Arrays by event (in order), by pot, and the index. Build with `Book.from_table`."""

    table: Any
    """The rows as they came, `BOOK_SCHEMA` (columns that are empty throughout may be left out)."""
    row: Codes
    """`row[e]` is the row of event e."""
    times: Ints
    """Microseconds since the epoch, by event."""
    sender: Codes
    """Pot code, by event; -1 where the account is not ours. Likewise `receiver`."""
    receiver: Codes
    amount: Ints
    converted: Ints
    """Events with a conversion on the way, rising; `converted_minor` is what arrives of them."""
    converted_minor: Ints
    opening: Ints
    """Clean money before the first event, by pot."""
    pots: tuple[Any, Ints, Any, Ints]
    """Accounts, account code by pot, currencies, currency code by pot."""
    covers: frozenset[str] | None
    positions: Positions | None
    """None where what some pot ever received does not fit 64 bits: then `follow` goes the long way."""
    made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What is made from the columns when it is first asked for."""

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
        width = max(len(currencies), 1)
        paying = _keys(from_account, currency, currency, width)
        paid = _keys(to_account, to_currency, currency, width)
        keys, sender, receiver = _pots(paying, paid, len(accounts) * width)
        if ours is not None:
            sender = np.where(ours[from_account], sender, np.int32(-1))
            receiver = np.where(ours[to_account], receiver, np.int32(-1))
        del from_account, to_account, currency, to_currency, paying, paid
        times, amount = _integers(table["booked_at"]), _integers(table["amount_minor"])
        if (row[1:] < row[:-1]).any():
            sender, receiver, times, amount = sender[row], receiver[row], times[row], amount[row]
        converted, converted_minor = _conversions(table, row)
        opening = _opening(balances or {}, accounts, currencies, keys)
        arriving = _arriving(amount, converted, converted_minor)
        return cls(
            table=table,
            row=row,
            times=times,
            sender=sender,
            receiver=receiver,
            amount=amount,
            converted=converted,
            converted_minor=converted_minor,
            opening=opening,
            pots=(accounts, keys // width, currencies, keys % width),
            covers=covers,
            positions=Positions.of(sender, receiver, amount, arriving, opening),
        )

    @property
    def arriving(self) -> Ints:
        """What arrives, by event: the converted amount where there is a conversion, else the amount."""
        if "arriving" not in self.made:
            self.made["arriving"] = _arriving(self.amount, self.converted, self.converted_minor)
        return cast(Ints, self.made["arriving"])

    def arrives(self, event: int) -> int:
        """What arrives of one event."""
        at = int(np.searchsorted(self.converted, event))
        if at < len(self.converted) and self.converted[at] == event:
            return int(self.converted_minor[at])
        return int(self.amount[event])

    def lots(self) -> Lots:
        """The lot table, made when it is first asked for."""
        if "lots" not in self.made and self.positions is not None:
            self.made["lots"] = self.positions.lots(self.sender)
        return cast(Lots, self.made["lots"])

    def __len__(self) -> int:
        return len(self.row)

    def find(self, transfer_ids: Collection[str]) -> dict[str, int]:
        """Return the events of those transfers that are in the book, by transfer id."""
        wanted = _words(sorted(set(transfer_ids)))
        found = pc.indices_nonzero(pc.is_in(self.table["transfer_id"], value_set=wanted))
        if not len(found):
            return {}
        rows = np.frombuffer(found.buffers()[1], np.uint64, len(found)).astype(np.int64)
        events = np.flatnonzero(np.isin(self.row, rows))
        return dict(zip(self.texts("transfer_id", events), events.tolist(), strict=True))

    def text(self, column: str, event: int) -> str:
        """Return a text column of an event; empty where the book has none."""
        if column not in self.table.column_names:
            return ""
        value = self.table[column][int(self.row[event])].as_py()
        return value if value is not None else ""

    def texts(self, column: str, events: Any) -> list[str]:
        """Return a text column of some events, which every row of the book has."""
        return list(self.table[column].take(_numbers(self.row[np.asarray(events, np.int64)])).to_pylist())

    def rows(self, events: Any) -> Any:
        """Return some events as a table of `BOOK_SCHEMA`, in the order asked for."""
        place = np.asarray(events, np.int64)
        rows = pa.array(self.row[place])
        names = [name for name in BOOK_SCHEMA.names if name in self.table.column_names]
        taken = {name: self.table[name].take(rows).combine_chunks() for name in names}
        taken |= {"booked_at": pa.array(self.times[place]), "amount_minor": pa.array(self.amount[place])}
        converted = np.isin(place, self.converted)
        taken["to_amount_minor"] = pa.array(self.arriving[place], mask=~converted)
        columns = [
            taken[field.name].cast(field.type) if field.name in taken else pa.nulls(len(place), field.type)
            for field in BOOK_SCHEMA
        ]
        return pa.table(columns, schema=BOOK_SCHEMA)

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
        names = self.table.column_names
        if all(
            name not in names or self.table[name].null_count == len(self.row) for name in (sent, received)
        ):
            return ""
        for event in self.events_of(pot).tolist():
            found = self.text(sent if self.sender[event] == pot else received, event)
            if found:
                return found
        return ""

    def events_of(self, pot: int) -> Ints:
        """The events that move money in or out of a pot, in order."""
        if self.positions is not None:
            return self.positions.events_of(pot)
        touch = (self.sender == pot) ^ (self.receiver == pot)
        return np.flatnonzero(touch & (self.amount > 0))


def _words(texts: Sequence[str]) -> Any:
    """An Arrow array of texts. `pa.array` would import pandas, where there is one, which takes a third of a second."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(_TEXT, len(encoded), buffers)


def _numbers(values: Any) -> Any:
    """An Arrow array of whole numbers, likewise."""
    whole = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(whole), [None, pa.py_buffer(whole)])


def _with_schema(table: Any) -> Any:
    """The columns of `BOOK_SCHEMA`, texts as text or as codes; those that are empty throughout are left out."""
    needed = [one.name for one in BOOK_SCHEMA if not one.nullable]
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise InputError.because(
            expected="the columns of a book", got=f"a table without {', '.join(missing)}"
        )
    kept = []
    for one in BOOK_SCHEMA:
        if one.name in needed or _is_there(table, one.name):
            coded = pa.types.is_dictionary(table.schema.field(one.name).type)
            kept.append(table.schema.field(one.name) if coded else one)
    return table.select([one.name for one in kept]).cast(pa.schema(kept))


def _is_there(table: Any, name: str) -> bool:
    return name in table.column_names and table[name].null_count < table.num_rows


def _order(table: Any) -> Codes:
    """Return the rows in the order of events. Ids are only compared where times are equal."""
    times = _integers(table["booked_at"])
    if (times[1:] >= times[:-1]).all():
        row, ordered = np.arange(len(times), dtype=np.int32), times
    else:
        row = np.argsort(times, kind="stable").astype(np.int32)
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


def _codes(table: Any, first: str, second: str) -> tuple[Any, Codes, Codes]:
    """Code two text columns over one list of values; -1 stands for nothing, as in a column that is not there."""
    names = [name for name in (first, second) if name in table.column_names]
    chunks = [chunk.dictionary_encode() for name in names for chunk in table[name].chunks]
    coded = pa.chunked_array(chunks, pa.dictionary(pa.int32(), _TEXT)).unify_dictionaries()
    values = coded.chunk(0).dictionary if coded.num_chunks else pa.array([], _TEXT)
    numbers = np.full(2 * table.num_rows, -1, np.int32)
    at = 0
    for chunk in coded.chunks:
        indices = chunk.indices
        there = pc.fill_null(indices, -1) if indices.null_count else indices
        numbers[at : at + len(chunk)] = there.cast(pa.int32()).to_numpy(zero_copy_only=False)
        at += len(chunk)
    return values, numbers[: table.num_rows], numbers[table.num_rows :]


def _integers(column: Any) -> Ints:
    return np.ascontiguousarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)


def _ours(
    table: Any, accounts: Any, from_account: Codes, to_account: Codes, covers: frozenset[str] | None
) -> npt.NDArray[np.bool_] | None:
    """Return, by account code, whether the account is ours; None if all are."""
    if covers is None:
        return None
    here, elsewhere = np.zeros(len(accounts), bool), np.zeros(len(accounts), bool)
    own = pa.array(sorted(covers), _TEXT)
    for column, codes in (("from_country", from_account), ("to_country", to_account)):
        if column not in table.column_names:
            here[codes] = True
            continue
        country = table[column].cast(_TEXT)
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


def _keys(account: Codes, currency: Codes, otherwise: Codes, width: int) -> Any:
    """One number for account and currency; `otherwise`: the currency where there is none."""
    if width == 1:
        return account
    return account.astype(np.int64) * width + np.where(currency < 0, otherwise, currency)


def _pots(paying: Any, paid: Any, most: int) -> tuple[Ints, Codes, Codes]:
    """Number the (account, currency) keys that occur, in their order; `most`: keys are below it."""
    if most <= 8 * len(paying) + 1024:
        there = np.zeros(most, bool)
        there[paying] = True
        there[paid] = True
        code: Codes = np.cumsum(there, dtype=np.int32) - np.int32(1)
        return np.flatnonzero(there), code[paying], code[paid]
    keys, inverse = np.unique(np.concatenate([paying, paid]), return_inverse=True)
    codes: Codes = inverse.astype(np.int32)
    return keys, codes[: len(paying)], codes[len(paying) :]


def _conversions(table: Any, row: Codes) -> tuple[Ints, Ints]:
    """Events with a converted amount, and that amount."""
    if "to_amount_minor" not in table.column_names:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    column = table["to_amount_minor"]
    events = np.flatnonzero(pc.is_valid(column).to_numpy()[row])
    return events, _integers(pc.fill_null(column, 0))[row[events]]


def _arriving(amount: Ints, converted: Ints, converted_minor: Ints) -> Ints:
    if not len(converted):
        return amount
    arriving = amount.copy()
    arriving[converted] = converted_minor
    return arriving


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
