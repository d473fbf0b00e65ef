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

from comity.errors import Conflict, Forbidden, InputError
from comity.law.procedures import Procedure, Step, Transition, begin, step
from comity.proofs.canonical import canonical_bytes

Side = Literal["requesting", "requested"]
OPEN, AMEND, CLOCK = "open", "amend", "clock"
"""What begins a matter, what changes its fields before it is sent, and who lets deadlines come due."""
MAX_FACTS = 64 * 1024
"""Bytes of canonical JSON that one step may state."""
MAX_STEPS = 1_000
MAX_STORY = 8 * 1024 * 1024
"""Bytes that all steps may state together before people add another: the whole story fits into one message."""
_READINGS: Mapping[str, Side] = {"basis": "requesting", "requested_basis": "requested"}
"""What a node states by itself, of its own register: nobody types it, and no node states the other's."""


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


def opened(
    procedure: Procedure, matter: Matter, actor: Actor, facts: Mapping[str, Any], *, at: datetime
) -> Moved:
    """Begin: `matter` has no steps yet. `facts` are the fields, as far as they are known."""
    if procedure.sides != "two":
        raise InputError.because(expected="a procedure that two nodes run together", got=procedure.name)
    if actor.side != "requesting" or matter.steps:
        raise Disagreement.because(expected="a matter that the requesting side opens, once", got=actor.side)
    _refuse_facts(facts, _fields(procedure) | {"basis"}, OPEN)
    matter = replace(matter, chain=_beginning(matter), state="")
    entered = begin(procedure, facts)
    return Moved(matter=_with(matter, OPEN, entered.state, actor, facts, at), step=entered)


def amended(
    procedure: Procedure, matter: Matter, actor: Actor, facts: Mapping[str, Any], *, at: datetime
) -> Moved:
    """Other fields, while the requesting side still has it: nobody else has seen it yet."""
    if actor.side != "requesting" or was_sent(procedure, matter):
        raise Conflict.because(expected="a matter that was not sent yet", got=f"{matter.id}, {matter.state}")
    _refuse_many(matter, actor, AMEND)
    _refuse_facts(facts, _fields(procedure) | {"basis"}, AMEND)
    stays = Step(state=matter.state, reasons=("other fields",), deadlines_set=(), deadlines_cleared=())
    return Moved(matter=_with(matter, AMEND, matter.state, actor, facts, at), step=stays)


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
    done = step(procedure, matter.state, event, _with(matter, event, move.target, actor, facts, at).facts)
    return Moved(matter=_with(matter, event, done.state, actor, facts, at), step=done)


def followed(procedure: Procedure, matter: Matter, one: Taken) -> Moved:
    """Take over a step of the side that leads, judged again by our own table. `Disagreement` if it cannot be."""
    lead = lead_of(procedure, matter.state)
    if lead == matter.side:
        raise Disagreement.because(expected=f"steps of ours in {matter.state}, which we lead", got=one.event)
    if one.actor.side == matter.side and not _is_ours(matter.pending, one):
        raise Disagreement.because(
            expected=f"no step in our name but what we proposed ({_word(matter.pending)})", got=one.event
        )
    if one.actor.role != CLOCK:
        _refuse_full((*matter.steps, one))
    moved = _judged(procedure, matter, one)
    pending = None if matter.pending and one.actor.side == matter.side else matter.pending
    return Moved(matter=replace(moved.matter, pending=pending), step=moved.step)


def replayed(procedure: Procedure, blank: Matter, steps: tuple[Taken, ...]) -> Moved:
    """The half that follows from the other side's whole story, every step judged again."""
    if not steps or steps[0].event != OPEN:
        raise Disagreement.because(expected=f"steps, the first {OPEN}", got=str(len(steps)))
    _refuse_full(steps)
    moved = _judged(procedure, blank, steps[0])
    for one in steps[1:]:
        moved = _judged(procedure, moved.matter, one)
    return moved


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


