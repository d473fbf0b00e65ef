"""Drive a matter from both ends: facts that open each gate, and a shortest way to a state or an event."""

from collections import deque
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from comity.casework.matter import Matter
from comity.law import all_procedures
from comity.law.procedures import Procedure, Transition
from comity.model import Person, Role, human_of
from comity.node.matters import decide, open_matter
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.property.procedure_facts import opening_facts, put


def fields_of(procedure: Procedure) -> dict[str, Any]:
    """Every field filled, so that whatever later gates compare with them fits."""
    tops = {one.name.split(".")[0] for one in procedure.fields}
    found: dict[str, Any] = {}
    for one in procedure.fields:
        put(found, one.name, f"{one.name} as stated")
    for move in procedure.transitions:
        for name, value in opening_facts(procedure, move).items():
            if name in tops and value != {"x": "y"}:
                found[name] = (
                    {**found[name], **value}
                    if isinstance(found[name], dict) and isinstance(value, dict)
                    else value
                )
    return {**found, **({"offence": "fraud"} if "offence" in tops else {})}


def facts_for(procedure: Procedure, move: Transition) -> dict[str, Any]:
    """What the people who decide `move` state, so that its gates open, and as far as may be later ones."""
    found: dict[str, Any] = {}
    for one in reversed([move, *procedure.transitions]):
        for name, value in opening_facts(procedure, one).items():
            if name in move.records:
                both = isinstance(value, dict) and isinstance(found.get(name), dict)
                found[name] = {**found[name], **value} if both else value
    return {**{name: {"text": "stated"} for name in move.records}, **found}


Stage = tuple[Transition, dict[str, Any]]


@cache
def way_to(name: str, target: str, source: str = "") -> tuple[Stage, ...]:
    """Decisions of people, with what each states, that lead a matter into the state `target`.

    With `source`: until the event `target` has happened there. A shortest way, with detours for what its gates ask.
    """
    procedure = named(name)
    way = _shortest(procedure, procedure.initial, source or target)
    if source:
        way = [
            *way,
            next(one for one in procedure.transitions if (one.source, one.event) == (source, target)),
        ]
    for _ in range(20):
        missing = _first_missing(procedure, way)
        if missing is None:
            return tuple((move, _stated(procedure, way, index)) for index, move in enumerate(way))
        way = _detour(procedure, way, *missing)
    raise AssertionError(f"no way to {target} of {name}")


def named(name: str) -> Procedure:
    return next(one for one in all_procedures() if one.name == name)


def _shortest(procedure: Procedure, start: str, end: str) -> list[Transition]:
    ways: dict[str, list[Transition]] = {start: []}
    todo = deque([start])
    while todo and end not in ways:
        state = todo.popleft()
        for move in procedure.transitions:
            if move.source == state and move.side != "clock" and move.target not in ways:
                ways[move.target] = [*ways[state], move]
                todo.append(move.target)
    return ways[end]


def _first_missing(procedure: Procedure, way: list[Transition]) -> tuple[int, str] | None:
    """The first step whose gates ask for what nobody has stated, or decided, by then."""
    known = {"basis", "requested_basis", *(one.name.split(".")[0] for one in procedure.fields)}
    for index, move in enumerate(way):
        known |= {*move.records, f"decided.{move.event}"}
        for name in move.guards:
            guard = procedure.guards[name]
            for one in (*guard.all, *guard.any[:1]):
                asked = [one.fact, *([one.value] if one.op in ("same_as", "different_from") else [])]
                for path in asked:
                    parts = path.split(".")
                    needed = ".".join(parts[:2]) if parts[0] == "decided" else parts[0]
                    if needed and needed not in known:
                        return index, needed
    return None


def _detour(procedure: Procedure, way: list[Transition], index: int, needed: str) -> list[Transition]:
    """The same way, through a decision that states what is needed, before the step that asks for it."""
    for move in procedure.transitions:
        if move.side == "clock" or not (needed in move.records or needed == f"decided.{move.event}"):
            continue
        for back in range(index, -1, -1):
            try:
                there = _shortest(procedure, way[back].source, move.source)
                return [
                    *way[:back],
                    *there,
                    move,
                    *_shortest(procedure, move.target, way[index].source),
                    *way[index:],
                ]
            except KeyError:
                continue
    raise AssertionError(f"{procedure.name}: nobody can state {needed}")


