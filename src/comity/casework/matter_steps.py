"""Let an event happen to our half of a matter, or propose it to the side that leads (spec/matter.md §2). Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from comity.casework.matter import (
    AMEND,
    CLOCK,
    OPEN,
    Actor,
    Disagreement,
    Matter,
    Moved,
    Proposal,
    Side,
    Taken,
    beginning,
    frees,
    lead_of,
    was_sent,
    with_step,
)
from comity.errors import Conflict, Forbidden, InputError
from comity.law.procedures import Procedure, Step, Transition, begin, step
from comity.proofs.canonical import canonical_bytes

MAX_FACTS = 64 * 1024
"""Bytes of canonical JSON that one step may state."""
MAX_STEPS = 1_000
MAX_STORY = 8 * 1024 * 1024
"""Bytes that all steps may state together before people add another: the whole story fits into one message."""
_READINGS: Mapping[str, Side] = {"basis": "requesting", "requested_basis": "requested"}
"""What a node states by itself, of its own register: nobody types it, and no node states the other's."""


def opened(
    procedure: Procedure, matter: Matter, actor: Actor, facts: Mapping[str, Any], *, at: datetime
) -> Moved:
    """Begin: `matter` has no steps yet. `facts` are the fields, as far as they are known."""
    if procedure.sides != "two":
        raise InputError.because(expected="a procedure that two nodes run together", got=procedure.name)
    if actor.side != "requesting" or matter.steps:
        raise Disagreement.because(expected="a matter that the requesting side opens, once", got=actor.side)
    _refuse_facts(facts, _fields(procedure) | {"basis"}, OPEN)
    _refuse_undecided(procedure, facts)
    matter = replace(matter, chain=beginning(matter), state="")
    entered = begin(procedure, facts)
    return Moved(matter=with_step(matter, OPEN, entered.state, actor, facts, at), step=entered)


def amended(
    procedure: Procedure, matter: Matter, actor: Actor, facts: Mapping[str, Any], *, at: datetime
) -> Moved:
    """Other fields, while the requesting side still has it: nobody else has seen it yet."""
    if actor.side != "requesting" or was_sent(procedure, matter):
        raise Conflict.because(expected="a matter that was not sent yet", got=f"{matter.id}, {matter.state}")
    _refuse_many(matter, actor, AMEND)
    _refuse_facts(facts, _fields(procedure) | {"basis"}, AMEND)
    _refuse_undecided(procedure, facts)
    stays = Step(state=matter.state, reasons=("other fields",), deadlines_set=(), deadlines_cleared=())
    return Moved(matter=with_step(matter, AMEND, matter.state, actor, facts, at), step=stays)


def taken(
    procedure: Procedure, matter: Matter, event: str, actor: Actor, facts: Mapping[str, Any], *, at: datetime
) -> Moved:
    """Let `event` happen, as the side that leads. `Conflict`, `Forbidden` or `InputError` if it may not."""
    if actor.role == CLOCK and actor.side != lead_of(procedure, matter.state):
        raise Disagreement.because(expected="the clock of the side that leads", got=actor.side)
    if not frees(procedure, matter, event):
        _refuse_many(matter, actor, event)
    move = _transition(procedure, matter, event)
    _refuse_actor(procedure, move, actor)
    _refuse_facts(facts, {*move.records, *_own_readings(actor.side, lead_of(procedure, matter.state))}, event)
    kept = {name: value for name, value in matter.facts.items() if name not in move.records}
    matter = replace(
        matter, facts=kept
    )  # what it states it states anew: nothing that somebody said before opens it
    done = step(procedure, matter.state, event, with_step(matter, event, move.target, actor, facts, at).facts)
    return Moved(matter=with_step(matter, event, done.state, actor, facts, at), step=done)


def proposed(
    procedure: Procedure, matter: Matter, event: str, actor: Actor, facts: Mapping[str, Any], *, at: datetime
) -> Matter:
    """Ask the side that leads for `event`; it must be possible on our own half already."""
    if matter.pending is not None:
        raise Conflict.because(
            expected="one proposal at a time",
            got=f"{event}, while {matter.pending.event} waits for the other side",
        )
    refuse_longer(matter, facts)
    taken(procedure, matter, event, actor, facts, at=at)
    return replace(
        matter, pending=Proposal(event=event, actor=actor, facts=facts, number=matter.number), updated_at=at
    )


