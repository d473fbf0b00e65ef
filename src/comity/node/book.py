"""The node's own book of transfers, as it stands, ready for a trace."""

import hashlib
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comity.backends.sql import BookPart, Records
from comity.errors import StorageError
from comity.tracing import BOOK_SCHEMA, Book, extend
from comity.tracing.chokes import Marks, ending_at

Balances = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The book at one moment. `book` ends at the accounts of `marks`; `table` has the rows as they were imported.

    `state` names it: another import or mark makes another.
    """

    state: str
    parts: frozenset[str]
    """Ids of the imports that it is made of."""
    table: pa.Table
    book: Book
    marks: Marks

    def rows(self, transfer_ids: Collection[str]) -> list[dict[str, Any]]:
        """The rows of those transfers that are in the book, in its order."""
        events = sorted(self.book.find(transfer_ids).values())
        return list(
            self.table.take(pa.array([int(self.book.row[one]) for one in events], pa.int64())).to_pylist()
        )

    def has_account(self, account: str, covers: Collection[str]) -> bool:
        """Whether a transfer names it as an account of ours: in a country we cover, or in none."""
        own = pa.array(sorted(covers), pa.string())
        for side in ("from", "to"):
            rows = self.table.filter(pc.equal(self.table[f"{side}_account"], account))
            country = rows[f"{side}_country"]
            if pc.any(pc.or_kleene(pc.is_null(country), pc.is_in(country, value_set=own))).as_py():
                return True
        return False


class BookKeeper:
    """Hands out the book as it stands, built once per state of the book and shared by threads."""

    def __init__(self, folder: Path, records: Records, covers: frozenset[str]) -> None:
        self._folder = folder
        self._records = records
        self._covers = covers
        self._lock = threading.Lock()
        self._ready: Standing | None = None

    def table(self) -> pa.Table:
        """All transfers, columns of `BOOK_SCHEMA`."""
        return self.standing().table

    def book(self) -> Book:
        """The book, indexed for tracing."""
        return self.standing().book

    def standing(self) -> Standing:
        """Table, index and marks of one and the same moment."""
        with self._lock:
            with self._records.reading() as tx:
                parts, marks = tx.book.all(), tx.account_marks.kinds()
                state = _state(parts, marks)
                if self._ready is not None and self._ready.state == state:
                    return self._ready
                balances = tx.book.balances()
            self._ready = self._extended(state, parts, marks, balances) or self._made(
                state, parts, marks, balances
            )
            return self._ready

    def _made(self, state: str, parts: Sequence[BookPart], marks: Marks, balances: Balances) -> Standing:
        table = self._table(parts).combine_chunks()
        book = Book.from_table(ending_at(table, marks), balances=balances, covers=self._covers)
        return Standing(state=state, parts=_ids(parts), table=table, book=book, marks=marks)

    def _extended(
        self, state: str, parts: Sequence[BookPart], marks: Marks, balances: Balances
    ) -> Standing | None:
        """What stands, with the parts imported since: what is indexed is not indexed again."""
        old = self._ready
        if old is None or not old.parts or old.marks != marks or not old.parts <= _ids(parts):
            return None
        fresh = self._table([part for part in parts if part.id not in old.parts])
        book, later = extend(old.book, ending_at(fresh, marks), balances=balances)
        if later.again:
            return None
        table = pa.concat_tables([old.table, fresh])
        return Standing(state=state, parts=_ids(parts), table=table, book=book, marks=marks)

    def _table(self, parts: Sequence[BookPart]) -> pa.Table:
        return pa.concat_tables([BOOK_SCHEMA.empty_table(), *(self._read(part) for part in parts)])

    def _read(self, part: BookPart) -> pa.Table:
        file = self._folder / part.file
        try:
            return pq.read_table(file, schema=BOOK_SCHEMA)
        except (OSError, pa.ArrowException) as error:
            raise StorageError(
                f"expected {part.rows} transfers imported earlier, got {error}",
                where=str(file),
                remedy="Restore this file from a backup; its SHA-256 is in the event of its import.",
            ) from error


def _ids(parts: Sequence[BookPart]) -> frozenset[str]:
    return frozenset(part.id for part in parts)


def _state(parts: list[BookPart], marks: Marks) -> str:
    """Opening balances come with parts, and change only with another part."""
    said = [[part.id for part in parts], sorted((account, kind.value) for account, kind in marks.items())]
    return hashlib.sha256(repr(said).encode()).hexdigest()
