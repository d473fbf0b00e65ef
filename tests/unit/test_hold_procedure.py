"""What people do with a hold: only in the procedure's order, only with its facts, only in the right role."""

from typing import Any

import pytest

from comity.errors import Conflict, Forbidden, NotFound
from comity.law import procedure
from comity.model import Role
from comity.node.hold import decide_hold
from tests.nodes.laws import NO_HOLD
from tests.nodes.story import CA, HK, row
from tests.nodes.town import Town

ORDER = {"order": {"court": "Court of First Instance", "reference": "HCMP 1201/2026"}}
RELEASE = {"release": {"reason": "The holder showed a clean source."}}
RETURN = {"return_to": "The firm", "third_parties_heard": True}
MAY_DECIDE = (Role.SUPERVISOR, Role.PROSECUTOR, Role.CENTRAL_AUTHORITY)
ALL_FACTS = {
    **ORDER, **RELEASE, **RETURN, "holder_told": True, "challenge": {"decision": "x"},
    "confiscation": {"reference": "x"},
}  # fmt: skip


def decide(town: Town, event: str, facts: dict[str, Any], role: Role, account: str = "hk-2") -> str:
    one = town.hold_on(account)
    return decide_hold(town[HK], one.id, event, facts, person=town.person(HK, role)).state


def test_from_hold_to_return(held: Town) -> None:
    assert decide(held, "order", ORDER, Role.PROSECUTOR) == "ordered"
    assert decide(held, "tell_holder", {"holder_told": True}, Role.CENTRAL_AUTHORITY) == "ordered"
    assert decide(held, "return", RETURN, Role.PROSECUTOR) == "returned"
    held.settle()
    (told,) = (one for one in held.holds(CA, own=False) if one.account == "hk-2")
    assert told.state == "returned"
    assert held.case_page(CA, held.case(CA).id).returned[0].minor == 550_000
    with pytest.raises(Conflict):
        decide(held, "release", RELEASE, Role.SUPERVISOR)


@pytest.mark.parametrize(
    ("event", "facts", "missing"),
    [
        ("order", {}, "order-named"),
        ("order", {"order": {"court": "A court"}}, "order-named"),
        ("order", {"order": {"court": " ", "reference": "x"}}, "order-named"),
        ("release", {}, "release-reasoned"),
        ("challenge_upheld", {}, "challenge-decided"),
    ],
)
def test_a_gate_stays_shut_without_its_facts(
    held: Town, event: str, facts: dict[str, Any], missing: str
) -> None:
    with pytest.raises(Forbidden, match=missing):
        decide(held, event, facts, Role.CENTRAL_AUTHORITY)
    assert held.hold_on("hk-2").state == "held"


def test_money_goes_back_only_after_order_notice_and_hearing(held: Town) -> None:
    with pytest.raises(Conflict):
        decide(held, "return", {**RETURN, "holder_told": True}, Role.PROSECUTOR)
    decide(held, "order", ORDER, Role.PROSECUTOR)
    with pytest.raises(Forbidden, match="holder-told"):
        decide(held, "return", RETURN, Role.PROSECUTOR)
    decide(held, "tell_holder", {"holder_told": True}, Role.PROSECUTOR)
    with pytest.raises(Forbidden, match="third-parties-heard"):
        decide(held, "return", {"return_to": "The firm", "third_parties_heard": False}, Role.PROSECUTOR)
    assert decide(held, "return", RETURN, Role.PROSECUTOR) == "returned"


@pytest.mark.parametrize("role", [role for role in Role if role not in MAY_DECIDE])
def test_no_hold_moves_by_the_hand_of_somebody_who_may_not(held: Town, role: Role) -> None:
    for event in procedure("urgent_freeze").allowed("held") + procedure("urgent_freeze").allowed("ordered"):
        with pytest.raises(Forbidden):
            decide(held, event, ALL_FACTS, role)
    assert held.hold_on("hk-2").state == "held"


def test_a_supervisor_releases_and_the_origin_is_told(held: Town) -> None:
    assert decide(held, "release", RELEASE, Role.SUPERVISOR) == "released"
    held.settle()
    assert [one.state for one in held.holds(CA, own=False) if one.account == "hk-2"] == ["released"]
    (event,) = held.events(HK, "hold.released")
    assert event.actor == f"supervisor-{HK}"


def test_a_supervisor_does_not_confirm(held: Town) -> None:
    with pytest.raises(Forbidden):
        decide(held, "order", ORDER, Role.SUPERVISOR)


def test_an_unknown_hold_or_event_is_refused(held: Town) -> None:
    with pytest.raises(NotFound):
        decide_hold(held[HK], "hold-nowhere", "release", RELEASE, person=held.person(HK, Role.SUPERVISOR))
    with pytest.raises(Conflict):
        decide(held, "vanish", {}, Role.CENTRAL_AUTHORITY)


def test_a_peers_hold_is_not_ours_to_decide(held: Town) -> None:
    (one, *_) = held.holds(CA, own=False)
    with pytest.raises(NotFound):
        decide_hold(held[CA], one.id, "release", RELEASE, person=held.person(CA, Role.SUPERVISOR))


def test_what_policy_forbids_to_hold_is_recorded_and_still_answered(town: Town) -> None:
    town.law(HK, NO_HOLD)
    case = town.report()
    town.settle()
    assert town.holds(HK) == []
    assert {event.body["account"] for event in town.events(HK, "hold.not-placed")} >= {"hk-1", "hk-2"}
    assert town.found(case.id)["hk-2", "USD"] == 550_000


def test_a_hold_that_grows_takes_nothing_that_another_case_holds(town: Town) -> None:
    """Later rows show that one theft's money is the other's too: it is held once, and not more than there is."""
    town.give(
        row("U-01", 20, "hk-x>hk-y", 50_000), row("U-02", 30, "hk-y2>hk-9", 50_000),
        row("U-03", 31, "hk-x>hk-9", 30_000), row("U-04", 32, "hk-shop>hk-9", 10_000),
    )  # fmt: skip
    first = town.report(HK, report_id="R-2", transfers=["U-02"])
    town.settle()
    second = town.report(HK, report_id="R-3", transfers=["U-01", "U-03"])
    town.settle()
    assert on_account(town, "hk-9") == {first.id: 50_000, second.id: 30_000}
    town.give(row("U-05", 21, "hk-y>hk-y2", 50_000))
    town.settle()
    assert on_account(town, "hk-9") == {first.id: 50_000, second.id: 40_000}
    (amended,) = town.events(HK, "hold.amended")
    assert (amended.body["was_minor"], amended.body["amount_minor"]) == (30_000, 40_000)


def on_account(town: Town, account: str) -> dict[str, int]:
    """What is held there, in minor units, by case."""
    return {one.case_id: one.amount_minor for one in town.holds(HK) if one.account == account}
