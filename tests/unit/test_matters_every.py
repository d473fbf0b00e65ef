"""Each of the procedures that two nodes run, driven from both ends over real nodes and messages to its furthest end."""

import pytest

from comity.law import all_procedures
from comity.law.procedures import Procedure
from tests.nodes.matters import Ends, way_to
from tests.nodes.story import HK, TH
from tests.nodes.town import Town

TWO_SIDED = [one for one in all_procedures() if one.sides == "two"]
ASKED = {"extradition": TH}
"""Between CA and HK the register knows no treaty of extradition that is in use."""


def furthest(procedure: Procedure) -> str:
    """The end that most decisions lead to; those that only the clock leads to aside."""
    by_clock = {one.target for one in procedure.transitions if one.side == "clock"}
    by_people = {one.target for one in procedure.transitions if one.side != "clock"}
    return max(
        procedure.final - (by_clock - by_people),
        key=lambda state: (len(way_to(procedure.name, state)), state),
    )


@pytest.mark.parametrize("procedure", TWO_SIDED, ids=lambda one: one.name)
def test_from_both_ends_to_the_furthest_end(town: Town, procedure: Procedure) -> None:
    ends = Ends(town, procedure, asked=ASKED.get(procedure.name, HK))
    ends.go(furthest(procedure))
    assert ends.agree() == furthest(procedure)
    assert not town.events("ca-centre", "matter.disputed", "matter.not-taken")


def test_no_treaty_no_extradition_request(town: Town) -> None:
    ends = Ends(town, next(one for one in TWO_SIDED if one.name == "extradition"), asked=HK)
    with pytest.raises(Exception, match="basis"):
        ends.go("sent")
    assert ends.half("requested") is None
