"""People of the node and their sessions. Only hashes of passwords and tokens are kept."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from comity.backends.sql.rows import time_text, time_value
from comity.backends.sql.schema import people, sessions
from comity.errors import Conflict
from comity.model import Person, Role


class SqlPeople:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, person: Person, password_hash: str, now: datetime) -> None:
        if self.find(person.id) is not None:
            raise Conflict.because(expected="a name nobody on this node has", got=repr(person.id))
        self._connection.execute(
            insert(people).values(
                id=person.id, role=person.role.value, password=password_hash, created_at=time_text(now)
            )
        )

    def find(self, name: str) -> tuple[Person, str] | None:
        """The person and the hash of the password."""
        row = self._connection.execute(select(people).where(people.c.id == name)).one_or_none()
        return None if row is None else (Person(id=row.id, role=Role(row.role)), row.password)

    def all(self) -> list[tuple[Person, datetime]]:
        """Everybody, with the time at which they were added."""
        rows = self._connection.execute(select(people).order_by(people.c.id))
        return [(Person(id=row.id, role=Role(row.role)), time_value(row.created_at)) for row in rows]

    def open_session(self, token_hash: str, person: str, expires_at: datetime) -> None:
        self._connection.execute(
            insert(sessions).values(token_hash=token_hash, person=person, expires_at=time_text(expires_at))
        )

    def in_session(self, token_hash: str, now: datetime) -> Person | None:
        row = self._connection.execute(
            select(people.c.id, people.c.role)
            .join(sessions, sessions.c.person == people.c.id)
            .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > time_text(now))
        ).one_or_none()
        return None if row is None else Person(id=row[0], role=Role(row[1]))

    def close_session(self, token_hash: str, now: datetime) -> None:
        """End this session, and forget those that have run out."""
        self._connection.execute(
            delete(sessions).where(
                (sessions.c.token_hash == token_hash) | (sessions.c.expires_at <= time_text(now))
            )
        )
