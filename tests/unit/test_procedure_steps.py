"""One step of a running procedure: what it needs, what it sets and clears, what it says when it refuses."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comity.errors import Conflict, Forbidden, InputError
from comity.law.procedure_files import procedure
from comity.law.procedures import Step, begin, configured, rehearse, step

_FREEZE = procedure("urgent_freeze")
_REQUEST = procedure("trace_and_hold")
_HOLD: dict[str, Any] = {
    "case_id": "c1", "ground": "r1", "authority": "ca-cafc", "account": "a1", "institution": "bank",
    "currency": "HKD", "amount_minor": 100, "legal_basis": {"instrument": "UNTOC", "usable": True},
}  # fmt: skip
_ASK: dict[str, Any] = {
    "case_id": "c1", "purpose": "find and hold", "offence": "fraud", "facts": "BEC", "crossings": ["t1"],
    "legal_basis": {"instrument": "UNTOC", "usable": True, "confidence": "medium"}, "asks": ["trace", "hold"],
    "urgent": True, "permitted_use": "this case", "handling": {"originator": "CA"}, "expires_at": "2026-12-01",
    "drafted_by": "ann",
}  # fmt: skip


def _due(done: Step) -> dict[str, timedelta]:
    return {one.rule: one.after for one in done.deadlines_set}


def test_a_hold_begins_with_its_triage_target() -> None:
    assert _due(begin(_FREEZE, {})) == {"triage": timedelta(hours=1)}


def test_placing_a_hold_sets_its_lapse_and_clears_the_triage() -> None:
    done = step(_FREEZE, "requested", "place", _HOLD)
    assert done.state == "held"
    assert done.deadlines_cleared == ("triage",)
    assert _due(done)["hold-lapse"] == timedelta(hours=72)
    (lapse,) = [one for one in done.deadlines_set if one.rule == "hold-lapse"]
    assert (lapse.event, lapse.kind) == ("lapse", "T")
    assert "Thailand" in lapse.source


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ({"amount_minor": 0}, "something-to-hold"),
        ({"amount_minor": True}, "something-to-hold"),
        ({"amount_minor": "100"}, "something-to-hold"),
        ({"account": " "}, "fields-complete"),
        ({"legal_basis": {"instrument": "AET-2025", "usable": False}}, "basis-usable"),
        ({"legal_basis": {"instrument": "AET-2025", "usable": "true"}}, "basis-usable"),
        ({"legal_basis": None}, "basis-usable"),
    ],
)
def test_a_hold_is_not_placed_without(change: dict[str, Any], guard: str) -> None:
    with pytest.raises(Forbidden, match=rf"{guard} \("):
        step(_FREEZE, "requested", "place", _HOLD | change)


def test_the_nodes_own_case_needs_no_foreign_basis() -> None:
    facts = {key: value for key, value in _HOLD.items() if key != "legal_basis"}
    assert step(_FREEZE, "requested", "place", facts | {"own_case": True}).state == "held"


def test_a_lapse_needs_nothing() -> None:
    done = step(_FREEZE, "held", "lapse", {})
    assert done.state == "lapsed"
    assert set(done.deadlines_cleared) == {"hold-lapse", "order-reminder", "holder-notice"}


def test_an_order_ends_the_lapse_and_sets_its_own_term() -> None:
    order = {"court": "High Court", "reference": "HCMP 1/2026"}
    done = step(_FREEZE, "held", "order", {"order": order})
    assert _due(done) == {"order-lapse": timedelta(days=90)}
    assert "hold-lapse" in done.deadlines_cleared
    assert "holder-notice" not in done.deadlines_cleared
    done = step(_FREEZE, "held", "order", {"order": order | {"hours": 240}})
    assert _due(done) == {"order-lapse": timedelta(days=10)}


@pytest.mark.parametrize("hours", [0, -1, 4321, True, "240", 1.5])
def test_a_malformed_term_of_an_order_is_refused(hours: object) -> None:
    order = {"court": "High Court", "reference": "1", "hours": hours}
    with pytest.raises(InputError, match="whole hours, 1 to 4320"):
        step(_FREEZE, "held", "order", {"order": order})


def test_a_renewal_starts_the_term_again_and_telling_the_holder_does_not() -> None:
    order = {"court": "High Court", "reference": "1", "renewal": "2"}
    done = step(_FREEZE, "ordered", "renew", {"order": order})
    assert _due(done) == {"order-lapse": timedelta(days=90)}
    assert done.deadlines_cleared == ("order-lapse",)
    told = step(_FREEZE, "held", "tell_holder", {})
    assert (told.deadlines_set, told.deadlines_cleared) == ((), ("holder-notice",))


def test_money_is_not_returned_before_holder_and_third_parties_were_heard() -> None:
    facts: dict[str, Any] = {"return_to": "victim", "holder_told": True}
    with pytest.raises(Forbidden, match=r"third-parties-heard \(.*UNCAC 31\(9\)"):
        step(_FREEZE, "ordered", "return", facts)
    assert step(_FREEZE, "ordered", "return", facts | {"third_parties_heard": True}).state == "returned"


def test_an_event_the_state_does_not_know_lists_those_it_knows() -> None:
    with pytest.raises(Conflict, match=r"in state held one of .*order, release"):
        step(_FREEZE, "held", "return", {})
    with pytest.raises(Conflict, match="it is final"):
        step(_FREEZE, "lapsed", "place", _HOLD)
    with pytest.raises(InputError, match="a state of urgent_freeze"):
        step(_FREEZE, "frozen", "place", _HOLD)


def test_a_draft_runs_no_case_but_can_be_rehearsed() -> None:
    draft = replace(procedure("handover"), status="draft")
    with pytest.raises(Forbidden, match="got a draft"):
        begin(draft, {})
    with pytest.raises(Forbidden, match="got a draft"):
        step(draft, "screened", "presume_victim", {"indication": {"text": "x"}})
    done = rehearse(draft, "screened", "presume_victim", {"indication": {"text": "x"}})
    assert done.state == "victim_track"


def _walk(*events: str, facts: dict[str, Any]) -> Step:
    done = begin(_REQUEST, facts)
    for event in events:
        done = step(_REQUEST, done.state, event, facts)
    return done


def test_a_request_goes_out_on_a_standing_policy_and_is_answered() -> None:
    facts = _ASK | {"approval": {"allowed": True, "policy": "standing-approval-urgent-fraud"}}
    sent = _walk("check", "approve_by_policy", "send", facts=facts)
    assert _due(sent) == {
        "acknowledge-urgent": timedelta(hours=2),
        "answer-urgent": timedelta(hours=24),
        "expiry": timedelta(days=30),
    }
    received = step(_REQUEST, "sent", "acknowledge", facts)
    assert (received.deadlines_set, received.deadlines_cleared) == ((), ("acknowledge-urgent", "acknowledge"))
    assert step(_REQUEST, "acknowledged", "answer", facts).state == "answered"
    assert _walk("check", "approve_by_policy", "send", "answer", "close", facts=facts).state == "closed"


def test_a_request_that_is_not_urgent_has_the_longer_targets() -> None:
    facts = _ASK | {"urgent": False, "approval": {"by": "bob"}}
    sent = _walk("check", "submit", "approve", "send", facts=facts)
    assert _due(sent)["answer"] == timedelta(days=10)
    assert "answer-urgent" not in _due(sent)


def test_a_standing_policy_never_relies_on_low_confidence() -> None:
    low = {"instrument": "UNCC", "usable": True, "confidence": "low"}
    facts = _ASK | {"legal_basis": low, "approval": {"allowed": True, "policy": "x"}}
    with pytest.raises(Forbidden, match="confidence-not-low"):
        step(_REQUEST, "checked", "approve_by_policy", facts)


def test_nobody_approves_their_own_request() -> None:
    with pytest.raises(Forbidden, match="two-persons"):
        step(_REQUEST, "awaiting_approval", "approve", _ASK | {"approval": {"by": "ann"}})
    anonymous = {key: value for key, value in _ASK.items() if key != "drafted_by"}
    with pytest.raises(Forbidden, match="drafted_by"):
        step(_REQUEST, "awaiting_approval", "approve", anonymous | {"approval": {"by": "bob"}})


def test_a_refusal_states_a_declared_ground() -> None:
    assert step(_REQUEST, "sent", "refuse", {"refusal": {"ground": "wrong-channel"}}).state == "refused"
    for ground in ("bank-secrecy", "because", "", None, ["wrong-channel"]):
        with pytest.raises(Forbidden, match="ground-stated"):
            step(_REQUEST, "sent", "refuse", {"refusal": {"ground": ground}})


def test_a_node_sets_the_term_of_its_own_law() -> None:
    law = configured(_FREEZE, "hold-lapse", after=timedelta(hours=48), kind="L", source="Act 1/2026")
    (lapse,) = [
        one for one in step(law, "requested", "place", _HOLD).deadlines_set if one.rule == "hold-lapse"
    ]
    assert (lapse.after, lapse.kind, lapse.source) == (timedelta(hours=48), "L", "Act 1/2026")
    assert procedure("urgent_freeze") == _FREEZE
    for after in (timedelta(0), timedelta(days=31), timedelta(hours=-1)):
        with pytest.raises(InputError, match="at most"):
            configured(_FREEZE, "hold-lapse", after=after)
    with pytest.raises(InputError, match="one of triage"):
        configured(_FREEZE, "lapse", after=timedelta(hours=1))
    with pytest.raises(InputError, match="may be configured"):
        configured(procedure("preservation"), "preservation", after=timedelta(days=1))
