"""Run a procedure for one request or hold. Pure: the law room decides, this turns its rules into rows.

Each deadline that somebody is to be reminded of has a second row, the reminder. Working days are those of the state
that leads (`jurisdiction`, ISO 3166-1): by which calendar, and what of it was not known, stays in the row's source.
Without a jurisdiction, or where there is no calendar of it, every day counts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from comity.casework.deadline import REMIND, Deadline
from comity.law.calendars import calendar_of, due
from comity.law.procedures import Deadline as Term
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
    procedure: Procedure,
    subject: Subject,
    facts: Mapping[str, Any],
    *,
    now: datetime,
    new_id: NewId,
    jurisdiction: str = "",
) -> Moved:
    """Enter the initial state."""
    taken = begin(procedure, facts)
    return rows(procedure, subject, taken, now=now, new_id=new_id, jurisdiction=jurisdiction)


def move(
    procedure: Procedure,
    subject: Subject,
    state: str,
    event: str,
    facts: Mapping[str, Any],
    *,
    now: datetime,
    new_id: NewId,
    jurisdiction: str = "",
) -> Moved:
    """Let `event` happen. `Conflict` if it cannot in this state, `Forbidden` if a guard says no."""
    taken = step(procedure, state, event, facts)
    return rows(procedure, subject, taken, now=now, new_id=new_id, jurisdiction=jurisdiction)


def rows(
    procedure: Procedure,
    subject: Subject,
    taken: Step,
    *,
    now: datetime,
    new_id: NewId,
    jurisdiction: str = "",
) -> Moved:
    """The rows that a step already taken makes and ends. A rule's reminder ends with it."""
    ended = [_rule(procedure, rule) for rule in taken.deadlines_cleared]
    reminded = {_rule(procedure, one.rule) for one in procedure.deadlines if one.remind is not None}
    made = [
        row
        for term in taken.deadlines_set
        for row in _set(_rule(procedure, term.rule), subject, term, now, new_id, jurisdiction)
    ]
    return Moved(
        state=taken.state,
        reasons=taken.reasons,
        deadlines=tuple(made),
        cleared=(*ended, *(f"{rule}{REMIND}" for rule in ended if rule in reminded)),
    )


def _set(
    rule: str, subject: Subject, term: Term, now: datetime, new_id: NewId, jurisdiction: str
) -> Iterator[Deadline]:
    """The deadline, and its reminder: at once where the whole term is shorter than the time before it."""
    due_at, source = _ends(term, now, jurisdiction)
    deadline = Deadline(
        id=new_id("deadline"), subject=subject.kind, subject_id=subject.id, rule=rule, event=term.event,
        kind=term.kind, source=source, set_at=now, due_at=due_at, state="pending", escalate=term.escalate,
    )  # fmt: skip
    yield deadline
    if term.remind is not None:
        yield replace(
            deadline, id=new_id("deadline"), rule=f"{rule}{REMIND}", event="", kind="T", escalate="",
            due_at=max(now, due_at - term.remind),
        )  # fmt: skip


def _ends(term: Term, now: datetime, jurisdiction: str) -> tuple[datetime, str]:
    if not term.working_days:
        return now + term.after, term.source
    counted = due(now, term.working_days, calendar_of(jurisdiction))
    return counted.at, f"{term.source}; {counted.text}"


def _rule(procedure: Procedure, rule: str) -> str:
    return f"{procedure.name}/{procedure.version}/{rule}"
