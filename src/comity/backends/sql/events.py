"""Events: appended in the transaction of what they record; given their place in the log afterwards."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, insert, select, update

from comity.backends.sql.rows import time_text, time_value
from comity.backends.sql.schema import events
from comity.ledger.entry import SALT_SIZE, commit, event_bytes
from comity.model import Event
from comity.proofs.canonical import parse_strict


class SqlEvents:
    """Append and read events. `salt` comes from the operating system: one per event, kept beside it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, event: Event) -> None:
        salt, body = os.urandom(32), event_bytes(event)
        self._connection.execute(
            insert(events).values(
                id=event.id, at=time_text(event.at), kind=event.kind, case_id=event.case_id,
                actor=event.actor, body=body, salt=salt, entry=commit(body, salt), log_index=None,
            )
        )  # fmt: skip

    def size(self) -> int:
        """How many events have a place in the log."""
        return int(
            self._connection.execute(select(func.coalesce(func.max(events.c.log_index) + 1, 0))).scalar_one()
        )

    def any_waiting(self) -> bool:
        """Whether some committed event has no place in the log yet."""
        return bool(
            self._connection.execute(select(exists().where(events.c.log_index.is_(None)))).scalar_one()
        )

    def sequence(self, limit: int) -> int:
        """Give the next places to committed events that have none, in the order of their commit."""
        size = self.size()
        waiting = self._connection.execute(
            select(events.c.seq).where(events.c.log_index.is_(None)).order_by(events.c.seq).limit(limit)
        ).scalars()
        for index, seq in enumerate(waiting.all(), start=size):
            self._connection.execute(update(events).where(events.c.seq == seq).values(log_index=index))
            size = index + 1
        return size

    def entries(self, start: int, end: int) -> list[bytes]:
        rows = self._connection.execute(
            select(events.c.entry)
            .where(events.c.log_index >= start, events.c.log_index < end)
            .order_by(events.c.log_index)
        )
        return list(rows.scalars())

    def recomputed_entries(self, start: int, end: int) -> list[bytes]:
        """The entries as they follow from the events stored now: what a verifier compares the log with."""
        rows = self._connection.execute(
            select(events.c.body, events.c.salt, events.c.entry)
            .where(events.c.log_index >= start, events.c.log_index < end)
            .order_by(events.c.log_index)
        )
        return [_recomputed(row.body, row.salt, row.entry) for row in rows]

    def all(self) -> Iterator[Event]:
        for body, at in self._connection.execute(select(events.c.body, events.c.at).order_by(events.c.seq)):
            yield _event(bytes(body), at)

    def of_kinds(self, kinds: Collection[str]) -> Iterator[Event]:
        """Events of these kinds, in order."""
        rows = self._connection.execute(
            select(events.c.body, events.c.at).where(events.c.kind.in_(kinds)).order_by(events.c.seq)
        )
        for body, at in rows:
            yield _event(bytes(body), at)

    def after(self, seq: int) -> list[tuple[int, Event]]:
        """Events committed since `seq`, each with its own number, for whoever watches."""
        rows = self._connection.execute(
            select(events.c.seq, events.c.body, events.c.at).where(events.c.seq > seq).order_by(events.c.seq)
        )
        return [(row.seq, _event(bytes(row.body), row.at)) for row in rows]

    def of_case(self, case_id: str) -> list[tuple[Event, int | None]]:
        """Events of a case in order, each with its place in the log (None until it has one)."""
        rows = self._connection.execute(
            select(events.c.body, events.c.at, events.c.log_index)
            .where(events.c.case_id == case_id)
            .order_by(events.c.seq)
        )
        return [(_event(bytes(body), at), index) for body, at, index in rows]

    def opening(self, event_id: str) -> "Opening | None":
        row = self._connection.execute(
            select(events.c.body, events.c.at, events.c.salt, events.c.entry, events.c.log_index).where(
                events.c.id == event_id
            )
        ).one_or_none()
        if row is None:
            return None
        body = bytes(row.body)
        return Opening(
            event=_event(body, row.at), body=body, salt=bytes(row.salt), entry=bytes(row.entry),
            log_index=row.log_index,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Everything that opens one commitment: the event and its bytes, the salt, the entry, its place."""

    event: Event
    body: bytes
    salt: bytes
    entry: bytes
    log_index: int | None


def _recomputed(body: object, salt: object, entry: object) -> bytes:
    """The entry of a stored event; nothing for a row that contradicts itself, so that it never matches."""
    if not isinstance(body, bytes) or not isinstance(salt, bytes) or len(salt) != SALT_SIZE:
        return b""
    found = commit(body, salt)
    return found if found == entry else b""


def _event(body: bytes, at: str) -> Event:
    found = parse_strict(body)
    return Event(
        id=found["id"], at=time_value(at), kind=found["kind"], case_id=found["case"],
        actor=found["actor"], body=found["body"],
    )  # fmt: skip
