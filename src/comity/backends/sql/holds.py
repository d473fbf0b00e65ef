"""Holds and deadlines: `comity.casework.ports` on SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import deadlines, holds
from comity.casework import Deadline, Hold
from comity.errors import NotFound


class SqlHolds:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, hold: Hold) -> None:
        values = {
            "case_id": hold.case_id, "request_id": hold.request_id, "account": hold.account,
            "institution": hold.institution, "currency": hold.currency, "amount_minor": hold.amount_minor,
            "state": hold.state, "placed_at": time_text(hold.placed_at),
            "lapses_at": time_text(hold.lapses_at), "facts": json_bytes(hold.facts),
        }  # fmt: skip
        changed = self._connection.execute(
            update(holds).where(holds.c.holder == hold.holder, holds.c.id == hold.id).values(**values)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(holds).values(holder=hold.holder, id=hold.id, **values))

    def get(self, holder: str, hold_id: str) -> Hold:
        found = self.find(holder, hold_id)
        if found is None:
            raise NotFound.because(expected="a hold that this node placed", got=repr(hold_id))
        return found

    def find(self, holder: str, hold_id: str) -> Hold | None:
        row = self._connection.execute(
            select(holds).where(holds.c.holder == holder, holds.c.id == hold_id)
        ).one_or_none()
        return None if row is None else _hold(row)

    def of_case(self, case_id: str) -> Sequence[Hold]:
        rows = self._connection.execute(
            select(holds).where(holds.c.case_id == case_id).order_by(holds.c.placed_at, holds.c.id)
        )
        return [_hold(row) for row in rows]

    def all(self) -> Sequence[Hold]:
        rows = self._connection.execute(select(holds).order_by(holds.c.placed_at, holds.c.id))
        return [_hold(row) for row in rows]


class SqlDeadlines:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, deadline: Deadline) -> None:
        self._connection.execute(
            insert(deadlines).values(
                id=deadline.id, subject=deadline.subject, subject_id=deadline.subject_id, rule=deadline.rule,
                event=deadline.event, kind=deadline.kind, source=deadline.source,
                set_at=time_text(deadline.set_at), due_at=time_text(deadline.due_at), state=deadline.state,
                escalate=deadline.escalate,
            )
        )  # fmt: skip

    def clear(self, subject: str, subject_id: str, rules: Sequence[str]) -> None:
        self._connection.execute(
            update(deadlines)
            .where(
                deadlines.c.subject == subject,
                deadlines.c.subject_id == subject_id,
                deadlines.c.rule.in_(rules),
                deadlines.c.state == "pending",
            )
            .values(state="cleared")
        )

    def due(self, now: datetime) -> Sequence[Deadline]:
        return [_deadline(row) for row in self._connection.execute(_due(now))]

    def next_due(self, now: datetime) -> Deadline | None:
        row = self._connection.execute(_due(now).limit(1)).one_or_none()
        return None if row is None else _deadline(row)

    def pending(self) -> Sequence[Deadline]:
        waiting = _in_order().where(deadlines.c.state == "pending")
        return [_deadline(row) for row in self._connection.execute(waiting)]

    def all(self) -> Sequence[Deadline]:
        return [_deadline(row) for row in self._connection.execute(_in_order())]

    def finish(self, deadline_id: str) -> bool:
        changed = self._connection.execute(
            update(deadlines)
            .where(deadlines.c.id == deadline_id, deadlines.c.state == "pending")
            .values(state="passed")
        )
        return changed.rowcount == 1

    def of_subject(self, subject: str, subject_id: str) -> Sequence[Deadline]:
        theirs = _in_order().where(deadlines.c.subject == subject, deadlines.c.subject_id == subject_id)
        return [_deadline(row) for row in self._connection.execute(theirs)]


def _in_order() -> Select[Any]:
    """By the time at which they fall due; of two at one time always the same first."""
    return select(deadlines).order_by(deadlines.c.due_at, deadlines.c.id)


def _due(now: datetime) -> Select[Any]:
    return _in_order().where(deadlines.c.state == "pending", deadlines.c.due_at <= time_text(now))


def _hold(row: Row[Any]) -> Hold:
    return Hold(
        id=row.id, holder=row.holder, case_id=row.case_id, request_id=row.request_id, account=row.account,
        institution=row.institution, currency=row.currency, amount_minor=row.amount_minor, state=row.state,
        placed_at=time_value(row.placed_at), lapses_at=time_value(row.lapses_at),
        facts=json_value(row.facts),
    )  # fmt: skip


def _deadline(row: Row[Any]) -> Deadline:
    return Deadline(
        id=row.id, subject=row.subject, subject_id=row.subject_id, rule=row.rule, event=row.event,
        kind=row.kind, source=row.source, set_at=time_value(row.set_at), due_at=time_value(row.due_at),
        state=row.state, escalate=row.escalate,
    )  # fmt: skip
