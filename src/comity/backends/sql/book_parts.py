"""Which Parquet files make up the node's book, and opening balances. A file not listed is no part of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from comity.backends.sql.rows import time_text
from comity.backends.sql.schema import book_balances, book_parts
from comity.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPart:
    id: str
    file: str
    rows: int
    sha256: str


class SqlBookParts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, part: BookPart, now: datetime) -> None:
        self._connection.execute(
            insert(book_parts).values(
                id=part.id, file=part.file, rows=part.rows, sha256=part.sha256, imported_at=time_text(now)
            )
        )

    def all(self) -> list[BookPart]:
        rows = self._connection.execute(
            select(book_parts).order_by(book_parts.c.imported_at, book_parts.c.id)
        )
        return [BookPart(id=row.id, file=row.file, rows=row.rows, sha256=row.sha256) for row in rows]

    def add_balances(self, balances: Mapping[tuple[str, str], int]) -> None:
        """Opening balances; one that is already known must not change."""
        known = self.balances()
        for key, minor in balances.items():
            if known.get(key, minor) != minor:
                raise Conflict.because(
                    expected=f"the opening balance of {key[0]} in {key[1]} once ({known[key]})",
                    got=str(minor),
                )
        fresh = [
            {"account": account, "currency": currency, "amount_minor": minor}
            for (account, currency), minor in balances.items()
            if (account, currency) not in known
        ]
        if fresh:
            self._connection.execute(insert(book_balances), fresh)

    def replace_balances(self, balances: Mapping[tuple[str, str], int]) -> None:
        """Earlier opening balances in place of those that are known."""
        for (account, currency), minor in balances.items():
            self._connection.execute(
                update(book_balances)
                .where(book_balances.c.account == account, book_balances.c.currency == currency)
                .values(amount_minor=minor)
            )

    def balances(self) -> dict[tuple[str, str], int]:
        rows = self._connection.execute(select(book_balances))
        return {(row.account, row.currency): row.amount_minor for row in rows}
