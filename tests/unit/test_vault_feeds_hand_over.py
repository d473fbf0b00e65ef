"""A hand-over at a node with a victims' vault takes its screenings from the vault, and from nowhere else."""

from typing import Any

import pytest

from comity.casework.victim import Purpose
from comity.errors import Forbidden
from comity.law.trafficking import indicators
from comity.node.bootstrap import Node
from comity.node.matters import decide, deciding
from comity.node.policy import NO_BASIS
from comity.node.vault.consents import consent
from comity.node.vault.screening import NotStated, state
from tests.nodes.matters import Ends, named
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.nodes.vaults import admitted, found_vault, officer, screened, vault_of

USABLE = {**NO_BASIS, "instrument": "UNTOC", "usable": True}
_BASIS = {"requesting": "basis", "requested": "requested_basis"}
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
def ends(town: Town, monkeypatch: pytest.MonkeyPatch) -> Ends:
    """A hand-over that CA asked of HK, where the person is to be screened. What registers read is another test's."""
    read: Any = lambda _node, _one, matter, _facts: {_BASIS[matter.side]: USABLE}  # noqa: E731 - stands in
    monkeypatch.setattr(deciding, "our_reading", read)
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
