"""Who stands in for whom, until when. What has ended or run out stays, as a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from comity.backends.sql.rows import time_text, time_value
from comity.backends.sql.schema import deputies


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputyship:
    """`deputy` and `principal` are names of accounts, `named_by` and `ended_by` what events call who did it."""

    id: str
    deputy: str
    principal: str
    until: datetime
    named_by: str
    named_at: datetime
    ended_by: str = ""
    ended_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.until


class SqlDeputies:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, one: Deputyship) -> None:
        self._connection.execute(
            insert(deputies).values(
                id=one.id, deputy=one.deputy, principal=one.principal, until=time_text(one.until),
                named_by=one.named_by, named_at=time_text(one.named_at), ended_by="", ended_at="",
            )
        )  # fmt: skip

    def all(self) -> Sequence[Deputyship]:
        """Every one there ever was, oldest first."""
        rows = self._connection.execute(select(deputies).order_by(deputies.c.named_at, deputies.c.id))
        return [
            Deputyship(
                id=row.id, deputy=row.deputy, principal=row.principal, until=time_value(row.until),
                named_by=row.named_by, named_at=time_value(row.named_at), ended_by=row.ended_by,
                ended_at=time_value(row.ended_at) if row.ended_at else None,
            )
            for row in rows
        ]  # fmt: skip

    def in_force(self, deputy: str, principal: str, now: datetime) -> Deputyship | None:
        found = (one for one in self.all() if (one.deputy, one.principal) == (deputy, principal))
        return next((one for one in found if one.holds(now)), None)

    def end(self, id_: str, by: str, now: datetime) -> None:
        self._connection.execute(
            update(deputies).where(deputies.c.id == id_).values(ended_by=by, ended_at=time_text(now))
        )
