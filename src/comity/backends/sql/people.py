"""People of the node and their sessions. Only hashes of passwords and tokens are kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from comity.backends.sql.deputies import SqlDeputies
from comity.backends.sql.rows import time_text, time_value
from comity.backends.sql.schema import people, sessions
from comity.errors import Conflict, NotFound
from comity.model import Person, Role, human_of, humans_in
from comity.model.authority import FOR

_HERE = people.c.removed_at == ""


class SqlPeople:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._deputies = SqlDeputies(connection)

    def add(self, person: Person, password_hash: str, now: datetime) -> None:
        known = self._connection.execute(select(people.c.id).where(people.c.id == person.id))
        if known.one_or_none() is not None:
            raise Conflict.because(
                expected="a name nobody on this node has or had",
                got=repr(person.id),
                remedy="Choose another: events bear a name for good.",
            )
        self._connection.execute(
            insert(people).values(
                id=person.id, role=person.role.value, password=password_hash, created_at=time_text(now),
                human=person.human, removed_at="",
            )
        )  # fmt: skip

    def find(self, name: str) -> tuple[Person, str] | None:
        """The person and the hash of the password; nobody who was removed."""
        row = self._connection.execute(select(people).where(people.c.id == name, _HERE)).one_or_none()
        return None if row is None else (_person(row), row.password)

    def get(self, name: str) -> Person:
        """`NotFound` unless somebody has that name now."""
        found = self.find(name)
        if found is None:
            raise NotFound.because(
                expected="somebody on this node", got=repr(name), remedy="List them: comity person list DIR"
            )
        return found[0]

    def all(self) -> list[tuple[Person, datetime]]:
        """Everybody, with the time at which they were added."""
        rows = self._connection.execute(select(people).where(_HERE).order_by(people.c.id))
        return [(_person(row), time_value(row.created_at)) for row in rows]

    def remove(self, name: str, now: datetime) -> None:
        """End their access: no password opens any more, and no session goes on. The name stays theirs."""
        self._connection.execute(
            update(people).where(people.c.id == name).values(password="", removed_at=time_text(now))
        )
        self._connection.execute(
            delete(sessions).where((sessions.c.person == name) | (sessions.c.principal == name))
        )

    def accounts_of(self, human: str) -> list[Person]:
        """Every account of one human, by name."""
        return [person for person, _ in self.all() if human_of(person) == human]

    def humans_behind(self, actor: str) -> frozenset[str]:
        """The humans whom an event's actor, or a draft's author, means: also those who were removed since."""
        found: frozenset[str] = frozenset()
        for name in humans_in(actor):
            row = self._connection.execute(select(people).where(people.c.id == name)).one_or_none()
            found |= {name} if row is None else _person(row).humans
        return found

    def deputy(self, name: str, principal: str, now: datetime) -> Person | None:
        """`name` as the deputy of `principal`, in their role; None unless they are that now."""
        own, other = self.find(name), self.find(principal)
        if own is None or other is None or self._deputies.in_force(name, principal, now) is None:
            return None
        return Person(
            id=f"{name}{FOR}{principal}", role=other[0].role, human=human_of(own[0]),
            stands_for=human_of(other[0]),
        )  # fmt: skip

    def open_session(self, token_hash: str, person: str, expires_at: datetime) -> None:
        """`person` as events call them: a deputy's session is one as a deputy, as long as they are that."""
        account, _, principal = person.partition(FOR)
        self._connection.execute(
            insert(sessions).values(
                token_hash=token_hash, person=account, expires_at=time_text(expires_at), principal=principal
            )
        )

    def in_session(self, token_hash: str, now: datetime) -> Person | None:
        row = self._connection.execute(
            select(sessions.c.person, sessions.c.principal).where(
                sessions.c.token_hash == token_hash, sessions.c.expires_at > time_text(now)
            )
        ).one_or_none()
        if row is None:
            return None
        if row.principal:
            return self.deputy(row.person, row.principal, now)
        found = self.find(row.person)
        return found[0] if found else None

    def close_session(self, token_hash: str, now: datetime) -> None:
        """End this session, and forget those that have run out."""
        self._connection.execute(
            delete(sessions).where(
                (sessions.c.token_hash == token_hash) | (sessions.c.expires_at <= time_text(now))
            )
        )


def _person(row: Row[Any]) -> Person:
    return Person(id=row.id, role=Role(row.role), human=row.human)
