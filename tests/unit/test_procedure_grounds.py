"""Refusals: each declared ground opens the refusal wherever there is one, and nothing else does."""

import pytest

from comity.errors import Forbidden
from comity.law import all_procedures
from comity.law.procedures import Procedure, Transition, rehearse

_REFUSING = [
    pytest.param(one, move, id=f"{one.name}-{move.source}")
    for one in all_procedures()
    for move in one.transitions
    if one.sides == "two" and move.event == "refuse"
]


@pytest.mark.parametrize(("procedure", "move"), _REFUSING)
def test_every_declared_ground_opens_the_refusal_and_it_is_final(
    procedure: Procedure, move: Transition
) -> None:
    for ground in procedure.refusals:
        facts = {"refusal": {"ground": ground.code, "reasons": "in words"}}
        done = rehearse(procedure, move.source, "refuse", facts)
        assert done.state == move.target
        assert done.state in procedure.final
        assert not procedure.states[done.state].holds


@pytest.mark.parametrize(("procedure", "move"), _REFUSING)
def test_nothing_else_does(procedure: Procedure, move: Transition) -> None:
    others = {code for one in all_procedures() for code in one.declared.refusal_codes}
    others -= procedure.declared.refusal_codes
    codes = {one.code for one in procedure.not_grounds} | others | {"", "no", "because"}
    assert procedure.not_grounds
    for code in codes:
        with pytest.raises(Forbidden, match="ground-stated"):
            rehearse(procedure, move.source, "refuse", {"refusal": {"ground": code, "reasons": "in words"}})


@pytest.mark.parametrize(("procedure", "move"), _REFUSING)
def test_a_ground_without_reasons_does_not(procedure: Procedure, move: Transition) -> None:
    ground = procedure.refusals[0].code
    for refusal in ({"ground": ground}, {"ground": ground, "reasons": " "}, {"reasons": "in words"}, ground):
        with pytest.raises(Forbidden, match="ground-stated"):
            rehearse(procedure, move.source, "refuse", {"refusal": refusal})


def test_where_the_instrument_asks_for_it_nobody_refuses_without_hearing_the_other_side() -> None:
    for name in ("mla", "asset_recovery"):
        (one,) = [each for each in all_procedures() if each.name == name]
        assert [move.source for move in one.transitions if move.event == "refuse"] == ["consulted"]
        ways = [move for move in one.transitions if move.target == "consulted"]
        assert {move.source for move in ways} <= {"consulting", "conditions_offered"}


def test_every_ground_names_its_article() -> None:
    for one in all_procedures():
        assert all(ground.article for ground in (*one.refusals, *one.not_grounds))
