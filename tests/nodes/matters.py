"""Drive a matter from both ends over real nodes: facts that open each gate, and somebody else for each decision."""

from collections.abc import Iterator, Mapping
from typing import Any

from comity.casework.matter import Matter
from comity.law import all_procedures
from comity.law.procedures import Procedure, Transition
from comity.model import Person, Role, human_of
from comity.node.matters import decide, open_matter
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.nodes.ways import facts_at, way_to
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
    known = {"offence": "fraud", "urgent": False}
    return {**found, **{name: value for name, value in known.items() if name in tops}}


def facts_for(procedure: Procedure, move: Transition) -> dict[str, Any]:
    """What the people who decide `move` state, so that its gates open, and as far as may be later ones."""
    found: dict[str, Any] = {}
    for one in reversed([move, *procedure.transitions]):
        for name, value in opening_facts(procedure, one).items():
            if name in move.records:
                both = isinstance(value, dict) and isinstance(found.get(name), dict)
                found[name] = {**found[name], **value} if both else value
    return {**{name: {"text": "stated"} for name in move.records}, **found}


def named(name: str) -> Procedure:
    return next(one for one in all_procedures() if one.name == name)


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
        """From the beginning, by the fewest decisions of people that its gates allow."""
        way = way_to(self.procedure, state)
        for index, move in enumerate(way):
            half = self.half("requesting")
            known = dict(half.facts) if half else {}
            self.take(move, facts_at(self.procedure, way, index, name=human_of(by(move)), known=known))

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