def accepted(procedure: Procedure, matter: Matter, one: Proposal, *, at: datetime) -> Moved:
    """What the side without the lead proposed happens; the same errors as `taken`, and `Conflict` if it saw less."""
    if one.actor.side == matter.side or one.actor.role == CLOCK:
        raise Disagreement.because(expected="a proposal of the other side's people", got=one.actor.side)
    if one.number != matter.number:
        raise Conflict.because(
            expected=f"a proposal made after step {matter.number}", got=f"after step {one.number}",
            remedy="Something else happened first: look again, and propose it again if it is still wanted.",
        )  # fmt: skip
    refuse_longer(matter, one.facts)
    return taken(procedure, matter, one.event, one.actor, one.facts, at=at)


def refuse_readings(facts: Mapping[str, Any]) -> None:
    """What a node reads in its own register no person and no program states for it."""
    if typed := sorted(set(facts) & set(_READINGS)):
        raise InputError.because(
            expected="a legal basis to state only what people may say; the node reads its register itself",
            got=", ".join(typed), remedy="Name the instrument in the field of that name.",
        )  # fmt: skip


def refuse_longer(matter: Matter, facts: Mapping[str, Any]) -> None:
    """People state no more once the story is as long as a message can tell. The clock is never refused."""
    if story_length(matter.steps) + len(canonical_bytes(facts)) > MAX_STORY:
        raise Conflict.because(
            expected=f"at most {MAX_STORY} bytes of facts in a matter", got="more",
            remedy="Send long documents as attachments, and name their digest.",
        )  # fmt: skip


def _own_readings(side: str, lead: str) -> set[str]:
    """What the node that leads adds of its own register, to steps of its own people and its clock."""
    return {name for name, owner in _READINGS.items() if owner == side == lead}


def _refuse_many(matter: Matter, actor: Actor, event: str) -> None:
    if actor.role != CLOCK and matter.number >= MAX_STEPS:
        raise Conflict.because(expected=f"at most {MAX_STEPS} steps of people in a matter", got=event)


def _transition(procedure: Procedure, matter: Matter, event: str) -> Transition:
    for one in procedure.transitions:
        if one.source == matter.state and one.event == event:
            return one
    known = ", ".join(procedure.allowed(matter.state)) or "no event: it is final"
    raise Conflict.because(
        expected=f"in state {matter.state} one of [{known}]", got=event, where=matter.id,
        remedy=f"What leads to {event}: comity procedure show {procedure.name}; what you may decide now: "
        "comity request show DIR MATTER --as NAME.",
    )  # fmt: skip


def _refuse_actor(procedure: Procedure, move: Transition, actor: Actor) -> None:
    if move.side == CLOCK or actor.role == CLOCK:
        events = {rule.event for rule in procedure.deadlines}
        if actor.role != CLOCK or move.event not in events:
            raise Forbidden(
                f"{procedure.name}: expected {move.who} for {move.event}, got {actor.role} ({actor.side})",
                remedy="Only a deadline that has run out brings this about, and nothing else is the clock's.",
            )
        return
    if move.side not in (actor.side, "either"):
        raise Forbidden(
            f"{procedure.name}: expected the {move.side} side for {move.event}, got the {actor.side} side",
            remedy="Ask the other side; what it decides arrives here by itself.",
        )
    if actor.role not in move.roles:
        raise Forbidden(
            f"{procedure.name}: expected {' or '.join(move.roles)} for {move.event}, got {actor.role}",
            remedy="Have somebody with one of these roles decide it.",
        )


def _refuse_facts(facts: Mapping[str, Any], known: set[str], event: str) -> None:
    if odd := sorted(set(facts) - known):
        raise InputError.because(
            expected=f"{event} to state only [{', '.join(sorted(known))}]", got=", ".join(odd)[:200],
            remedy="See what each event states: comity procedure show NAME",
        )  # fmt: skip
    if len(canonical_bytes(facts)) > MAX_FACTS:
        raise InputError.because(
            expected=f"at most {MAX_FACTS} bytes of facts in a step", got=event,
            remedy="Send long documents as attachments, and name their digest.",
        )  # fmt: skip


def _refuse_undecided(procedure: Procedure, facts: Mapping[str, Any]) -> None:
    """A field by which terms are chosen is true or false: "yes" as text would choose none, and nobody would see it."""
    choices = {
        test.fact for rule in procedure.deadlines for test in rule.when if isinstance(test.value, bool)
    }
    for name in sorted(choices & set(facts)):
        if not isinstance(facts[name], bool):
            raise InputError.because(
                expected=f"{name}: true or false", got=repr(facts[name])[:40],
                remedy="The terms of the procedure depend on it: comity procedure show NAME",
            )  # fmt: skip


def _fields(procedure: Procedure) -> set[str]:
    return {one.name.split(".", maxsplit=1)[0] for one in procedure.fields}


def story_length(steps: tuple[Taken, ...]) -> int:
    return sum(len(canonical_bytes(one.facts)) for one in steps)
