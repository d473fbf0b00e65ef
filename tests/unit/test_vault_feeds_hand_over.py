"""A hand-over at a node with a victims' vault takes its screenings from the vault, and from nowhere else."""

from typing import Any

import pytest

from comity.casework.victim import Purpose
from comity.errors import Forbidden
from comity.law.trafficking import indicators
from comity.model import human_of
from comity.node.bootstrap import Node
from comity.node.matters import decide
from comity.node.vault.consents import consent
from comity.node.vault.screening import NotStated, state
from tests.nodes.matters import Ends, by, named
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.nodes.vaults import admitted, found_vault, officer, screened, vault_of
from tests.nodes.ways import facts_at, way_to

NONE_FOUND = dict.fromkeys(indicators(), "no")


def stated(node: Node, victim: str, known_as: str) -> dict[str, Any]:
    with vault_of(node) as vault:
        consent(
            vault, victim, purpose=Purpose.SCREENING_STATEMENT, recipient=CA, fields=(), days=9, how="signed"
        )
        return state(vault, victim, recipient=CA, known_as=known_as)


def asked(ends: Ends) -> str:
    """What the matter calls the person."""
    half = ends.half("requested")
    assert half is not None
    return str(half.facts["person"]["id"])


@pytest.fixture
def ends(town: Town) -> Ends:
    """A hand-over that CA asked of HK, where the person is to be screened."""
    found_vault(town[HK])
    one = Ends(town, named("handover"))
    one.go("screening")
    return one


def test_made_up_screenings_are_refused_and_stated_ones_taken(town: Town, ends: Ends) -> None:
    victim = admitted(town[HK])
    screened(town[HK], victim, NONE_FOUND)
    facts = stated(town[HK], victim, asked(ends))
    made_up = {**facts["screening_victim"], "statement": "statement-of-my-own"}
    for wrong in (made_up, {**made_up, "person": "somebody"}, {"presumed": False}):
        with pytest.raises(NotStated):
            decide(town[HK], ends.id, "screen_victim", {"screening_victim": wrong}, person=officer())
    assert ends.agree() == "screening"
    for event, fact in (("screen_victim", "screening_victim"), ("screen_protection", "screening_protection")):
        decide(town[HK], ends.id, event, {fact: facts[fact]}, person=officer())
        town.settle()
    assert ends.agree() == "screened"


@pytest.mark.parametrize(
    "answers", [{**NONE_FOUND, "violence": "yes"}, {**NONE_FOUND, "violence": "unknown"}]
)
def test_a_presumed_victim_is_not_handed_over_nor_one_not_asked_to_the_end(
    town: Town, ends: Ends, answers: dict[str, str]
) -> None:
    victim = admitted(town[HK])
    screened(town[HK], victim, answers)
    facts = stated(town[HK], victim, asked(ends))
    decide(
        town[HK], ends.id, "screen_victim", {"screening_victim": facts["screening_victim"]}, person=officer()
    )
    town.settle()
    with pytest.raises(Forbidden):
        decide(
            town[HK], ends.id, "screen_protection", {"screening_protection": facts["screening_protection"]},
            person=officer(),
        )  # fmt: skip
    assert ends.agree() == "victim_screened"


def test_what_was_withdrawn_feeds_nothing_any_more(town: Town, ends: Ends) -> None:
    victim = admitted(town[HK])
    screened(town[HK], victim, NONE_FOUND)
    facts = stated(town[HK], victim, asked(ends))
    screened(town[HK], victim, {"sold_or_ransomed": "yes"})
    with pytest.raises(NotStated):
        decide(
            town[HK],
            ends.id,
            "screen_victim",
            {"screening_victim": facts["screening_victim"]},
            person=officer(),
        )


def test_a_screening_that_was_withdrawn_later_opens_no_gate_either(town: Town, ends: Ends) -> None:
    victim = admitted(town[HK])
    screened(town[HK], victim, NONE_FOUND)
    way = way_to(ends.procedure, "handed_over")
    start = next(index for index, move in enumerate(way) if move.source == "screening")
    for index in range(start, len(way)):
        half, move = ends.half("requested"), way[index]
        assert half is not None
        facts = facts_at(ends.procedure, way, index, name=human_of(by(move)), known=dict(half.facts))
        told = [name for name in ("screening_victim", "screening_protection") if name in facts]
        if told:
            fresh = stated(town[HK], victim, asked(ends))
            facts |= {name: fresh[name] for name in told}
        if move.event == "hand_over":
            screened(town[HK], victim, {"violence": "yes"})
            with pytest.raises(NotStated):
                ends.take(move, facts)
            break
        ends.take(move, facts, person=officer() if told else None)
    assert ends.agree() == "cleared"