def _stated(procedure: Procedure, way: list[Transition], index: int) -> dict[str, Any]:
    """What is stated at a step: as the later steps want it, until it is stated anew."""
    move, found = way[index], {name: {"text": "stated"} for name in way[index].records}
    asked: dict[str, Any] = {}
    for later in reversed(way[index:]):
        for name, value in opening_facts(procedure, later).items():
            both = isinstance(value, dict) and isinstance(asked.get(name), dict)
            asked[name] = {**asked[name], **value} if both else value
    facts = {**found, **{name: asked[name] for name in move.records if name in asked}}
    _sign(procedure, move, facts, _name(move))
    return facts


def _name(move: Transition) -> str:
    return f"{'requesting' if move.side == 'either' else move.side}-{move.event}"


def by(move: Transition, side: str = "", number: int = 0) -> Person:
    """Somebody who may decide it: another person for every event, so that four eyes see it."""
    return Person(id=_name(move), role=Role(move.roles[0]))


def sides(move: Transition) -> Iterator[str]:
    yield from ("requesting", "requested") if move.side == "either" else (move.side,)


def _sign(procedure: Procedure, move: Transition, facts: dict[str, Any], human: str) -> None:
    """Where a gate asks that somebody says who decided, they say so."""
    for guard in procedure.guards.values():
        for one in (*guard.all, *guard.any):
            if (
                one.value == f"decided.{move.event}.by"
                and one.op == "same_as"
                and one.fact.split(".")[0] in facts
            ):
                put(facts, one.fact, human)


class Ends:
    """One matter, and the two nodes at its ends."""

    def __init__(
        self, town: Town, procedure: Procedure, *, asked: str = HK, fields: Mapping[str, Any] | None = None
    ) -> None:
        self.town, self.procedure, self.asked, self.count = town, procedure, asked, 0
        opener = next(
            Role(move.roles[0])
            for move in procedure.transitions
            if move.source == procedure.initial and move.roles
        )
        self.id = open_matter(
            town[CA], procedure_name=procedure.name, peer=asked, person=Person(id="p0-requesting", role=opener),
            fields=fields_of(procedure) if fields is None else fields,
        ).id  # fmt: skip

    def node(self, side: str) -> Any:
        return self.town[CA if side == "requesting" else self.asked]

    def half(self, side: str) -> Matter | None:
        with self.node(side).records.reading() as tx:
            found: Matter | None = tx.matters.find(self.id)
            return found

    def take(
        self,
        move: Transition,
        facts: Mapping[str, Any] | None = None,
        *,
        person: Person | None = None,
    ) -> None:
        """Let it happen, from the side that may decide it, and let everything arrive."""
        self.count += 1
        side = next(sides(move))
        decider = person or by(move, side, self.count)
        given = facts_for(self.procedure, move) if facts is None else dict(facts)
        if facts is None:
            _sign(self.procedure, move, given, human_of(decider))
        decide(self.node(side), self.id, move.event, given, person=decider)
        self.town.settle()

    def go(self, state: str) -> None:
        for move, facts in way_to(self.procedure.name, state):
            self.take(move, facts)

    def go_on(self, state: str) -> None:
        """From where it stands, by one event."""
        here = self.half("requesting")
        assert here is not None
        self.take(
            next(
                one
                for one in self.procedure.transitions
                if (one.source, one.target) == (here.state, state) and one.roles
            )
        )

    def agree(self) -> str:
        """The state on which both halves agree, to the digest."""
        ours, theirs = self.half("requesting"), self.half("requested")
        assert ours is not None
        if theirs is None:
            return ours.state
        assert not ours.problem
        assert not theirs.problem
        assert (ours.state, ours.chain, ours.number) == (theirs.state, theirs.chain, theirs.number)
        assert ours.pending is None
        assert theirs.pending is None
        return ours.state
