"""Nobody is handed over or surrendered without the screenings and the assurance, whatever programs call: at random, at
both ends, in every role, with facts that are right, wrong, of somebody else, or none. `COMITY_WALK=5000` walks longer.
"""

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from comity.law import procedure, safeguards
from comity.law.procedures import Procedure, Transition
from comity.model import Role
from tests.nodes.api_ends import SIDES, Ends, offices
from tests.nodes.town import Town
from tests.nodes.ways import facts_at, way_to

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
CALLS, MATTERS = int(os.environ.get("COMITY_WALK", "150")), 6
ROLES = [role for role in Role if role not in (Role.ADMINISTRATOR, Role.TRAINING)]
PERSONS = {"handover": ("handed_over", "monitored"), "extradition": ("surrendered", "monitored")}
"""The states in which somebody has left."""
LACKING = ("screening_victim", "screening_protection", "safeguards")
SEED = 20261121


@pytest.fixture(scope="module")
def ends(town_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    town = Town.copied(town_template, tmp_path_factory.mktemp("walk"))
    with offices(town) as found:
        yield found
    town.close()


class Walk:
    """Random calls about some matters of one procedure. Each matter lacks one thing that nobody ever states rightly."""

    def __init__(self, ends: Ends, one: Procedure, *, lacking: Sequence[str], astray: float) -> None:
        """`astray`: how often a call is not the next one on the way there."""
        self.ends, self.one, self.dice, self.lacking = ends, one, random.Random(SEED), lacking
        self.astray = astray
        self.way = way_to(one, PERSONS[one.name][0])
        self.calls = self.taken = 0
        self.said = ""
        self.matters = {
            ends.open(one, self.way): self.lacking[number % len(self.lacking)] for number in range(MATTERS)
        }

    def go(self, calls: int) -> None:
        for _ in range(calls):
            self.call(self.dice.choice(list(self.matters)))
            if self.calls % 40 == 0:
                self.ends.town.settle()
        self.ends.town.settle()

    def call(self, matter: str) -> None:
        """Mostly an event that the state knows; any event, role, side and facts otherwise."""
        side = self.dice.choice(SIDES)
        known = [one for one in self.one.transitions if one.source == self.state(matter)]
        if not known or self.dice.random() < self.astray / 3:
            known = list(self.one.transitions)
        onward = [one for one in known if one in self.way]
        move = self.dice.choice(onward if onward and self.dice.random() >= self.astray / 2 else known)
        right = self.dice.random() >= self.astray
        if right and move.side in SIDES:
            side = move.side
        role = Role(move.roles[0]) if right and move.roles else self.dice.choice(ROLES)
        name = f"w{self.dice.randrange(3)}-{role.value}-{side}"
        body = {"event": move.event, "facts": self.facts(matter, move, name)}
        answer = self.ends.offices[side].post(f"/matters/{matter}/events", body, role, name)
        assert answer.status_code in (200, 403, 404, 409, 422), answer.text
        self.said = answer.text
        self.calls += 1
        self.taken += answer.status_code == 200

    def facts(self, matter: str, move: Transition, name: str) -> dict[str, Any]:
        """As they should be, but for what this matter lacks, which is left out or made wrong; and sometimes rubbish."""
        way = [move, *self.way[self.way.index(move) + 1 :]] if move in self.way else [move]
        known = self.ends.known(matter)
        given = facts_at(self.one, way, 0, name=name, known=known)
        lacking = self.matters[matter]
        if lacking in given:
            spoil = self.dice.choice([leave_out, somebody_else, not_independent, unknown])
            given = spoil(given, lacking)
        if self.dice.random() < self.astray / 3:
            given[self.dice.choice(["decided", "requested_basis", "state", *LACKING])] = {"by": name}
        return given

    def state(self, matter: str) -> str:
        return self.ends.half(matter).state

    def gone(self) -> list[str]:
        """The matters in which somebody has left, at either end, at any time."""
        return [
            one
            for one in self.matters
            for half in self.ends.both(one)
            if {step.target for step in half.steps} & set(PERSONS[self.one.name])
        ]


def leave_out(given: dict[str, Any], lacking: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != lacking}


def somebody_else(given: dict[str, Any], lacking: str) -> dict[str, Any]:
    return {**given, lacking: {**given[lacking], "person": "another person", **unclear(given[lacking])}}


def not_independent(given: dict[str, Any], lacking: str) -> dict[str, Any]:
    wrong = {"independent_of_origin": False, "independent_of_receiver": False}
    return {**given, lacking: {**given[lacking], **wrong, **unclear(given[lacking])}}


def unknown(given: dict[str, Any], lacking: str) -> dict[str, Any]:
    return {**given, lacking: dict.fromkeys(given[lacking], "unknown")}


def unclear(stated: dict[str, Any]) -> dict[str, Any]:
    """The same answers to safeguards, all unknown: for matters that lack the assurance."""
    return {
        name: dict.fromkeys(value, "unknown") for name, value in stated.items() if name in safeguards.tables()
    }


@pytest.mark.parametrize("name", sorted(PERSONS))
def test_no_sequence_of_calls_hands_anybody_over(ends: Ends, name: str) -> None:
    walk = Walk(ends, procedure(name), lacking=LACKING, astray=0.3)
    walk.go(CALLS)
    assert walk.calls == CALLS
    assert walk.taken > CALLS / 20, "the walk gets nowhere: it would find nothing"
    assert walk.gone() == []


@pytest.mark.parametrize("name", sorted(PERSONS))
def test_with_nothing_lacking_the_same_walk_does(ends: Ends, name: str) -> None:
    """Or the walk above would prove nothing: what its matters lack is what keeps it."""
    walk = Walk(ends, procedure(name), lacking=[""], astray=0.0)
    walk.matters = dict(list(walk.matters.items())[:1])
    for _ in range(8 * len(walk.way)):
        walk.go(1)
        if walk.gone():
            return
    raise AssertionError(f"{walk.state(next(iter(walk.matters)))}: {walk.said}")
