"""Every procedure between two nodes, driven from both ends over their APIs: to each of its ends, and on every ground of
refusal.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.law.procedure_files import all_procedures
from comity.law.procedures import Procedure
from tests.nodes.api_ends import Ends, offices, reader_of
from tests.nodes.town import Town
from tests.nodes.ways import way_to, ways

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
TWELVE = [one for one in all_procedures() if one.sides == "two"]


@pytest.fixture(scope="module")
def ends(town_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    town = Town.copied(town_template, tmp_path_factory.mktemp("over-api"))
    with offices(town) as found:
        yield found
    town.close()


def test_there_are_twelve() -> None:
    assert len(TWELVE) == 12


@pytest.mark.parametrize("procedure", TWELVE, ids=lambda one: one.name)
def test_to_every_end(ends: Ends, procedure: Procedure) -> None:
    found = ways(procedure)
    matters = {ends.open(procedure, way): state for state, way in found.items()}
    ends.go({matter: found[state] for matter, state in matters.items()}, procedure)
    for matter, state in matters.items():
        assert ends.agree(matter, reader_of(found[state])) == state


@pytest.mark.parametrize("procedure", TWELVE, ids=lambda one: one.name)
def test_on_every_ground_of_refusal_and_no_other(ends: Ends, procedure: Procedure) -> None:
    refusal = next(one for one in procedure.transitions if "refusal" in one.records)
    way = [*way_to(procedure, refusal.source), refusal]
    last = len(way) - 1
    matters = {ends.open(procedure, way): one.code for one in procedure.refusals}
    ends.go(dict.fromkeys(matters, way[:-1]), procedure)
    some = next(iter(matters))
    for other in (*(one.code for one in procedure.not_grounds), "because", ""):
        said = {"ground": other, "text": "why", "reasons": "why"}
        assert ends.say(some, procedure, way, last, refusal=said).status_code == 403
    for matter, ground in matters.items():
        said = {"ground": ground, "text": "why", "reasons": "why"}
        answer = ends.say(matter, procedure, way, last, refusal=said)
        assert answer.status_code == 200, answer.text
    ends.town.settle()
    for matter, ground in matters.items():
        assert ends.agree(matter, reader_of(way)) == refusal.target
        assert {one["facts"]["refusal"]["ground"] for one in ends.halves(matter, reader_of(way))} == {ground}
