"""Complete returns that name only the payment they return: its accounts, swapped, from among the transfers known."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from comity.backends.transfers.entries import Broken, Entry, Item

Originals = Callable[[Sequence[str]], Iterable[Mapping[str, Any]]]
"""Transfer ids → the rows of those that are known."""

_SWAPPED = (
    ("from_account", "to_account"), ("from_institution", "to_institution"), ("from_country", "to_country"),
)  # fmt: skip


def lacks_accounts(entry: Entry) -> bool:
    return bool(entry.original) and "from_account" not in entry.row and "to_account" not in entry.row


def rows_named(tables: Iterable[Any], ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Rows with these ids."""
    wanted = pa.array(ids, pa.string())
    for table in tables:
        yield from table.filter(pc.is_in(table["transfer_id"], value_set=wanted)).to_pylist()


def completed(waiting: Sequence[Entry], find: Originals) -> Iterator[Item]:
    """Each return with its accounts; one whose original is not known is broken."""
    rows = {row["transfer_id"]: row for row in find(sorted({one.original for one in waiting}))}
    for one in waiting:
        original = rows.get(one.original)
        if original is None:
            yield Broken(
                number=one.number,
                reason=f"expected the return's accounts (OrgnlTxRef), or its original {one.original[:60]!r} in "
                "this import or in the book, got neither",
            )
            continue
        swapped = {
            side: original[other]
            for pair in _SWAPPED
            for side, other in (pair, pair[::-1])
            if original[other] is not None
        }
        yield Entry(number=one.number, row={**one.row, **swapped}, original=one.original, side=one.side)
