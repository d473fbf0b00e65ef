"""A matter: one procedure that two nodes run together, as the half that each of them keeps. Pure.

In each state one side has the lead and puts events in order; the other proposes (spec/matter.md). So the halves cannot
cross. Every step carries its number and the digest of all before it, and whoever follows judges each step again by the
same table: they cannot disagree silently.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from comity.errors import Conflict
from comity.law.procedures import Procedure, Step, Transition
from comity.proofs.canonical import canonical_bytes

Side = Literal["requesting", "requested"]
OPEN, AMEND, CLOCK = "open", "amend", "clock"
"""What begins a matter, what changes its fields before it is sent, and who lets deadlines come due."""


class Disagreement(Conflict):
    """The other half did, or says, what ours does not allow."""

    code = "matter.disagreement"
    remedy = "Look at both halves with the other side: comity request show DIR MATTER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who decides: `by` is a person's name at their node, or `clock`."""

    by: str
    role: str
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step as both halves keep it. `facts` is what it stated."""

    number: int
    event: str
    source: str
    target: str
    actor: Actor
    at: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An event that the side without the lead would have happen, seen after step `number`."""

    event: str
    actor: Actor
    facts: Mapping[str, Any]
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One half. `facts` is what all steps stated together; `problem` says what the halves disagree about, or is ""."""

    id: str
    compact: str
    requesting: str
    requested: str
    side: Side
    case_id: str
    procedure: str
    version: int
    digest: str
    state: str
    chain: str
    facts: Mapping[str, Any]
    steps: tuple[Taken, ...]
    pending: Proposal | None
    problem: str
    opened_at: datetime
    updated_at: datetime

    @property
    def number(self) -> int:
        return len(self.steps) - 1

    @property
    def peer(self) -> str:
        return self.requested if self.side == "requesting" else self.requesting

    @property
    def drafted_by(self) -> str:
        return self.steps[0].actor.by


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A half after a step, and what the table says about it (reasons, deadlines)."""

    matter: Matter
    step: Step


def lead_of(procedure: Procedure, state: str) -> str:
    return procedure.states[state].lead


def leads(procedure: Procedure, matter: Matter) -> bool:
    """Whether this half puts the next event in order."""
    return lead_of(procedure, matter.state) == matter.side


def was_sent(procedure: Procedure, matter: Matter) -> bool:
    """Whether the other side has been told of it: from the first state on that it leads."""
    states = [procedure.initial, *(one.target for one in matter.steps)]
    return any(lead_of(procedure, state) == "requested" for state in states)


def unheard(procedure: Procedure, matter: Matter) -> bool:
    """Whether nothing of it can be ours yet: the asking side led until its last step, and took every step itself."""
    before = replace(matter, steps=matter.steps[:-1])
    return not was_sent(procedure, before) and all(one.actor.side == "requesting" for one in matter.steps)


def frees(procedure: Procedure, matter: Matter, event: str) -> bool:
    """Whether `event` only ends what is held: the side that leads decides it, no gate is before it, it is over then.

    Nothing that the other side does keeps it from happening: no dispute, no flood of steps, no silence.
    """
    return any(
        one.source == matter.state and one.event == event and not one.guards
        and one.side == lead_of(procedure, one.source) and one.target in procedure.final
        and procedure.states[one.source].holds != "" and procedure.states[one.target].holds == ""
        for one in procedure.transitions
    )  # fmt: skip


def events_of(procedure: Procedure, matter: Matter) -> tuple[Transition, ...]:
    """The events that people of this half may bring about in this state, guards not yet asked."""
    return tuple(
        one for one in procedure.transitions
        if one.source == matter.state and one.side in (matter.side, "either")
    )  # fmt: skip


def _linked(chain: str, one: Taken) -> str:
    return hashlib.sha256(bytes.fromhex(chain) + canonical_bytes(step_document(one))).hexdigest()


def step_document(one: Taken) -> dict[str, Any]:
    """A step as it is stored, sent and hashed."""
    return {
        "number": one.number, "event": one.event, "from": one.source, "to": one.target, "by": one.actor.by,
        "role": one.actor.role, "side": one.actor.side, "at": one.at, "facts": dict(one.facts),
    }  # fmt: skip


def with_step(
    matter: Matter, event: str, target: str, actor: Actor, facts: Mapping[str, Any], at: datetime
) -> Matter:
    """`matter` with one more step, stamped with who decided it."""
    text = at.isoformat(timespec="microseconds")
    stamp = {"by": actor.by, "role": actor.role, "side": actor.side, "at": text}
    decided = {**matter.facts.get("decided", {}), event: stamp}
    one = Taken(
        number=len(matter.steps), event=event, source=matter.state, target=target, actor=actor, at=text,
        facts=facts,
    )  # fmt: skip
    return replace(
        matter, state=target, steps=(*matter.steps, one), chain=_linked(matter.chain, one), updated_at=at,
        facts={**matter.facts, **facts, "decided": decided},
    )  # fmt: skip


def beginning(matter: Matter) -> str:
    """The digest that the story of a matter begins with (spec/matter.md §3)."""
    about = {
        "matter": matter.id, "compact": matter.compact, "requesting": matter.requesting,
        "requested": matter.requested, "procedure": matter.procedure, "version": matter.version,
        "digest": matter.digest,
    }  # fmt: skip
    return hashlib.sha256(b"comity matter v1\n" + canonical_bytes(about)).hexdigest()
