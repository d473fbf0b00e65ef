"""Run a procedure for one request or hold. Pure: the law room decides, this turns its rules into rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity.casework.deadline import Deadline
from comity.law.procedures import Procedure, Step, begin, step

NewId = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Where the subject now stands, why, the deadlines that start, and the rules whose deadlines end."""

    state: str
    reasons: tuple[str, ...]
    deadlines: tuple[Deadline, ...]
    cleared: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which row runs the procedure: `kind` is `hold` or `request`."""

    kind: str
    id: str


def start(
    procedure: Procedure, subject: Subject, facts: Mapping[str, Any], *, now: datetime, new_id: NewId
) -> Moved:
    """Enter the initial state."""
    return _moved(procedure, subject, begin(procedure, facts), now, new_id)


def move(
    procedure: Procedure,
    subject: Subject,
    state: str,
    event: str,
    facts: Mapping[str, Any],
    *,
    now: datetime,
    new_id: NewId,
) -> Moved:
    """Let `event` happen. `Conflict` if it cannot in this state, `Forbidden` if a guard says no."""
    return _moved(procedure, subject, step(procedure, state, event, facts), now, new_id)


def _moved(procedure: Procedure, subject: Subject, taken: Step, now: datetime, new_id: NewId) -> Moved:
    return Moved(
        state=taken.state,
        reasons=taken.reasons,
        deadlines=tuple(
            Deadline(
                id=new_id("deadline"), subject=subject.kind, subject_id=subject.id,
                rule=_rule(procedure, deadline.rule), event=deadline.event, kind=deadline.kind,
                source=deadline.source, set_at=now, due_at=now + deadline.after, state="pending",
            )
            for deadline in taken.deadlines_set
        ),
        cleared=tuple(_rule(procedure, rule) for rule in taken.deadlines_cleared),
    )  # fmt: skip


def _rule(procedure: Procedure, rule: str) -> str:
    return f"{procedure.name}/{procedure.version}/{rule}"
