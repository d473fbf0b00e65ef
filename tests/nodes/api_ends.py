"""Drive matters from both ends as programs outside do: over the API of each node, with the tokens of its people."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from comity.casework.matter import Matter
from comity.law.procedures import Procedure, Transition
from comity.model import Role
from tests.nodes.programs import Office, api_of
from tests.nodes.story import CA, TH
from tests.nodes.town import Town
from tests.nodes.ways import facts_at, fields_for

SIDES = ("requesting", "requested")


@contextmanager
def offices(town: Town) -> Iterator["Ends"]:
    with api_of(town[CA]) as ours, api_of(town[TH]) as theirs:
        yield Ends(town, {"requesting": Office(town[CA], ours), "requested": Office(town[TH], theirs)})


@dataclass(slots=True)
class Ends:
    """Both nodes of a town, each with its API and its people."""

    town: Town
    offices: Mapping[str, Office]
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def open(self, procedure: Procedure, way: Sequence[Transition]) -> str:
        """A draft in Canada for Thailand, with the fields that the way needs; its id."""
        fields = fields_for(procedure, way)
        body = {"procedure": procedure.name, "peer": TH, "fields": fields}
        role = way[0].roles[0]
        answer = self.offices["requesting"].post("/matters", body, Role(role), f"p0-{role}-requesting")
        assert answer.status_code == 201, answer.text
        matter = str(answer.json()["matter"]["id"])
        self._known[matter] = deepcopy(fields)
        return matter

    def say(
        self, matter: str, procedure: Procedure, way: Sequence[Transition], index: int, **facts: Any
    ) -> Any:
        """Let the event at `index` of the way happen, from the side that may decide it; the answer.

        Somebody of the role does it, for each step another person.
        """
        move = way[index]
        side = "requesting" if move.side == "either" else move.side
        name = f"p{index}-{move.roles[0]}-{side}"
        given = {**facts_at(procedure, way, index, name=name, known=self._known[matter]), **facts}
        self._known[matter] |= given
        body = {"event": move.event, "facts": given}
        return self.offices[side].post(f"/matters/{matter}/events", body, Role(move.roles[0]), name)

    def go(self, matters: Mapping[str, Sequence[Transition]], procedure: Procedure) -> None:
        """Take every matter its way, in step, so that all that is said travels together."""
        for index in range(max(map(len, matters.values()))):
            for matter, way in matters.items():
                if index < len(way):
                    answer = self.say(matter, procedure, way, index)
                    assert answer.status_code == 200, f"{procedure.name} {way[index].event}: {answer.text}"
            self.town.settle()

    def known(self, matter: str) -> dict[str, Any]:
        """The facts of the requested half, or of ours before it was sent."""
        return dict(self.both(matter)[-1].facts)

    def both(self, matter: str) -> list[Matter]:
        """The halves as the nodes keep them: what no API says more kindly."""
        found = []
        for office in self.offices.values():
            with office.node.records.reading() as tx:
                found.append(tx.matters.find(matter))
        return [one for one in found if one is not None]

    def half(self, matter: str) -> Matter:
        """The one that was last changed."""
        return max(self.both(matter), key=lambda one: one.number)

    def halves(self, matter: str, role: Role) -> tuple[dict[str, Any], ...]:
        """What each end answers about it, where it has it."""
        answers = [
            self.offices[side].get(f"/matters/{matter}", role, f"p0-{role.value}-{side}") for side in SIDES
        ]
        return tuple(one.json() for one in answers if one.status_code == 200)

    def agree(self, matter: str, role: Role) -> str:
        """The state that both ends tell, after checking that they tell the same of every step."""
        ours, theirs = self.halves(matter, role)
        for one in (ours, theirs):
            assert not one["matter"]["problem"]
            assert not one["pending"]
        assert ours["matter"]["state"] == theirs["matter"]["state"]
        assert (ours["chain"], ours["steps"]) == (theirs["chain"], theirs["steps"])
        return str(ours["matter"]["state"])


def reader_of(way: Sequence[Transition]) -> Role:
    """A role that decides in it, and so reads it."""
    return Role(way[1].roles[0])
