"""A case across borders as its own node sees it: what is asked anew, what stays open, where it ends, what it took."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comity.casework import CaseTrace
from comity.errors import Forbidden, InputError, NotFound
from comity.exchange.envelope import digest_of_wire
from comity.model import Role
from comity.node import answer as answering
from comity.node import hear as hearing
from comity.node import increment
from comity.node import trace as tracing
from comity.node.answer import answer_by_hand
from comity.node.choke import mark, unmark
from comity.node.handling.comply import expire
from comity.node.handling.retract import take_back
from comity.node.pages.views import CasePage, OpenPartRow
from comity.tracing import Book, follow
from tests.nodes.laws import NO_ANSWER, NO_SENDING, refuses
from tests.nodes.story import CA, HK, ROWS, TH, pooled, row
from tests.nodes.town import Town

LATER = row("T-10", 10.0, "ca-mule>hk-3", 10_000)
"""Booked a day late in Canada and in Hong Kong: of the stolen 50,000 that came back, 10,000 leave again."""


class Said:
    """What crossed: every request as it was heard, and every answer, before anything was made of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.answers: list[Mapping[str, Any]] = []

        def hear_request(tx: Any, case: Any, received: Any) -> Any:
            self.requests.append(received.payload)
            return increment.whole_request(tx, case, received)

        def hear_answer(tx: Any, request: Any, payload: Any) -> Any:
            self.answers.append(payload)
            return increment.whole_answer(tx, request, payload)

        patch.setattr(answering, "whole_request", hear_request)
        patch.setattr(hearing, "whole_answer", hear_answer)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    return Said(monkeypatch)


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The inflows of every trace that is made."""
    found: list[tuple[str, ...]] = []

    def noted(book: Book, **more: Any) -> Any:
        found.append(tuple(one.transfer_id for one in more["inflows"]))
        return follow(book, **more)

    monkeypatch.setattr(tracing, "follow", noted)
    return found


def ids(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [one["transfer_id"] for one in rows]


# --- a later inflow does not redo the rest ---------------------------------------------------------------------


def test_only_what_is_new_is_said_and_followed(
    held: Town, said: Said, followed: list[tuple[str, ...]]
) -> None:
    case = held.case(CA)
    held.give(LATER)
    held.settle()
    assert held.found(case.id) == pooled([*ROWS, LATER])
    (asked,) = said.requests
    assert ids(asked["crossings"]) == ["T-10"]
    assert asked["withdrawn"] == []
    (answered,) = said.answers
    assert [one["account"] for one in answered["holdings"]] == ["hk-3"]
    assert (answered["exits"], answered["gaps"]) == ([], [])
    assert [one["account"] for one in answered["holds"]] == ["hk-3"]
    assert not any(answered["gone"].values())
    assert (
        followed[-2:].count(("T-10",)) == 0
    )  # the book of Hong Kong is another since the import: followed anew


def test_with_the_same_book_only_the_new_inflow_is_followed(
    held: Town, said: Said, followed: list[tuple[str, ...]]
) -> None:
    """Thailand comes to pay more to an account of Hong Kong, whose book has had that transfer all along."""
    request = next(one for one in held.requests(HK) if one.state == "answered")
    with held.looking(HK) as tx:
        before = next(one for one in tx.cases.traces(request.case_id) if one.source == HK)
        case = tx.cases.get(request.case_id)
    assert len(before.inflows) > 1
    first, *others = before.inflows
    smaller = tracing.trace_case(held[HK], case, others)
    followed.clear()
    grown = tracing.trace_case(held[HK], case, before.inflows, before=smaller)
    assert followed == [(first.transfer_id,)]
    assert replace(grown, at=before.at) == before


@pytest.mark.parametrize("change", ["less", "another book", "another rule"])
def test_all_is_followed_again_where_a_trace_cannot_grow(
    held: Town, followed: list[tuple[str, ...]], change: str
) -> None:
    request = next(one for one in held.requests(HK) if one.state == "answered")
    with held.looking(HK) as tx:
        before = next(one for one in tx.cases.traces(request.case_id) if one.source == HK)
        case = tx.cases.get(request.case_id)
    inflows = before.inflows[:1] if change == "less" else before.inflows
    known = replace(before, book="of yesterday") if change == "another book" else before
    case = replace(case, rule="prorata") if change == "another rule" else case
    followed.clear()
    tracing.trace_case(held[HK], case, inflows, before=known)
    assert followed == [tuple(one.transfer_id for one in inflows)]


def test_what_is_withdrawn_is_named_and_nothing_else(held: Town, said: Said) -> None:
    """Everything that went to Thailand turns out clean: it is told which transfers are no more, and no row again."""
    case = held.case(CA)
    with held[CA].records.transaction() as tx:
        hong_kong = next(one for one in tx.cases.traces(case.id) if one.source == HK)
        tx.cases.put_trace(replace(hong_kong, trace=replace(hong_kong.trace, exits=())))
        tx.cases.want_pursuit(case.id)
    held.settle()
    to_thailand = [one for one in said.requests if "T-03" in one.get("withdrawn", ())]
    assert [(one["crossings"], one["withdrawn"]) for one in to_thailand[:1]] == [([], ["T-03"])]
    assert {hold.state for hold in held.holds(TH)} == {"released"} or not [
        hold for hold in held.holds(TH) if hold.state == "held"
    ]


def test_a_peer_that_forgot_is_told_everything_again(held: Town, said: Said) -> None:
    """It cannot go on from what it does not have: it says so, the request lapses, and the next one stands alone."""
    with held[HK].records.transaction() as tx:
        for one in tx.requests.of_case(held.case(HK).id):
            tx.requests.put(replace(one, payload={**one.payload, "request": "of-another-life"}))
    held.give(LATER)
    held.settle()
    assert held.found(held.case(CA).id) == pooled([*ROWS, LATER])
    to_hong_kong = [
        one for one in said.requests if one["crossings"] and one["crossings"][0]["to_country"] == "HK"
    ]
    assert ["since" in one for one in to_hong_kong] == [True, False]
    assert set(ids(to_hong_kong[1]["crossings"])) == {"T-01", "T-07", "T-10"}


def test_a_peer_that_forgot_hears_that_nothing_is_left(held: Town, said: Said) -> None:
    """It cannot take back what it does not have: it is told again, alone, that there is nothing, and holds nothing."""
    case = held.case(CA)
    with held[TH].records.transaction() as tx:
        for one in tx.requests.of_case(held.case(TH).id):
            tx.requests.put(replace(one, payload={**one.payload, "request": "of-another-life"}))
    with held[CA].records.transaction() as tx:
        hong_kong = next(one for one in tx.cases.traces(case.id) if one.source == HK)
        tx.cases.put_trace(replace(hong_kong, trace=replace(hong_kong.trace, exits=())))
        tx.cases.want_pursuit(case.id)
    held.settle()
    to_thailand = [
        one for one in said.requests if not one["crossings"] and one.get("withdrawn", ["T-03"]) == ["T-03"]
    ]
    assert ["since" in one for one in to_thailand] == [True, False]
    empty = [one for one in held.requests(CA) if one.peer == TH and not one.payload["crossings"]]
    assert [one.state for one in empty] == ["lapsed", "answered"]
    (heard,) = [one for one in held.requests(TH) if not one.payload["crossings"]]
    assert heard.answer is not None
    assert heard.answer["holdings"] == []
    assert {one["state"] for one in heard.answer["holds"]} == {"released"}


def test_holds_told_before_are_found_by_their_id(held: Town) -> None:
    """Not by comparing each with each: 300 of them are compared 300 times, and only what changed is said."""
    compared = 0

    class Hold(dict[str, Any]):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return dict.__eq__(self, other)

        __hash__ = None  # as a dict

    with held.looking(HK) as tx:
        base = next(one for one in tx.requests.all() if one.direction == "in" and one.answer is not None)
        assert base.answer is not None
        holds = [{"hold": f"hold-{number}", "amount_minor": 1} for number in range(300)]
        before = {**base.answer, "holds": [Hold(one) for one in holds]}
        now = {**base.answer, "holds": [Hold(one) for one in holds]}
        now["holds"][7]["amount_minor"] = 2
        now["holds"].append(Hold(hold="hold-new", amount_minor=3))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(increment, "_answered", lambda *_: replace(base, answer=before))
            said = increment.answer_to_say(
                tx, replace(base, payload={**base.payload, "since": {"request": "x"}}), now
            )
    assert [one["hold"] for one in said["holds"]] == ["hold-7", "hold-new"]
    assert compared <= 301


@pytest.mark.parametrize(
    "change",
    [
        {"since": "request-x"}, {"gone": {}}, {"gone": None},
        {"gone": {"holdings": [["nobody", "USD"]], "exits": [], "gaps": [], "chokes": []}},
        {"holdings": 7}, {"exits": [7]},
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_goes_on_from_nothing_is_not_believed(
    held: Town, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """The request lapses, is asked again standing alone, and the result is right in the end."""
    spoilt: list[object] = []
    real = increment.answer_to_say

    def spoil(tx: Any, request: Any, reply: Any) -> dict[str, Any]:
        whole = real(tx, request, reply)
        if "since" in whole and not spoilt:
            spoilt.append(whole)
            return {**whole, **change}
        return whole

    monkeypatch.setattr(answering, "answer_to_say", spoil)
    held.give(LATER)
    held.settle()
    assert spoilt
    assert held.found(held.case(CA).id) == pooled([*ROWS, LATER])
    assert "lapsed" in [one.state for one in held.requests(CA) if one.peer == HK]


def test_what_an_answer_goes_on_from_cannot_be_taken_back_alone(held: Town) -> None:
    """Hong Kong takes back an answer that its last one goes on from: nothing of its trace stands any more."""
    held.give(LATER)
    held.settle()
    case = held.case(CA)
    with held.looking(CA) as tx:
        given = [
            one
            for one in tx.items.of_case(case.id)
            if one.originator == HK and tx.items.type_of(one) == "trace_and_hold.answer"
        ]
    assert len(given) > 2
    take_back(held[HK], given[0].id, person=held.person(HK, Role.SUPERVISOR), why="Wrong account.")
    held.settle()
    page = held.case_page(CA, case.id)
    assert not any(one.told_by == HK for one in page.holdings)
    assert [one.peer for one in page.open_parts] == [HK]


def test_what_an_answer_goes_on_from_may_run_out_and_is_asked_anew(held: Town) -> None:
    """What was to be kept no longer takes the later answer along, and is not taken back: Hong Kong is asked again."""
    held.give(LATER)
    held.settle()
    case = held.case(CA)
    before = {one.account for one in held.case_page(CA, case.id).holdings if one.told_by == HK}
    with held[CA].records.transaction() as tx:
        first = next(
            one
            for one in tx.items.of_case(case.id)
            if one.originator == HK and tx.items.type_of(one) == "trace_and_hold.answer"
        )
        tx.items.put(replace(first, retain_until=held.clock()))
    asked = len([one for one in held.requests(CA) if one.peer == HK])
    assert expire(held[CA])
    assert not any(one.told_by == HK for one in held.case_page(CA, case.id).holdings)
    assert [one for one in held.requests(CA) if one.refusal is not None] == []
    held.settle()
    page = held.case_page(CA, case.id)
    assert {one.account for one in page.holdings if one.told_by == HK} == before != set()
    assert list(page.open_parts) == []
    assert len([one for one in held.requests(CA) if one.peer == HK]) > asked


# --- which part is open ----------------------------------------------------------------------------------------


def part(town: Town, case_id: str) -> OpenPartRow | None:
    parts = town.case_page(CA, case_id).open_parts
    assert len(parts) <= 1
    return parts[0] if parts else None


def amounts(one: OpenPartRow) -> dict[str, int]:
    return {amount.currency: amount.minor for amount in one.amounts}


def test_a_node_that_is_down_for_a_day_is_an_open_part_that_closes(town: Town) -> None:
    case = town.report()
    town.settle(down=[TH], patience=timedelta(hours=26))
    found = part(town, case.id)
    assert found is not None
    (request,) = (one for one in town.requests(CA) if one.peer == TH)
    assert (found.peer, found.countries, found.transfers) == (TH, ("TH",), ("T-03",))
    assert amounts(found) == {"USD": 300_000}
    assert (found.code, found.late, found.request) == ("being-sent", True, request.id)
    assert found.since == request.created_at
    assert {event.body["peer"] for event in town.events(CA, "trace.part-late")} == {TH}
    town.settle()
    assert part(town, case.id) is None
    (closed,) = town.events(CA, "trace.part-closed")
    assert (closed.body["peer"], closed.body["amounts"]) == (TH, {"USD": 300_000})
    assert town.found(case.id) == pooled()


def test_an_answer_that_is_late_closes_its_part(town: Town) -> None:
    town.law(HK, NO_ANSWER)
    case = town.report()
    town.settle()
    found = part(town, case.id)
    assert found is not None
    assert (found.code, found.late, amounts(found)) == ("unanswered", False, {"USD": 1_000_000})
    assert town.events(CA, "trace.part-late") == []
    town.clock.advance(hours=25)
    town.settle()
    found = part(town, case.id)
    assert found is not None
    assert found.late
    (late,) = town.events(CA, "trace.part-late")
    assert late.body["code"] == "unanswered"
    answer_by_hand(town[HK], town.requests(HK)[0].id, person=town.person(HK, Role.SUPERVISOR))
    town.reopen(HK)
    (town.folder / HK / "policy" / "test.cedar").unlink()
    town.reopen(HK)
    town.settle()
    assert part(town, case.id) is None
    assert [event.body["peer"] for event in town.events(CA, "trace.part-closed")] == [HK]


def test_a_refusal_is_an_open_part_with_its_ground(town: Town) -> None:
    town.law(TH, refuses("sovereignty"))
    case = town.report()
    town.settle()
    found = part(town, case.id)
    assert found is not None
    assert (found.code, found.peer, amounts(found)) == ("refused", TH, {"USD": 300_000})
    assert "sovereignty" in found.why
    (event,) = town.events(CA, "trace.left-open")
    assert event.body["amounts"] == {"USD": 300_000}
    assert "open" in town.case_page(CA, case.id).status


def test_what_waits_for_our_own_approval_is_open_here(town: Town) -> None:
    town.law(CA, NO_SENDING)
    case = town.report()
    town.settle()
    found = part(town, case.id)
    assert found is not None
    assert found.code == "awaiting-approval"


def test_only_the_rest_of_what_grew_is_open(held: Town) -> None:
    """Of an inflow that was answered for in part only the new part is open."""
    held.give(LATER)
    held.settle(down=[HK], patience=timedelta(seconds=1))
    found = part(held, held.case(CA).id)
    assert found is not None
    assert amounts(found) == {"USD": 10_000}
    assert found.transfers == ("T-10",)


def test_another_members_case_has_no_open_part_here(held: Town) -> None:
    assert held.case_page(HK, held.case(HK).id).open_parts == ()


# --- what it took ----------------------------------------------------------------------------------------------


def test_rounds_messages_and_bytes_are_counted(town: Town) -> None:
    case = town.report()
    town.settle()
    took = town.case_page(CA, case.id).federation
    assert took is not None
    with town.looking(CA) as tx:
        requests = [one for one in tx.requests.of_case(case.id) if one.direction == "out"]
    types = {
        event.body["digest"]: event.body["type"]
        for node_id in (CA, HK, TH)
        for event in town.events(node_id, "message.queued")
    }
    wires = [
        len(one.wire)
        for one in town.wires.carried
        if CA in (one.sender, one.receiver) and types[digest_of_wire(one.wire)].startswith("trace_and_hold.")
    ]
    assert took.rounds == max(int(one.payload["round"]) for one in requests) > 1
    assert took.sent == len(requests)
    assert took.messages == 2 * len(requests) == len(wires)
    assert took.bytes == sum(wires) == took.sent_bytes + took.received_bytes


# --- where tracing ends ------------------------------------------------------------------------------------------


def omnibus(town: Town, node_id: str, account: str, kind: str = "omnibus") -> None:
    mark(town[node_id], account, kind, reason="Client money", person=town.person(node_id, Role.SUPERVISOR))


def chokes(page: CasePage) -> dict[str, tuple[str, int, str]]:
    return {one.account: (one.kind, one.amount.minor, one.told_by) for one in page.chokes}


def test_a_trace_ends_at_a_marked_account_and_says_what_would_pierce_it(town: Town) -> None:
    """Thailand marks the account that the money came into: nothing is followed out of it."""
    omnibus(town, TH, "th-1")
    case = town.report()
    town.settle()
    page = town.case_page(CA, case.id)
    assert chokes(page) == {"th-1": ("omnibus", 300_000, TH)}
    assert "sub-ledger" in page.chokes[0].request
    assert page.chokes[0].basis
    assert "th-1" not in {one.account for one in page.holdings}
    assert town.holds(TH) == []
    (event,) = town.events(CA, "trace.choked")
    assert (event.body["account"], event.body["amount_minor"], event.body["told_by"]) == ("th-1", 300_000, TH)
    assert [one.body["account"] for one in town.events(TH, "trace.choked")] == ["th-1"]
    assert sum(town.found(case.id).values()) == 1_000_000 - 300_000


def test_a_marked_account_in_the_middle_of_a_book(town: Town) -> None:
    """Hong Kong marks where its own payment goes: hk-2 is reached from hk-1."""
    omnibus(town, HK, "hk-2", "mixer")
    case = town.report()
    town.settle()
    page = town.case_page(CA, case.id)
    assert chokes(page) == {"hk-2": ("mixer", 560_000, HK)}
    assert "hk-atm" not in {one.account for one in page.holdings}


def test_our_own_cases_are_followed_again_when_an_account_is_marked(held: Town) -> None:
    case = held.case(CA)
    assert chokes(held.case_page(CA, case.id)) == {}
    omnibus(held, CA, "ca-mule")
    held.settle()
    assert chokes(held.case_page(CA, case.id)) == {"ca-mule": ("omnibus", 70_000, "")}
    unmark(held[CA], "ca-mule", reason="We have its ledger", person=held.person(CA, Role.SUPERVISOR))
    held.settle()
    assert chokes(held.case_page(CA, case.id)) == {}
    assert held.found(case.id) == pooled()


def test_a_theft_straight_into_a_marked_account_is_choked_at_once(town: Town) -> None:
    """Reported by the node that received it, from a country of others."""
    town.give(row("U-01", 20, "ca-shop>hk-9", 5_000))
    omnibus(town, HK, "hk-9")
    case = town.report(HK, report_id="R-9", transfers=["U-01"])
    town.settle()
    page = town.case_page(HK, case.id)
    assert chokes(page) == {"hk-9": ("omnibus", 5_000, "")}
    assert page.open_parts == ()


def test_a_theft_out_of_a_marked_account_is_followed(town: Town) -> None:
    omnibus(town, CA, "ca-firm")
    case = town.report()
    town.settle()
    assert town.found(case.id) == pooled()


def test_what_is_said_to_have_reached_a_marked_account_must_be_in_the_book(held: Town) -> None:
    omnibus(held, TH, "th-1")
    request = next(one for one in held.requests(TH))
    with held.looking(TH) as tx:
        case = tx.cases.get(request.case_id)
        (known,) = (one for one in tx.cases.traces(case.id) if one.source == TH)
    (crossing,) = (one for one in known.inflows if one.to_account == "th-1")
    for wrong in (
        {"transfer_id": "T-99"}, {"currency": "CAD"}, {"from_country": "CA"}, {"pieces": crossing.pieces * 2},
    ):  # fmt: skip
        traced: CaseTrace = tracing.trace_case(held[TH], case, [replace(crossing, **wrong)])
        assert (traced.chokes, len(traced.trace.unmatched)) == ((), 1), wrong
    assert tracing.trace_case(held[TH], case, [crossing, crossing]).chokes[0].tainted_minor == 300_000


def test_who_may_mark_and_what(town: Town) -> None:
    supervisor = town.person(HK, Role.SUPERVISOR)
    with pytest.raises(NotFound, match="account of this node"):
        mark(town[HK], "th-1", "omnibus", reason="x", person=supervisor)
    with pytest.raises(InputError, match="mixer"):
        mark(town[HK], "hk-1", "odd", reason="x", person=supervisor)
    with pytest.raises(InputError, match="reason"):
        mark(town[HK], "hk-1", "omnibus", reason=" ", person=supervisor)
    for role in (Role.ANALYST, Role.ADMINISTRATOR, Role.OVERSIGHT, Role.TRAINING):
        with pytest.raises(Forbidden):
            mark(town[HK], "hk-1", "omnibus", reason="x", person=town.person(HK, role))
    with pytest.raises(NotFound, match="marked"):
        unmark(town[HK], "hk-1", reason="x", person=supervisor)
    with town.looking(HK) as tx:
        assert tx.account_marks.all() == []
