"""Take later transfers into a book without building it anew. Pure.

Banks send yesterday's rows today, a file twice, and a row again with another amount. What comes later in time than the
book only adds to its end; what comes late is put in its place, and the index is gone through again from there. A row
that the book has already is counted and left out; one that says something else under a known id is a correction: it
takes the place of the old one if the caller allows it. Nothing of this is silent: `Later` lists it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from comity.errors import Conflict, InputError
from comity.tracing.book import BOOK_SCHEMA, Book
from comity.tracing.positions import Ints

SHOWN = 100
"""Transfer ids listed of each kind."""
_COMPARED = (
    "booked_at", "from_account", "to_account", "amount_minor", "currency", "to_amount_minor", "to_currency",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What a later import was. Lists hold the first `SHOWN` ids, in order of events."""

    added: int = 0
    late: int = 0
    """Of those added, booked before the last event that the book had."""
    again: int = 0
    """Known already, and the same."""
    corrected: int = 0
    """Known already, and different: the new row took the place of the old."""
    late_transfers: tuple[str, ...] = ()
    again_transfers: tuple[str, ...] = ()
    corrected_transfers: tuple[str, ...] = ()


def extend(
    book: Book,
    table: Any,
    *,
    balances: Mapping[tuple[str, str], int] | None = None,
    corrections: bool = False,
) -> tuple[Book, Later]:
    """Return the book with the rows of `table` (`BOOK_SCHEMA`), and what they were.

    `balances`: opening balances of pots that the book does not have yet. With `corrections`, a row with a known id and
    other contents replaces the old one; otherwise it is a `Conflict` that names the first.
    """
    table = table.cast(BOOK_SCHEMA)
    known = book.find(table["transfer_id"].to_pylist()) if table.num_rows else {}
    again, wrong = _compared(book, table, known)
    if wrong and not corrections:
        raise Conflict.because(
            expected="transfers that this book does not have yet, or has with the same contents",
            got=f"{len(wrong)} with other contents under a known id, the first {wrong[0]!r}",
            remedy="Find out which is right; import the file as a correction if the later one is.",
        )
    fresh = table.filter(pa.array(~again))
    gone = np.array(sorted(known[name] for name in wrong), np.int64)
    added = Book.from_table(fresh, balances=balances, covers=book.covers)
    _refuse_torn(book, added)
    merged, late = _merged(book, added, gone, balances or {})
    ids = table["transfer_id"].to_pylist()
    return merged, Later(
        added=len(added) - len(wrong), again=int(again.sum()), corrected=len(wrong), late=len(late),
        late_transfers=tuple(late[:SHOWN]), corrected_transfers=tuple(wrong[:SHOWN]),
        again_transfers=tuple(ids[place] for place in np.flatnonzero(again)[:SHOWN]),
    )  # fmt: skip


def _compared(book: Book, table: Any, known: Mapping[str, int]) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """Return which rows are there already with the same contents, and the ids of those that differ."""
    ids = table["transfer_id"].to_pylist()
    again = np.array([name in known for name in ids], bool)
    places = np.flatnonzero(again)
    if not len(places):
        return again, []
    old = book.rows([known[ids[place]] for place in places.tolist()])
    new = table.take(pa.array(places))
    same = np.ones(len(places), bool)
    for name in _COMPARED:
        both_null = pc.and_(pc.is_null(old[name]), pc.is_null(new[name]))
        equal = pc.fill_null(pc.equal(old[name], new[name].combine_chunks()), False)
        same &= pc.or_(equal, both_null).to_numpy(zero_copy_only=False)
    again[places[~same]] = False
    return again, [ids[place] for place in places[~same].tolist()]


def _refuse_torn(book: Book, added: Book) -> None:
    """An account that is ours in one of them and elsewhere in the other would be two."""
    if book.covers is None or not len(added):
        return
    at = pc.index_in(added.pots[0], value_set=book.pots[0])
    shared = np.flatnonzero(pc.is_valid(at).to_numpy(zero_copy_only=False))
    there = pc.fill_null(at, 0).to_numpy(zero_copy_only=False)[shared]
    torn = shared[_own(book)[there] != _own(added)[shared]]
    if len(torn):
        raise InputError.because(
            expected="each account in one country",
            got=f"account {added.pots[0][int(torn[0])].as_py()!r} booked both as ours and in another country",
            where="transfer book",
            remedy="Correct from_country and to_country of that account's transfers, then import again.",
        )


def _own(book: Book) -> npt.NDArray[np.bool_]:
    """Which accounts are ours, by account code."""
    own = np.zeros(len(book.pots[0]), bool)
    for codes in (book.sender, book.receiver):
        own[book.pots[1][codes[codes >= 0]]] = True
    return own


