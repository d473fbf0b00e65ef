"""The whole space of two halves: every interleaving, event and role, for each of the procedures that two nodes run.

`explore` walks it breadth first over `comity.casework.matter` itself, with messages on their way in both
directions. Two things are shown. Honest halves never disagree, and agree once everything has arrived. And for each
condition of each gate: while that one condition is never met, whatever else is, no half comes past the gate; with
the gate taken out of a copy the walk does come past it, so that the test can fail.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from comity.casework.matter import CLOCK, Actor, Matter, Proposal, Taken, leads, was_sent
from comity.casework.matter_following import followed, replayed
from comity.casework.matter_steps import accepted, opened, proposed, taken
from comity.errors import Conflict, Forbidden, InputError
from comity.law import all_procedures
from comity.law.conditions import Condition
from comity.law.procedures import Procedure, Transition, rehearse
from tests.nodes.matters import facts_for, fields_of
from tests.property.procedure_facts import put

AT = datetime(2026, 11, 21, tzinfo=UTC)
TWO_SIDED = [one for one in all_procedures() if one.sides == "two"]
SIDES = ("requesting", "requested")
MOST = 60_000
"""States of the space that one walk may visit: more is a procedure that nobody can check, and fails."""
Spoil = tuple[str, Any]
"""A fact that is stated wrongly wherever it is stated, and how."""
ONE_PERSON: Spoil = ("decided", "one-person")
Said = tuple[str, Any]


@dataclass(frozen=True)
class World:
    """Both halves, and what is on its way to each."""

    ours: Matter
    theirs: Matter | None
    facts: Mapping[str, Any]
    there: tuple[Said, ...] = ()
    back: tuple[Said, ...] = ()

    def half(self, side: str) -> Matter | None:
        return self.ours if side == "requesting" else self.theirs

    def key(self) -> Any:
        said = [
            tuple((kind, getattr(one, "event", "")) for kind, one in queue)
            for queue in (self.there, self.back)
        ]
        return (_key(self.ours), _key(self.theirs) if self.theirs else None, *said)


def _key(half: Matter) -> Any:
    """Where it stands and what waits. Not the facts: whatever people could state is stated from the start (`begun`)."""
    return half.state, half.pending.event if half.pending else ""


def begun(procedure: Procedure, spoil: Spoil | None) -> World:
    """A draft in which everything that anybody could ever state is stated already, and decided by fitting people.

    That is more than any real beginning has, so what cannot be reached from it cannot be reached.
    """
    facts = everything(procedure, spoil)
    blank = Matter(
        id="matter-00000001", compact="c", requesting="a", requested="b", side="requesting", case_id="",
        procedure=procedure.name, version=procedure.version, digest=procedure.digest, state="", chain="", facts=facts,
        steps=(), pending=None, problem="", opened_at=AT, updated_at=AT,
    )  # fmt: skip
    actor = Actor(by=who("requesting", "open", spoil), role="analyst", side="requesting")
    return World(ours=opened(procedure, blank, actor, {}, at=AT).matter, theirs=None, facts=facts)


def everything(procedure: Procedure, spoil: Spoil | None) -> dict[str, Any]:
    facts = fields_of(procedure)
    decided = {}
    for move in procedure.transitions:
        if move.side == CLOCK:
            continue
        side = "requested" if move.side == "either" else move.side
        actor = Actor(by=who(side, move.event, spoil), role=move.roles[0], side=side)  # type: ignore[arg-type] # one of both
        decided[move.event] = {"by": actor.by, "role": actor.role, "side": actor.side, "at": AT.isoformat()}
        facts |= stated(procedure, move, actor, spoil)
    facts |= {"basis": {"usable": True}, "requested_basis": {"usable": True}, "decided": decided}
    _spoil(facts, spoil)
    return facts


def _spoil(facts: dict[str, Any], spoil: Spoil | None) -> None:
    if spoil is not None and spoil != ONE_PERSON and spoil[0].split(".")[0] in facts:
        put(facts, spoil[0], spoil[1])


def who(side: str, event: str, spoil: Spoil | None) -> str:
    """A person for every event; one for all of them where it is four eyes that are to be missing."""
    return "one-person" if spoil == ONE_PERSON else f"{side}-{event}"


def after(procedure: Procedure, world: World, spoil: Spoil | None) -> Iterator[World]:
    """Every world one act further: somebody decides, the clock strikes, a message arrives."""
    for side in SIDES:
        half = world.half(side)
        if half is None:
            continue
        for move in procedure.transitions:
            if move.source == half.state:
                yield from _acts(procedure, world, half, move, spoil)
        queue = world.back if side == "requesting" else world.there
        if queue:
            yield _arrives(procedure, world, side, queue)
    if world.theirs is None and world.there:
        yield _arrives(procedure, world, "requested", world.there)


def _acts(
    procedure: Procedure, world: World, half: Matter, move: Transition, spoil: Spoil | None
) -> Iterator[World]:
    if move.side == CLOCK:
        if leads(procedure, half):
            clock = Actor(by=CLOCK, role=CLOCK, side=half.side)
            yield _told(procedure, world, half, taken(procedure, half, move.event, clock, {}, at=AT).matter)
        return
    if move.side not in (half.side, "either"):
        return
    actor = Actor(by=who(half.side, move.event, spoil), role=move.roles[0], side=half.side)
    facts = stated(procedure, move, actor, spoil)
    try:
        if leads(procedure, half):
            yield _told(
                procedure, world, half, taken(procedure, half, move.event, actor, facts, at=AT).matter
            )
        elif half.pending is None:
            waiting = proposed(procedure, half, move.event, actor, facts, at=AT)
            yield _with(world, waiting, ("proposal", waiting.pending))
    except (Conflict, Forbidden, InputError):
        return


def stated(procedure: Procedure, move: Transition, actor: Actor, spoil: Spoil | None) -> dict[str, Any]:
    """The best facts that people could state, but the one that is to stay wrong."""
    key = (procedure.name, move.source, move.event)
    if key not in _FACTS:
        _FACTS[key] = facts_for(procedure, move)
    facts = deepcopy(_FACTS[key])
    for one in conditions(procedure):
        if (
            one.value == f"decided.{move.event}.by"
            and one.op == "same_as"
            and one.fact.split(".")[0] in move.records
        ):
            put(facts, one.fact, actor.by)
    _spoil(facts, spoil)
    return facts


_FACTS: dict[tuple[str, str, str], dict[str, Any]] = {}


def conditions(procedure: Procedure) -> Iterator[Condition]:
    for guard in procedure.guards.values():
        yield from (*guard.all, *guard.any)


def wrong(one: Condition) -> Any:
    """A value that does not meet the condition."""
    if one.op == "equals":
        return not one.value if isinstance(one.value, bool) else "something else"
    return {"in": "none of them", "at_least": -1, "distinct": [], "safeguard": {}}.get(one.op, "")


def _told(procedure: Procedure, world: World, before: Matter, half: Matter) -> World:
    if not was_sent(procedure, half):
        return _with(world, half)
    first = not was_sent(procedure, before)
    return _with(world, half, ("story", half.steps) if first else ("step", half.steps[-1]))


def _with(world: World, half: Matter, *said: Said) -> World:
    if half.side == "requesting":
        return replace(world, ours=half, there=(*world.there, *said))
    return replace(world, theirs=half, back=(*world.back, *said))


def _arrives(procedure: Procedure, world: World, side: str, queue: tuple[Said, ...]) -> World:
    (kind, what), rest = queue[0], queue[1:]
    world = replace(world, back=rest) if side == "requesting" else replace(world, there=rest)
    half = world.half(side)
    if kind == "story":
        blank = replace(
            world.ours, side="requested", state="", chain="", facts=world.facts, steps=(), pending=None
        )
        return replace(world, theirs=replayed(procedure, blank, what).matter)
    assert half is not None
    if kind == "step":
        assert isinstance(what, Taken)
        return _with(world, followed(procedure, half, what).matter)
    if kind == "declined":
        return _with(
            world, replace(half, pending=None) if half.pending and half.pending.event == what else half
        )
    assert isinstance(what, Proposal)
    try:
        if not leads(procedure, half):
            raise Conflict("the lead has gone over")
        moved = accepted(procedure, half, what, at=AT).matter
    except (Conflict, Forbidden, InputError):
        return _with(world, half, ("declined", what.event))
    return _with(world, moved, ("step", moved.steps[-1]))


def explore(procedure: Procedure, spoil: Spoil | None = None) -> Iterator[World]:
    """Every world that can come about; also those seen already, as the way there may be new."""
    start = begun(procedure, spoil)
    seen, todo = {start.key()}, deque([start])
    yield start
    while todo:
        for found in after(procedure, todo.popleft(), spoil):
            yield found
            key = found.key()
            if key not in seen and _short(found):
                seen.add(key)
                todo.append(found)
        assert len(seen) < MOST


def _short(world: World) -> bool:
    """At most two messages each way at once: more of them say nothing new, as each is heard in order."""
    return len(world.there) <= 2 and len(world.back) <= 2


def happens(procedure: Procedure, spoil: Spoil, event: str) -> bool:
    """Whether `event` ever happens on either half, whatever anybody does."""
    halves = (half for world in explore(procedure, spoil) for half in (world.ours, world.theirs) if half)
    return any(half.steps[-1].event == event for half in halves)


def without(procedure: Procedure, fact: str) -> Procedure:
    """A copy that is broken on purpose: it asks for `fact` nowhere."""

    def less(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        return tuple(
            one
            for one in conditions
            if not (one.fact == fact or (fact == "decided" and one.op == "different_from"))
        )

    guards = {
        name: replace(one, all=less(one.all), any=less(one.any)) for name, one in procedure.guards.items()
    }
    return replace(procedure, guards=guards)


@pytest.mark.parametrize("procedure", TWO_SIDED, ids=lambda one: one.name)
def test_honest_halves_never_disagree_and_reach_every_end(procedure: Procedure) -> None:
    ends = set()
    for world in explore(procedure):
        if world.theirs is None:
            ends.add(world.ours.state)
        elif not (world.there or world.back):
            assert (world.ours.state, world.ours.chain) == (world.theirs.state, world.theirs.chain)
            assert world.ours.pending is None
            assert world.theirs.pending is None
            ends.add(world.ours.state)
    assert ends >= procedure.final


SOMEBODY_ELSE = "somebody-else"
SCREENED: tuple[Spoil, ...] = (
    ("screening_victim.person", SOMEBODY_ELSE), ("screening_victim.independent_of_origin", False),
    ("screening_victim.independent_of_receiver", False), ("screening_victim.presumed", True),
    ("screening_victim.by", SOMEBODY_ELSE), ("screening_protection.person", SOMEBODY_ELSE),
    ("screening_protection.independent_of_origin", False), ("screening_protection.independent_of_receiver", False),
    ("screening_protection.need", True), ("screening_protection.by", SOMEBODY_ELSE),
    ("manifest.person", SOMEBODY_ELSE), *((f"safeguards.{name}", {}) for name in ("torture", "persecution",
    "death_penalty", "corporal_penalty", "non_punishment")), ONE_PERSON,
)  # fmt: skip
GATES: Mapping[str, Mapping[str, tuple[Spoil, ...]]] = {
    "handover": {"hand_over": SCREENED},
    "extradition": {
        "surrender": (
            *SCREENED, *((f"safeguards.{name}", {}) for name in ("political_offence", "ne_bis_in_idem", "nationals",
            "fair_trial")), ("court_decision.may_surrender", False), ("court_decision.person", SOMEBODY_ELSE),
            ("decision.person", SOMEBODY_ELSE), ("dual_criminality.met", False),
        ),
        "arrest": (("requested_basis.usable", False), ("arrest.court", ""), ("arrest.person", SOMEBODY_ELSE)),
    },
    "freeze_request": {
        "place_hold": (("requested_basis.usable", False), ("hold.reference", "")),
        "return_money": (("third_parties", {}), ("holder_notice.at", ""), ("repayment.to", "")),
    },
    "asset_recovery": {
        "confiscate": (("third_parties", {}), ("confiscation.final", False)), "share": (("owners.settled", False),),
    },
    "mla": {"accept": (("requested_basis.usable", False),), "use": (("use.answers", {}),), "send": (ONE_PERSON,)},
    "police_information": {"use": (("use.answers", {}),), "send": (ONE_PERSON,)},
    "victim_referral": {"return_home": (("risk.found", True), ("return_consent.informed", False), ONE_PERSON)},
    "notice": {"publish": (("safeguards.interpol_neutrality", {}), ("examination.neutral", False), ONE_PERSON)},
    "fiu_request": {"send": (ONE_PERSON,)}, "preservation": {"preserve": (("requested_basis.usable", False),)},
    "complaint": {"implement": (("implementation.record", ""),)}, "joint_team": {"send": (ONE_PERSON,)},
}  # fmt: skip
"""What must never happen while one thing is wrong, said here a second time, by hand: event by event."""
CASES = [
    pytest.param(name, event, spoil, id=f"{name}-{event}-{spoil[0]}")
    for name, events in GATES.items() for event, spoils in events.items() for spoil in spoils
]  # fmt: skip


@pytest.mark.parametrize(("name", "event", "spoil"), CASES)
def test_no_way_around_a_gate_and_a_broken_copy_has_one(name: str, event: str, spoil: Spoil) -> None:
    table = next(one for one in TWO_SIDED if one.name == name)
    assert not happens(table, spoil, event)
    assert happens(without(table, spoil[0]), spoil, event)


@pytest.mark.parametrize("procedure", TWO_SIDED, ids=lambda one: one.name)
def test_every_condition_of_every_guard_keeps_its_events_shut(procedure: Procedure) -> None:
    """On one table at a time: who follows judges by the same one."""
    checked = 0
    for name, guard in procedure.guards.items():
        behind = [move for move in procedure.transitions if name in move.guards]
        for one in guard.all:
            if one.op in ("complete", "declared_refusal") or one.fact.startswith("decided."):
                continue
            facts = everything(procedure, None)
            put(facts, one.fact, wrong(one))
            for move in behind:
                with pytest.raises(Forbidden):
                    rehearse(procedure, move.source, move.event, facts)
                checked += 1
    assert checked
