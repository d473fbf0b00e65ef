"""Events: appended in the transaction of what they record, and given their place in the log there and then.

Write transactions are serial (database.py), so a place given inside one is given in the order of commit: the
next place is one more than the largest committed, and a transaction that is rolled back gives none away. An
event that was erased (`node.erase`) keeps its row, its place and its entry; body and salt are gone, and readers
of events pass it over.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, exists, func, insert, select, update

from comity.backends.sql.prepared import Prepared
from comity.backends.sql.rows import time_value
from comity.backends.sql.schema import events
from comity.errors import InputError
from comity.ledger.entry import SALT_SIZE, commit, fields_of
from comity.model import Event
from comity.proofs.canonical import parse_strict

PADDING = "log.padding"
"""The kind of events that stand for nothing (spec/log.md §5.1): no reader of events is shown them."""
_COLUMNS = ("id", "at", "kind", "case_id", "actor", "body", "salt", "entry", "log_index")
_INSERT = f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_SIZE = "SELECT coalesce(max(log_index) + 1, 0) FROM events"

_INSERT_NEXT = Prepared(
    insert(events).inline().values(
        {name: bindparam(name) for name in _COLUMNS[:-1]}
        | {"log_index": select(func.coalesce(func.max(events.c.log_index) + 1, 0)).scalar_subquery()}
    )
)  # fmt: skip
"""One event at the next place."""

Sealed = tuple[str, str, str, str, str, bytes, bytes, bytes]
"""An event with its salt and entry, as the columns have it: all but its place."""


def sealed(event: Event) -> Sealed:
    """Commit to `event` under a new salt; `InputError` if it has no one byte string."""
    salt, fields = os.urandom(SALT_SIZE), fields_of(event)
    return (
        event.id, fields.at, event.kind, event.case_id, event.actor, fields.raw, salt, fields.entry(salt),
    )  # fmt: skip


class SqlEvents:
    """Append and read events. `salt` comes from the operating system: one per event, kept beside it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, event: Event) -> None:
        """Store `event` at the next place of the log; it is in the log once this transaction commits."""
        _INSERT_NEXT(self._connection, **dict(zip(_COLUMNS[:-1], sealed(event), strict=True)))

    def append_all(self, rows: Sequence[Sealed]) -> int:
        """Store sealed events in order, with as little work for each as there can be; return the new size."""
        place = self.size()
        placed = [(*row, place + number) for number, row in enumerate(rows)]
        if placed and self._connection.dialect.paramstyle == "qmark":  # past SQLAlchemy, which costs more
            self._connection.exec_driver_sql(_INSERT, placed)
        elif placed:
            self._connection.execute(
                insert(events), [dict(zip(_COLUMNS, row, strict=True)) for row in placed]
            )
        return place + len(placed)

    def size(self) -> int:
        """How many events are in the log: all there are."""
        return int(self._connection.exec_driver_sql(_SIZE).scalar_one())

    def entries(self, start: int, end: int) -> list[bytes]:
        rows = self._connection.execute(
            select(events.c.entry)
            .where(events.c.log_index >= start, events.c.log_index < end)
            .order_by(events.c.log_index)
        )
        return list(rows.scalars())

    def recomputed_entries(self, start: int, end: int) -> list[bytes]:
        """The entries as they follow from the events stored now: what a verifier compares the log with.

        Of an erased event there is nothing left to recompute: its entry is the stored one.
        """
        rows = self._connection.execute(
            select(events.c.body, events.c.salt, events.c.entry)
            .where(events.c.log_index >= start, events.c.log_index < end)
            .order_by(events.c.log_index)
        )
        return [_recomputed(body, salt, entry) for body, salt, entry in rows]

    def all(self) -> Iterator[Event]:
        for row in self._connection.execute(_readable().order_by(events.c.seq)):
            yield _event(row)

    def of_kinds(self, kinds: Collection[str]) -> Iterator[Event]:
        """Events of these kinds, in order."""
        query = _readable().where(events.c.kind.in_(kinds)).order_by(events.c.seq)
        for row in self._connection.execute(query):
            yield _event(row)

    def newest_of(self, kinds: Collection[str]) -> Event | None:
        """The last event of these kinds, if there is one."""
        row = self._connection.execute(
            _readable().where(events.c.kind.in_(kinds)).order_by(events.c.seq.desc()).limit(1)
        ).one_or_none()
        return None if row is None else _event(row)

    def after(self, seq: int) -> list[tuple[int, Event]]:
        """Events committed since `seq`, each with its own number, for whoever watches."""
        query = _readable().where(events.c.seq > seq).order_by(events.c.seq)
        return [(row.seq, _event(row)) for row in self._connection.execute(query)]

    def of_case(self, case_id: str) -> list[tuple[Event, int | None]]:
        """Events of a case in order, each with its place in the log."""
        query = _readable().where(events.c.case_id == case_id).order_by(events.c.seq)
        return [(_event(row), row.log_index) for row in self._connection.execute(query)]

    def opening(self, event_id: str) -> "Opening | None":
        """What opens the entry of that event; None if there is no such event or it was erased."""
        row = self._connection.execute(
            select(events).where(events.c.id == event_id, events.c.body.is_not(None))
        ).one_or_none()
        if row is None:
            return None
        return Opening(
            event=_event(row), body=bytes(row.body), salt=bytes(row.salt), entry=bytes(row.entry),
            log_index=row.log_index,
        )  # fmt: skip

    def is_erased(self, event_id: str) -> bool:
        return bool(
            self._connection.execute(
                select(exists().where(events.c.id == event_id, events.c.body.is_(None)))
            ).scalar_one()
        )

    def count_erased(self, case_id: str | None = None) -> int:
        """How many events were erased: of one case, or of all."""
        query = select(func.count()).where(events.c.body.is_(None))
        if case_id is not None:
            query = query.where(events.c.case_id == case_id)
        return int(self._connection.execute(query).scalar_one())

    def erase(self, event_ids: Collection[str]) -> int:
        """Destroy body and salt of these events, for ever; return how many still had them."""
        done = 0
        for event_id in event_ids:
            done += self._connection.execute(
                update(events)
                .where(events.c.id == event_id, events.c.body.is_not(None))
                .values(body=None, salt=None)
            ).rowcount
        return done


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Everything that opens one commitment: the event and its bytes, the salt, the entry, its place."""

    event: Event
    body: bytes
    salt: bytes
    entry: bytes
    log_index: int | None


def _readable() -> Select[Any]:
    """Events that say something: neither erased nor padding."""
    return select(events.c.seq, events.c.body, events.c.at, events.c.log_index).where(
        events.c.body.is_not(None), events.c.kind != PADDING
    )


def _recomputed(body: object, salt: object, entry: object) -> bytes:
    """The entry of a stored event; nothing for a row that contradicts itself, so that it never matches."""
    if body is None and salt is None and isinstance(entry, bytes):
        return entry
    if not isinstance(body, bytes) or not isinstance(salt, bytes) or len(salt) != SALT_SIZE:
        return b""
    try:
        found = commit(body, salt)
    except InputError:
        return b""
    return found if found == entry else b""


def _event(row: Row[Any]) -> Event:
    found = parse_strict(bytes(row.body))
    return Event(
        id=found["id"], at=time_value(row.at), kind=found["kind"], case_id=found["case"],
        actor=found["actor"], body=found["body"],
    )  # fmt: skip