def _merged(
    book: Book, added: Book, gone: Ints, balances: Mapping[tuple[str, str], int]
) -> tuple[Book, list[str]]:
    """Put the events of `added` among those of `book`, less those that are `gone`."""
    kept = np.ones(len(book), bool)
    kept[gone] = False
    at = _places(book, added)
    late = at < len(book)
    late_names = added.texts("transfer_id", np.flatnonzero(late)) if late.any() else []
    at = np.cumsum(np.append(0, kept))[at]
    target = at + np.arange(len(added))
    size = int(kept.sum()) + len(added)
    is_new = np.zeros(size, bool)
    is_new[target] = True
    old_at = np.flatnonzero(~is_new)

    def column(old: Any, new: Any) -> Any:
        merged = np.empty(size, old.dtype)
        merged[old_at], merged[target] = old[kept], new
        return merged

    pots, renumbered = _joined_pots(book, added)
    opening = np.concatenate([book.opening, np.zeros(len(pots[1]) - len(book.opening), np.int64)])
    _set_opening(opening, pots, balances)
    sender = column(book.sender, _code(renumbered, added.sender))
    receiver = column(book.receiver, _code(renumbered, added.receiver))
    amount, arriving = column(book.amount, added.amount), column(book.arriving, added.arriving)
    converted = column(_flags(book), _flags(added))
    first = int(min([*target[:1], *gone[:1], size]))
    if (opening[: len(book.opening)] != book.opening).any():
        first = 0
    positions = None
    if book.positions is not None:
        positions = book.positions.extended(sender, receiver, amount, arriving, opening, first)
    return Book(
        table=_joined_table(book.table, added.table),
        row=column(book.row, added.row + np.int32(book.table.num_rows)),
        times=column(book.times, added.times),
        sender=sender, receiver=receiver, amount=amount,
        converted=np.flatnonzero(converted), converted_minor=arriving[converted],
        opening=opening, pots=pots, covers=book.covers, positions=positions,
    ), late_names  # fmt: skip


def _places(book: Book, added: Book) -> Ints:
    """Before which event of `book` each event of `added` comes; ids are compared where times are equal."""
    first = np.searchsorted(book.times, added.times, side="left")
    last = np.searchsorted(book.times, added.times, side="right")
    for tied in np.flatnonzero(first < last).tolist():
        name = added.text("transfer_id", tied).encode()
        low, high = int(first[tied]), int(last[tied])
        while low < high:
            middle = (low + high) // 2
            if book.text("transfer_id", middle).encode() < name:
                low = middle + 1
            else:
                high = middle
        first[tied] = low
    return first.astype(np.int64)


def _joined_pots(book: Book, added: Book) -> tuple[tuple[Any, Ints, Any, Ints], Ints]:
    """The pots of both, those of `book` first and under their numbers; and the number of each pot of `added`."""
    accounts, account_at = _joined_names(book.pots[0], added.pots[0])
    currencies, currency_at = _joined_names(book.pots[2], added.pots[2])
    width = len(currencies) + 1
    old = book.pots[1] * width + book.pots[3]
    new = account_at[added.pots[1]] * width + currency_at[added.pots[3]]
    number = _numbers(old, new)
    there = number >= 0
    number[~there] = len(old) + np.arange(int((~there).sum()))
    keys = np.concatenate([old, new[~there]])
    return (accounts, keys // width, currencies, keys % width), number


def _numbers(keys: Ints, wanted: Ints) -> Ints:
    """Where each wanted key is among `keys`, which are all different; -1 for nowhere."""
    order = np.argsort(keys, kind="stable")
    at = np.searchsorted(keys[order], wanted)
    there = at < len(keys)
    there[there] = keys[order][at[there]] == wanted[there]
    found = np.full(len(wanted), -1, np.int64)
    found[there] = order[at[there]]
    return found


def _set_opening(
    opening: Ints, pots: tuple[Any, Ints, Any, Ints], balances: Mapping[tuple[str, str], int]
) -> None:
    """Write the balances of pots that the book has into `opening`."""
    width = len(pots[2]) + 1
    account = _codes([name for name, _ in balances], pots[0])
    currency = _codes([code for _, code in balances], pots[2])
    at = _numbers(pots[1] * width + pots[3], account * width + currency)
    known = (account >= 0) & (currency >= 0) & (at >= 0)
    opening[at[known]] = np.fromiter(balances.values(), np.int64, len(balances))[known]


def _codes(names: Sequence[str], values: Any) -> Ints:
    found = pc.fill_null(pc.index_in(pa.array(names, pa.string()), value_set=values), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


def _joined_names(old: Any, new: Any) -> tuple[Any, Ints]:
    at = pc.index_in(new, value_set=old)
    missing = new.filter(pc.is_null(at))
    names = pa.concat_arrays([old, missing])
    return names, pc.index_in(new, value_set=names).cast(pa.int64()).to_numpy(zero_copy_only=False)


def _code(number: Ints, pots: Any) -> Any:
    """Pot codes of the added book in the joined numbering; -1 stays."""
    return np.append(number, -1)[pots].astype(np.int32)


def _flags(book: Book) -> npt.NDArray[np.bool_]:
    flags = np.zeros(len(book), bool)
    flags[book.converted] = True
    return flags


def _joined_table(old: Any, new: Any) -> Any:
    """Rows of both; columns that one of them has not are empty there. Codes stay codes."""
    names = [name for name in BOOK_SCHEMA.names if name in {*old.column_names, *new.column_names}]
    columns = []
    for name in names:
        first = old if name in old.column_names else new
        kind = first.schema.field(name).type
        parts = [_as_kind(table, name, kind) for table in (old, new)]
        columns.append(pa.chunked_array([chunk for part in parts for chunk in part.chunks], kind))
    return pa.table(columns, names=names)


def _as_kind(table: Any, name: str, kind: Any) -> Any:
    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, kind)])
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(table.schema.field(name).type):
        return table[name].dictionary_encode().cast(kind)
    return table[name].cast(kind)