def _judged(procedure: Procedure, matter: Matter, one: Taken) -> Moved:
    """Judge the other side's step as if it were made here: it must come out the same, to the letter."""
    _refuse_clock_again(matter, one)
    try:
        at = datetime.fromisoformat(one.at)
        if one.event == OPEN:
            moved = opened(procedure, matter, one.actor, one.facts, at=at)
        elif one.event == AMEND:
            moved = amended(procedure, matter, one.actor, one.facts, at=at)
        else:
            moved = taken(procedure, matter, one.event, one.actor, one.facts, at=at)
    except Disagreement:
        raise
    except (Conflict, Forbidden, InputError) as error:
        raise Disagreement(f"the other side did what our half does not allow: {error}") from error
    ours = step_document(moved.matter.steps[-1])
    if ours != step_document(one):
        raise Disagreement.because(
            expected=f"step {ours['number']} from {ours['from']} to {ours['to']} at {ours['at']}",
            got=f"step {one.number} from {one.source} to {one.target} at {one.at}",
        )
    return moved


def refuse_longer(matter: Matter, facts: Mapping[str, Any]) -> None:
    """People state no more once the story is as long as a message can tell. The clock is never refused."""
    if _length(matter.steps) + len(canonical_bytes(facts)) > MAX_STORY:
        raise Conflict.because(
            expected=f"at most {MAX_STORY} bytes of facts in a matter", got="more",
            remedy="Send long documents as attachments, and name their digest.",
        )  # fmt: skip


def _refuse_full(steps: tuple[Taken, ...]) -> None:
    if (length := _length(steps)) > MAX_STORY + MAX_FACTS:  # the last may be the clock's
        raise Disagreement.because(
            expected=f"at most {MAX_STORY} bytes of facts in a matter", got=str(length)
        )


def _length(steps: tuple[Taken, ...]) -> int:
    return sum(len(canonical_bytes(one.facts)) for one in steps)


def _refuse_many(matter: Matter, actor: Actor, event: str) -> None:
    if actor.role != CLOCK and matter.number >= MAX_STEPS:
        raise Conflict.because(expected=f"at most {MAX_STEPS} steps of people in a matter", got=event)


def _refuse_clock_again(matter: Matter, one: Taken) -> None:
    """A deadline comes due once in a state: people decide something before the clock does the same there again."""
    if one.actor.role != CLOCK:
        return
    for earlier in reversed(matter.steps):
        if earlier.actor.role != CLOCK:
            return
        if (earlier.event, earlier.source) == (one.event, one.source):
            raise Disagreement.because(
                expected=f"one {one.event} of the clock in {one.source}", got="another"
            )


def _is_ours(pending: Proposal | None, one: Taken) -> bool:
    """What our people proposed, and after the very step after which they did: nothing happened in between."""
    if pending is None or pending.event != one.event or pending.actor != one.actor:
        return False
    if one.number != pending.number + 1:
        return False
    return canonical_bytes(pending.facts) == canonical_bytes(one.facts)


def _word(pending: Proposal | None) -> str:
    return pending.event if pending else "nothing"


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


def refuse_readings(facts: Mapping[str, Any]) -> None:
    """What a node reads in its own register no person and no program states for it."""
    if typed := sorted(set(facts) & set(_READINGS)):
        raise InputError.because(
            expected="a legal basis to state only what people may say; the node reads its register itself",
            got=", ".join(typed), remedy="Name the instrument in the field of that name.",
        )  # fmt: skip


def _own_readings(side: str, lead: str) -> set[str]:
    """What the node that leads adds of its own register, to steps of its own people and its clock."""
    return {name for name, owner in _READINGS.items() if owner == side == lead}


def _fields(procedure: Procedure) -> set[str]:
    return {one.name.split(".", maxsplit=1)[0] for one in procedure.fields}


def _with(
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


def _beginning(matter: Matter) -> str:
    about = {
        "matter": matter.id, "compact": matter.compact, "requesting": matter.requesting,
        "requested": matter.requested, "procedure": matter.procedure, "version": matter.version,
        "digest": matter.digest,
    }  # fmt: skip
    return hashlib.sha256(b"comity matter v1\n" + canonical_bytes(about)).hexdigest()


def _linked(chain: str, one: Taken) -> str:
    return hashlib.sha256(bytes.fromhex(chain) + canonical_bytes(step_document(one))).hexdigest()


def step_document(one: Taken) -> dict[str, Any]:
    """A step as it is stored, sent and hashed."""
    return {
        "number": one.number, "event": one.event, "from": one.source, "to": one.target, "by": one.actor.by,
        "role": one.actor.role, "side": one.actor.side, "at": one.at, "facts": dict(one.facts),
    }  # fmt: skip
