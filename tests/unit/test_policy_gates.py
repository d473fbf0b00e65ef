"""What node.policy shows the policies: every currency of a request, our own reading of its basis, and no more."""

from dataclasses import replace
from typing import Any

import pytest

from comity.casework import Request
from comity.law import Action
from comity.model import Role
from comity.node.policy import may_with_hold, may_with_request, our_reading
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town

MAX = 2**63 - 1


def request_in(town: Town) -> Request:
    return next(one for one in town.requests(HK) if one.direction == "in")


def with_crossings(request: Request, *changes: dict[str, Any]) -> Request:
    (crossing,) = request.payload["crossings"][:1]
    return replace(
        request, payload={**request.payload, "crossings": [{**crossing, **one} for one in changes]}
    )


def pieces(minor: int) -> dict[str, Any]:
    return {"pieces": [{"amount_minor": minor, "tainted": True}]}


def test_an_ordinary_request_is_answered(held: Town) -> None:
    decision = may_with_request(held[HK], Action.ANSWER_AUTOMATICALLY, request_in(held))
    assert decision.allowed
    assert decision.policies


def test_one_currency_that_is_not_covered_decides_for_all(held: Town) -> None:
    """The sum over dollars is fine; the yen in the same request need a second person."""
    (out,) = (one for one in held.requests(CA) if one.peer == TH)
    send = Action.SEND_REQUEST_WITHOUT_SECOND_PERSON
    assert may_with_request(held[CA], send, with_crossings(out, pieces(5))).allowed
    mixed = with_crossings(out, pieces(5), {"currency": "JPY", **pieces(5)})
    assert not may_with_request(held[CA], send, mixed).allowed
    assert not may_with_request(held[CA], send, with_crossings(out, pieces(500_000_001))).allowed


def test_amounts_add_up_before_the_limit_is_looked_at(held: Town) -> None:
    """Many small crossings are one large sum."""
    (out,) = (one for one in held.requests(CA) if one.peer == TH)
    split = with_crossings(out, *[pieces(100_000_001)] * 5)
    assert not may_with_request(held[CA], Action.SEND_REQUEST_WITHOUT_SECOND_PERSON, split).allowed


def test_sums_beyond_what_a_policy_can_count_are_denied_not_an_error(held: Town) -> None:
    huge = with_crossings(request_in(held), *[pieces(MAX)] * 3)
    decision = may_with_request(held[HK], Action.SEND_REQUEST_WITHOUT_SECOND_PERSON, huge)
    assert not decision.allowed
    assert decision.reasons


def test_the_basis_is_read_in_our_own_register(town: Town) -> None:
    known = our_reading(town[HK], CA, "INTERPOL", offence="cyber_fraud")
    assert (known["usable"], known["instrument"]) == (True, "INTERPOL")
    for name in ("The Treaty of Nowhere", "interpol", "'; DROP TABLE", "\u202eLOPRETNI"):
        unknown = our_reading(town[HK], CA, name, offence="cyber_fraud")
        assert (unknown["usable"], unknown["kind"]) == (False, "")
        assert "no basis" in unknown["reasons"][0]


def test_a_peer_cannot_make_a_basis_usable_by_saying_so(held: Town) -> None:
    payload = {
        **request_in(held).payload,
        "basis": {"instrument": "Nothing", "usable": True, "confidence": "high"},
    }
    request = replace(
        request_in(held), payload=payload, basis=our_reading(held[HK], CA, "Nothing", offence="cyber_fraud")
    )
    assert not may_with_request(held[HK], Action.ANSWER_AUTOMATICALLY, request).allowed
    supervisor = held.person(HK, Role.SUPERVISOR)
    assert may_with_request(held[HK], Action.REFUSE_REQUEST, request, person=supervisor).allowed


@pytest.mark.parametrize("offence", ["drugs", "terrorism_financing", "illegal_gambling"])
def test_other_offences_are_left_to_an_officer(held: Town, offence: str) -> None:
    request = request_in(held)
    other = replace(request, payload={**request.payload, "offence": offence})
    decision = may_with_request(held[HK], Action.ANSWER_AUTOMATICALLY, other)
    assert (decision.allowed, decision.refusal_ground) == (False, None)


def test_money_is_held_for_others_only_on_a_usable_basis(held: Town) -> None:
    facts: dict[str, Any] = {
        "amount_minor": 5, "currency": "USD", "legal_basis": dict(request_in(held).basis),
    }  # fmt: skip
    decide = may_with_hold
    assert decide(held[HK], Action.PLACE_HOLD, facts, offence="fraud").allowed
    unusable = {**facts, "legal_basis": {**facts["legal_basis"], "usable": False}}
    assert not decide(held[HK], Action.PLACE_HOLD, unusable, offence="fraud").allowed
    low = {**facts, "legal_basis": {**facts["legal_basis"], "confidence": "low"}}
    assert not decide(held[HK], Action.PLACE_HOLD, low, offence="fraud").allowed
    own = {"amount_minor": 5, "currency": "USD", "own_case": True}
    assert decide(held[HK], Action.PLACE_HOLD, own, offence="fraud").allowed
    assert not decide(held[HK], Action.PLACE_HOLD, own, offence="drugs").allowed
