"""Calls of the API that had their effect, each under the key that its caller chose: a repeated one has none."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from comity.backends.sql.rows import time_text
from comity.backends.sql.schema import calls


class SqlCalls:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, person: str, key: str) -> str | None:
        """The digest of what was called under that key."""
        return self._connection.execute(
            select(calls.c.digest).where(calls.c.person == person, calls.c.key == key)
        ).scalar_one_or_none()

    def add(self, person: str, key: str, digest: str, now: datetime) -> None:
        self._connection.execute(
            insert(calls).values(person=person, key=key, digest=digest, at=time_text(now))
        )

    def drop(self, person: str, key: str) -> None:
        self._connection.execute(delete(calls).where(calls.c.person == person, calls.c.key == key))

    def forget(self, before: datetime) -> None:
        """Drop those from before that time: nobody repeats them any more."""
        self._connection.execute(delete(calls).where(calls.c.at < time_text(before)))
