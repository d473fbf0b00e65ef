"""The node's own book of transfers, as it stands, ready for a trace."""

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from comity.backends.sql import BookPart, Records
from comity.errors import StorageError
from comity.tracing import BOOK_SCHEMA, Book


class BookKeeper:
    """Hands out the book as it stands, built once per state of the book and shared by threads."""

    def __init__(self, folder: Path, records: Records, covers: frozenset[str]) -> None:
        self._folder = folder
        self._records = records
        self._covers = covers
        self._lock = threading.Lock()
        self._ready: tuple[tuple[str, ...], pa.Table, Book] | None = None

    def table(self) -> pa.Table:
        """All transfers, columns of `BOOK_SCHEMA`."""
        return self._build()[1]

    def book(self) -> Book:
        """The book, indexed for tracing."""
        return self._build()[2]

    def _build(self) -> tuple[tuple[str, ...], pa.Table, Book]:
        with self._lock:
            with self._records.reading() as tx:
                parts = tx.book.all()
                balances = tx.book.balances()
            state = tuple(part.id for part in parts)
            if self._ready is None or self._ready[0] != state:
                table = pa.concat_tables(
                    [BOOK_SCHEMA.empty_table(), *(self._read(part) for part in parts)]
                ).combine_chunks()
                self._ready = (
                    state, table, Book.from_table(table, balances=balances, covers=self._covers)
                )  # fmt: skip
            return self._ready

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
