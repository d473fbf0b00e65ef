"""The walk of design §3 among real nodes: report, trace, ask, answer or refuse, hold, and no dead end."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from comity.casework import CaseTrace
from comity.errors import Conflict, Forbidden, NotFound
from comity.model import Role
from comity.node.answer import answer_by_hand, refuse_by_hand
from comity.node.ask import MAX_ROUNDS, pursue
from comity.node.hold import ACTIVE, decide_hold
from comity.node.request import approve
from tests.nodes.laws import NO_ANSWER, NO_SENDING, forbids, refuses
from tests.nodes.story import CA, HK, TH, pooled, row
from tests.nodes.town import Town, counts

INTERPOL = 'resource.legal_basis.instrument == "INTERPOL"'


def test_federated_is_pooled_and_all_that_rests_is_held(town: Town) -> None:
    case = town.report()
    town.settle()
    assert town.found(case.id) == pooled()
    held = {
        (hold.account, hold.currency): hold.amount_minor
        for node_id in (CA, HK, TH)
        for hold in town.holds(node_id)
    }
    gone = {("hk-atm", "USD"), ("ph-wallet", "USDT")}
    assert held == {pot: minor for pot, minor in pooled().items() if pot not in gone}
    assert {event.body["account"] for event in town.events(HK, "hold.not-placed")} == {"hk-atm"}
    assert [event.body["account"] for event in town.events(CA, "trace.left-compact")] == ["ph-wallet"]


def test_the_origin_knows_every_hold(town: Town) -> None:
    town.report()
    town.settle()
    told = {(hold.holder, hold.id, hold.amount_minor, hold.state) for hold in town.holds(CA, own=False)}
    placed = {
        (hold.holder, hold.id, hold.amount_minor, hold.state)
        for peer in (HK, TH)
        for hold in town.holds(peer)
    }
    assert told == placed
    assert placed


def test_every_step_is_an_event_in_a_witnessed_log(town: Town) -> None:
    town.report()
    town.settle()
    town.cosign()
    town.verify_logs()
    kinds = {event.kind for event in town.events(CA)}
    assert {
        "report.received", "trace.made", "request.drafted", "request.checked", "request.approved",
        "request.sent", "request.answered", "hold.placed", "hold.told", "message.queued",
        "message.accepted", "message.handled",
    } <= kinds  # fmt: skip


def test_looking_again_without_news_does_nothing(town: Town) -> None:
    case = town.report()
    town.settle()
    before = len(town.events(CA))
    with town[CA].records.transaction() as tx:
        tx.cases.want_pursuit(case.id)
    town.settle()
    assert len(town.events(CA)) == before


def test_two_reports_are_two_cases(town: Town) -> None:
    town.give(row("U-01", 20, "ca-shop>hk-9", 5_000))
    first, second = town.report(), town.report(report_id="R-2", transfers=["U-01"])
    town.settle()
    assert town.found(first.id) == pooled()
    assert town.found(second.id) == {("hk-9", "USD"): 5_000}


# --- refusals: the chain goes on, or says where it stops -------------------------------------------


def test_a_refused_basis_is_followed_by_the_next(town: Town) -> None:
    town.law(TH, refuses("wrong-channel", INTERPOL))
    case = town.report()
    town.settle()
    asked = [one for one in town.requests(CA) if one.peer == TH]
    assert [(one.state, one.basis["instrument"] == "INTERPOL") for one in asked[:2]] == [
        ("refused", True), ("answered", False),
    ]  # fmt: skip
    assert asked[0].refusal is not None
    assert asked[0].refusal["ground"] == "wrong-channel"
    assert town.found(case.id) == pooled()


def test_when_every_basis_is_refused_that_part_stays_open_and_the_rest_goes_on(town: Town) -> None:
    town.law(TH, refuses("wrong-channel"))
    case = town.report()
    town.settle()
    to_thailand = [one for one in town.requests(CA) if one.peer == TH]
    tried = [one.basis["instrument"] for one in to_thailand]
    assert len(tried) == len(set(tried)) > 1
    assert all(one.state == "refused" for one in to_thailand)
    the_rest_went_on(town, case.id)


def test_a_refusal_of_the_matter_is_not_gone_around_on_another_basis(town: Town) -> None:
    town.law(TH, refuses("sovereignty"))
    case = town.report()
    town.settle()
    assert [one.state for one in town.requests(CA) if one.peer == TH] == ["refused"]
    the_rest_went_on(town, case.id)


def the_rest_went_on(town: Town, case_id: str) -> None:
    """Everything but what went to Thailand is found and held, and the case says what is open."""
    (left_open,) = town.events(CA, "trace.left-open")
    assert left_open.body["peer"] == TH
    assert left_open.body["transfers"] == ["T-03"]
    assert town.found(case_id) == {
        ("hk-1", "USD"): 140_000, ("hk-2", "USD"): 550_000, ("hk-atm", "USD"): 10_000,
    }  # fmt: skip
    assert {hold.account for hold in town.holds(HK)} == {"hk-1", "hk-2"}
    assert town.holds(TH) == []
    assert "open" in town.case_page(CA, case_id).status


# --- four eyes -------------------------------------------------------------------------------------


def in_yen(town: Town) -> str:
    """A theft in a currency that no standing policy covers."""
    town.give(row("Y-01", 30, "ca-importer>hk-7", 9_000_000, currency="JPY"))
    return town.report(report_id="R-Y", transfers=["Y-01"]).id


def test_what_no_policy_sends_waits_for_a_second_person(town: Town) -> None:
    case_id = in_yen(town)
    town.settle()
    (request,) = town.requests(CA)
    assert request.state == "awaiting_approval"
    assert town.requests(HK) == []
    assert town.case_page(CA, case_id).status == "waiting for approval"
    approve(town[CA], request.id, person=town.person(CA, Role.SUPERVISOR))
    town.settle()
    assert town.found(case_id) == {("hk-7", "JPY"): 9_000_000}
    (approved,) = town.events(CA, "request.approved")
    assert approved.actor == f"supervisor-{CA}"


def test_another_offence_waits_too(town: Town) -> None:
    town.report(offence="drugs")
    town.settle()
    assert [one.state for one in town.requests(CA)] == ["awaiting_approval"]


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in (Role.SUPERVISOR, Role.CENTRAL_AUTHORITY)]
)
def test_nobody_else_approves(town: Town, role: Role) -> None:
    in_yen(town)
    town.settle()
    (request,) = town.requests(CA)
    with pytest.raises(Forbidden):
        approve(town[CA], request.id, person=town.person(CA, role))
    assert [one.state for one in town.requests(CA)] == ["awaiting_approval"]


def test_who_drafted_does_not_approve(town: Town) -> None:
    in_yen(town)
    town.settle()
    (request,) = town.requests(CA)
    with pytest.raises(Forbidden, match="drafted themselves"):
        approve(town[CA], request.id, person=town.person(CA, Role.SUPERVISOR, name=request.drafted_by))


def test_approved_once_only(town: Town) -> None:
    in_yen(town)
    town.settle()
    (request,) = town.requests(CA)
    supervisor = town.person(CA, Role.SUPERVISOR)
    approve(town[CA], request.id, person=supervisor)
    with pytest.raises(Conflict):
        approve(town[CA], request.id, person=supervisor)
    town.settle()
    assert len(town.requests(HK)) == 1


def test_what_is_awaited_is_not_asked_twice(town: Town) -> None:
    """A case that waits for approval is looked at again without drafting the same question again."""
    town.law(CA, NO_SENDING)
    case = town.report()
    town.settle()
    with town[CA].records.transaction() as tx:
        tx.cases.want_pursuit(case.id)
    town.settle()
    assert len(town.requests(CA)) == 1


# --- the officer who is asked ------------------------------------------------------------------------


def left_to_officer(town: Town) -> str:
    town.law(HK, NO_ANSWER)
    town.report()
    town.settle()
    (request,) = town.requests(HK)
    assert request.state == "acknowledged"
    assert len(town.events(HK, "request.left-to-officer")) == 1
    return request.id


def test_an_officer_answers_by_hand(town: Town) -> None:
    request_id = left_to_officer(town)
    done = answer_by_hand(town[HK], request_id, person=town.person(HK, Role.SUPERVISOR))
    assert done.state == "answered"
    town.settle()
    assert town.requests(CA)[0].state == "answered"
    assert {hold.account for hold in town.holds(HK)} == {"hk-1", "hk-2"}


@pytest.mark.parametrize(("ground", "asked_again"), [("incomplete", False), ("wrong-channel", True)])
def test_an_officer_refuses_by_hand(town: Town, ground: str, asked_again: bool) -> None:
    request_id = left_to_officer(town)
    supervisor = town.person(HK, Role.SUPERVISOR)
    with pytest.raises(Forbidden, match="ground-stated"):
        refuse_by_hand(town[HK], request_id, person=supervisor, ground="no-time", text="Too busy.")
    refuse_by_hand(town[HK], request_id, person=supervisor, ground=ground, text="Name the victim.")
    town.settle()
    first, *more = (one for one in town.requests(CA) if one.peer == HK)
    assert first.refusal == {"ground": ground, "text": "Name the victim."}
    assert bool(more) is asked_again
    assert all(one.basis["instrument"] != first.basis["instrument"] for one in more)


@pytest.mark.parametrize(
    "role", [Role.ANALYST, Role.ADMINISTRATOR, Role.OVERSIGHT, Role.TRAINING, Role.PROSECUTOR]
)
def test_only_those_who_may_decide_a_request(town: Town, role: Role) -> None:
    request_id = left_to_officer(town)
    person = town.person(HK, role)
    with pytest.raises(Forbidden):
        answer_by_hand(town[HK], request_id, person=person)
    with pytest.raises(Forbidden):
        refuse_by_hand(town[HK], request_id, person=person, ground="incomplete", text="-")
    assert town.requests(HK)[0].state == "acknowledged"


def test_a_request_is_decided_once(town: Town) -> None:
    request_id = left_to_officer(town)
    supervisor = town.person(HK, Role.SUPERVISOR)
    answer_by_hand(town[HK], request_id, person=supervisor)
    with pytest.raises(Conflict):
        answer_by_hand(town[HK], request_id, person=supervisor)
    with pytest.raises(Conflict):
        refuse_by_hand(town[HK], request_id, person=supervisor, ground="incomplete", text="-")


def test_our_own_request_is_not_ours_to_answer(town: Town) -> None:
    left_to_officer(town)
    (request,) = town.requests(CA)
    with pytest.raises(Conflict):
        answer_by_hand(town[CA], request.id, person=town.person(CA, Role.SUPERVISOR))


def test_no_officer_in_a_day_changes_nothing_but_the_record(town: Town) -> None:
    """The overdue answer is noted at both ends; the asked node keeps its case, the request stays open."""
    request_id = left_to_officer(town)
    town.clock.advance(hours=25)
    town.settle()
    assert len(town.events(HK, "request.answer-overdue")) == 1
    assert len(town.events(CA, "request.answer-overdue")) == 1
    assert len(town.requests(CA)) == 1
    answer_by_hand(town[HK], request_id, person=town.person(HK, Role.SUPERVISOR))
    town.settle()
    assert town.requests(CA)[0].state == "answered"


def test_the_asked_node_keeps_its_trace_when_a_deadline_passes(town: Town) -> None:
    """The first request is answered, the larger second one waits and is overdue: what was found stays."""
    town.law(HK, forbids("answer_automatically", when="resource.amount_minor > 1000000"))
    town.report()
    town.settle()
    assert [one.state for one in town.requests(HK)] == ["answered", "acknowledged"]
    before = town.case_page(HK, town.case(HK).id).holdings
    town.clock.advance(hours=25)
    town.settle()
    assert len(town.events(HK, "request.answer-overdue")) == 1
    assert town.case_page(HK, town.case(HK).id).holdings == before != ()


# --- silence, lateness, other clocks -----------------------------------------------------------------


def test_a_peer_that_was_down_for_two_days_is_asked_when_it_is_back(town: Town) -> None:
    case = town.report()
    town.settle(down=[TH], patience=timedelta(hours=48))
    assert [one.state for one in town.requests(CA) if one.peer == TH] == ["sent"]
    assert len(town.events(CA, "request.acknowledge-overdue")) == 1
    town.settle()
    assert town.found(case.id) == pooled()
    assert len(town.requests(TH)) == 1


def test_a_message_that_ran_out_is_asked_again(town: Town) -> None:
    """Undelivered after 72 h: the request lapses, a new one is drafted, and the result is right in the end."""
    case = town.report()
    town.settle(down=[TH], patience=timedelta(hours=73))
    (undelivered,) = town.events(CA, "message.undelivered")
    assert undelivered.body["peer"] == TH
    first, second = (one for one in town.requests(CA) if one.peer == TH)
    assert first.state == "lapsed"
    assert second.state == "sent"
    assert second.basis["instrument"] == first.basis["instrument"]
    town.settle()
    assert town.found(case.id) == pooled()
    assert len(town.requests(TH)) == 1


def test_a_peer_that_never_comes_back_does_not_keep_us_asking_for_ever(town: Town) -> None:
    case = town.report()
    for _ in range(40):
        town.settle(down=[TH], patience=timedelta(hours=80))
    instruments = Counter(one.basis["instrument"] for one in town.requests(CA) if one.peer == TH)
    assert 0 < max(instruments.values()) <= 5
    assert sum(instruments.values()) <= MAX_ROUNDS
    assert town.queued(CA) == 0
    assert len(town.events(CA, "trace.left-open")) == 1
    assert "open" in town.case_page(CA, case.id).status


def test_a_late_answer_to_a_lapsed_request_changes_nothing(town: Town) -> None:
    """It lapsed while the answer was on its way, and was asked again: the old answer has no effect."""
    request_id = left_to_officer(town)
    town.clock.advance(days=29, hours=23)
    answer_by_hand(town[HK], request_id, person=town.person(HK, Role.SUPERVISOR))
    town.settle(down=[CA], patience=timedelta(minutes=1))
    town.clock.advance(hours=2)
    town.settle(down=[HK], patience=timedelta(seconds=1))
    first, second = town.requests(CA)
    assert (first.state, second.state) == ("lapsed", "sent")
    town.settle()
    assert town.requests(CA)[0].answer is None
    assert [event.body["type"] for event in town.events(HK, "message.refused")] == ["trace_and_hold.answer"]
    assert len(town.events(CA, "alarm.message-refused")) == 1


@pytest.mark.parametrize("minutes", [-6, 6, -600])
def test_a_clock_that_goes_wrong_delays_and_loses_nothing(town: Town, minutes: int) -> None:
    """More than five minutes apart: what seems to come from the future waits until the clocks agree."""
    town.clock.set_wrong(HK, minutes=minutes)
    case = town.report()
    town.settle(patience=timedelta(hours=1))
    town.clock.set_wrong(HK)
    town.clock.advance(minutes=10)
    town.settle()
    assert town.found(case.id) == pooled()
    assert all(town.queued(node_id) == 0 for node_id in (CA, HK, TH))


# --- members that leave --------------------------------------------------------------------------------


def test_a_member_that_left_blocks_nothing(town: Town) -> None:
    """A message of a member that has left since is refused; the work behind it goes on."""
    town.report()
    town.round([CA])
    town.remove(CA)
    town.nodes.pop(CA).records.close()
    town.settle()
    with town.looking(HK) as tx:
        assert tx.inbox.counts() == {"handled": 1}
    assert len(town.events(HK, "alarm.message-refused")) == 1


def test_a_hold_for_a_member_that_left_still_lapses(town: Town) -> None:
    town.report()
    town.settle()
    town.remove(CA)
    ca = town.nodes.pop(CA)
    town.clock.advance(hours=73)
    town.settle()
    ca.records.close()
    assert {hold.state for hold in town.holds(HK)} == {"lapsed"}
    assert {event.body["peer"] for event in town.events(HK, "alarm.hold-untold")} == {CA}


# --- what the trace later says ---------------------------------------------------------------------------


def test_holds_follow_the_latest_trace(town: Town) -> None:
    """A corrected question that finds nothing here any more leaves nothing held."""
    case = town.report()
    town.settle()
    hk = {hold.account: hold.amount_minor for hold in town.holds(HK)}
    assert hk["hk-3"] == 50_000
    with town[CA].records.transaction() as tx:
        thai = next(one for one in tx.cases.traces(case.id) if one.source == TH)
        tx.cases.put_trace(_without_exits(thai))
        tx.cases.want_pursuit(case.id)
    town.settle()
    assert town.hold_on("hk-3").state not in ACTIVE
    assert [one.state for one in town.holds(CA, own=False) if one.account == "hk-3"] == [
        town.hold_on("hk-3").state
    ]
    assert {hold.account: hold.amount_minor for hold in town.holds(HK)}["hk-2"] == hk["hk-2"]


def test_an_ordered_hold_stays_at_its_amount_when_a_later_trace_finds_less(town: Town) -> None:
    """Only a person changes what an order confirmed; the answer that says so is believed."""
    case = town.report()
    town.settle()
    order = {"order": {"court": "Court of First Instance", "reference": "HCMP 1201/2026"}}
    decide_hold(town[HK], town.hold_on("hk-3").id, "order", order, person=town.person(HK, Role.PROSECUTOR))
    town.settle()
    with town[CA].records.transaction() as tx:
        thai = next(one for one in tx.cases.traces(case.id) if one.source == TH)
        tx.cases.put_trace(_without_exits(thai))
        tx.cases.want_pursuit(case.id)
    town.settle()
    assert (town.hold_on("hk-3").state, town.hold_on("hk-3").amount_minor) == ("ordered", 50_000)
    assert [one.state for one in town.requests(CA) if one.peer == HK] == ["answered"] * 3
    assert town.events(CA, "alarm.message-refused") == []


def test_an_ended_hold_is_not_placed_again_by_a_later_trace(town: Town) -> None:
    case = town.report()
    town.settle()
    hold = town.hold_on("hk-3")
    supervisor = town.person(HK, Role.SUPERVISOR)
    decide_hold(town[HK], hold.id, "release", {"release": {"reason": "A clean source."}}, person=supervisor)
    with town[CA].records.transaction() as tx:
        thai = next(one for one in tx.cases.traces(case.id) if one.source == TH)
        tx.cases.put_trace(_without_exits(thai))
        tx.cases.want_pursuit(case.id)
    town.settle()
    with town[CA].records.transaction() as tx:
        tx.cases.put_trace(thai)
        tx.cases.want_pursuit(case.id)
    town.settle()
    assert [one.state for one in town.holds(HK) if one.account == "hk-3"] == ["released"]
    reasons = [
        event.body["reasons"]
        for event in town.events(HK, "hold.not-placed")
        if event.body["account"] == "hk-3"
    ]
    assert reasons[-1] == ["a hold on it has ended: released"]


def _without_exits(trace: CaseTrace) -> CaseTrace:
    return replace(trace, trace=replace(trace.trace, exits=()))


def test_pursuing_an_unknown_case_is_an_error(town: Town) -> None:
    with pytest.raises(NotFound):
        pursue(town[CA], "case-nowhere")


def test_counts_of_answers(town: Town) -> None:
    town.report()
    town.settle()
    for node_id in (HK, TH):
        answered = counts(town.events(node_id, "request.answered"), "request")
        assert set(answered.values()) == {1}
