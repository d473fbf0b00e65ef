"""A member whose messages verify and whose contents do not: nothing fails, nothing of it is believed, and the
others' work goes on.
"""

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.casework import Request
from comity.exchange import Next, Queue, Receipt, Status, make_receipt
from comity.node.hear import MAX_EXITS, MAX_ROWS, hear
from comity.node.hold import hold_document
from comity.node.run import work
from comity.proofs.canonical import MAX_DEPTH
from comity.tracing import crossing_document, holding_document
from tests.nodes.hostile import Hostile
from tests.nodes.mutations import mutated
from tests.nodes.story import CA, HK, TH, pooled, row
from tests.nodes.town import Town

MANY = settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.fixture
def hostile(held: Town) -> Hostile:
    """Hong Kong turns hostile after the story: it knows the requests, the case numbers and the holds."""
    hostile = Hostile(held, HK)
    for victim in (CA, TH):
        hostile.start_after(victim)
    return hostile


def our_request(town: Town) -> Request:
    return next(one for one in town.requests(CA) if one.peer == HK)


def run_again(town: Town, request: Request) -> None:
    """Put the request back to where it waits for its answer."""
    with town[CA].records.transaction() as tx:
        tx.requests.put(replace(request, state="sent", answer=None, refusal=None))


def request_payload(town: Town) -> dict[str, Any]:
    """What the origin asked Thailand, as Hong Kong might ask it."""
    request = next(one for one in town.requests(CA) if one.peer == TH)
    return {"request": "request-x", "basis": dict(request.basis), **request.payload, "case": "case-of-hk"}


def answer_payload(town: Town) -> dict[str, Any]:
    request = our_request(town)
    with town.looking(HK) as tx:
        (mine,) = tx.cases.traces(town.case(HK).id)
        holds = tx.holds.of_case(mine.case_id)
    return {
        "request": request.id, "case": request.case_id, "rule": "fifo",
        "holdings": [holding_document(one) for one in mine.trace.holdings[:2]],
        "exits": [crossing_document(one) for one in mine.trace.exits[:1]], "gaps": [], "unmatched": [],
        "holds": [hold_document(one) for one in holds[:1]],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("levels", "status"), [(MAX_DEPTH - 2, 202), (MAX_DEPTH - 1, 202), (MAX_DEPTH, 400), (MAX_DEPTH + 1, 400)]
)
def test_a_payload_nests_as_deeply_as_it_can_be_kept(
    hostile: Hostile, levels: int, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    nested = b'{"a":' * levels + b"0" + b"}" * levels
    assert hostile.say(CA, "notice", nested).status == status
    assert "Traceback" not in "".join(capfd.readouterr())


def heard_without_fault(town: Town, victim: str) -> None:
    """Everything that was accepted was handled or refused; nothing had to be put away as our own fault."""
    while hear(town[victim]):
        pass
    with town.looking(victim) as tx:
        assert set(tx.inbox.counts()) <= {"handled"}, tx.inbox.counts()


def others_go_on(town: Town, victim: str) -> None:
    """A new theft is followed and held as if nothing had been."""
    town.give(row("V-01", 50, "ca-other>th-9", 700))
    case = town.report(CA, report_id="R-after", transfers=["V-01"])
    town.settle()
    assert town.found(case.id) == {("th-9", "USD"): 700}


def test_requests_almost_right(held: Town, hostile: Hostile) -> None:
    payload = request_payload(held)

    @MANY
    @given(said=mutated(payload))
    def ask(said: dict[str, Any]) -> None:
        assert hostile.say(TH, "trace_and_hold.request", said).status == 202
        heard_without_fault(held, TH)
        work(held[TH])

    ask()
    others_go_on(held, TH)


def test_answers_almost_right(held: Town, hostile: Hostile) -> None:
    request, payload = our_request(held), answer_payload(held)

    @MANY
    @given(said=mutated(payload))
    def answer(said: dict[str, Any]) -> None:
        run_again(held, request)
        done = hostile.say(CA, "trace_and_hold.answer", said, in_reply_to=request.message_id)
        assert done.status == 202
        heard_without_fault(held, CA)
        work(held[CA])
        held.case_page(CA, request.case_id)

    answer()
    assert held.events(CA, "alarm.case-stuck") == []
    others_go_on(held, CA)


@MANY
@given(data=st.data())
def test_refusals_holds_and_receipts_almost_right(held: Town, hostile: Hostile, data: st.DataObject) -> None:
    request = our_request(held)
    hold = next(one for one in held.holds(HK))
    receipt = make_receipt(
        Receipt(
            status=Status.HANDLED, message_id=request.message_id, envelope_digest="0" * 64, sender=CA,
            receiver=HK, at=held.clock(),
        ),
        key=held[HK].keys.signing,
    )  # fmt: skip
    kinds: dict[str, dict[str, Any]] = {
        "trace_and_hold.refusal": {
            "request": request.id, "case": request.case_id, "ground": "sovereignty", "text": "No."
        },
        "hold.changed": {"case": request.case_id, "hold": hold_document(hold)},
        "receipt": {"receipt": receipt},
        "something.else": {"x": 1},
    }  # fmt: skip
    kind = data.draw(st.sampled_from(sorted(kinds)))
    said = data.draw(mutated(kinds[kind]))
    run_again(held, request)
    assert hostile.say(CA, kind, said, in_reply_to=request.message_id).status == 202
    heard_without_fault(held, CA)
    work(held[CA])
    held.case_page(CA, request.case_id)


# --- one by one ----------------------------------------------------------------------------------------


def refused(town: Town, victim: str) -> str:
    """Why the last message was refused."""
    heard_without_fault(town, victim)
    return str(town.events(victim, "alarm.message-refused")[-1].body["problem"])


@pytest.mark.parametrize("name", ["evil\nname", "evil\x1b[31m", "\u202eevil", "\u2028"])
def test_text_that_no_receipt_may_carry_is_refused_like_any_other(
    held: Town, hostile: Hostile, name: str
) -> None:
    """The reason repeats what the peer wrote; that must not keep us from saying it, or block the queue."""
    payload = request_payload(held)
    payload["crossings"] = [{**payload["crossings"][0], "transfer_id": name, "to_country": "ZZ"}]
    hostile.say(TH, "trace_and_hold.request", payload)
    assert "into ZZ" in refused(held, TH)
    others_go_on(held, TH)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"crossings": []}, "1 to 10000"),
        ({"crossings": [{}] * 10_001}, "1 to 10000"),
        ({"crossings": [{}] * 200_000}, "1 to 10000"),
        ({"rule": "hearsay"}, "tracing rules"),
        ({"offence": "rudeness"}, "cyber_fraud"),
        ({"basis": {}}, "instrument"),
        ({"basis": {"instrument": "x" * 201}}, "instrument"),
        ({"basis": {"instrument": "a\tb"}}, "instrument"),
        ({"case": ""}, "case"),
        ({"facts": "x" * 2_001}, "facts"),
        ({"report": "x" * 1_000_000}, "report"),
        ({"urgent": 1}, "bool"),
        ({"expires_at": "soon"}, "time"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_requests_that_are_refused(held: Town, hostile: Hostile, change: dict[str, Any], says: str) -> None:
    before = len(held.requests(TH))
    hostile.say(TH, "trace_and_hold.request", {**request_payload(held), **change})
    assert says in refused(held, TH)
    assert len(held.requests(TH)) == before


def test_a_basis_that_nobody_knows_is_refused_on_that_ground(held: Town, hostile: Hostile) -> None:
    payload = {
        **request_payload(held),
        "basis": {"instrument": "Nothing", "usable": True, "confidence": "high"},
    }
    hostile.say(TH, "trace_and_hold.request", payload)
    heard_without_fault(held, TH)
    request = held.requests(TH)[-1]
    assert request.refusal is not None
    assert request.refusal["ground"] == "no-usable-basis"


def test_inflows_that_our_book_does_not_show_hold_nothing(held: Town, hostile: Hostile) -> None:
    """A peer cannot have an innocent account held by naming it."""
    before = held.holds(TH)
    payload = request_payload(held)
    for change in ({"transfer_id": "T-99"}, {"to_account": "th-shop"}, {"currency": "CAD"}):
        crossing = {**payload["crossings"][0], **change}
        hostile.say(TH, "trace_and_hold.request", {**payload, "case": str(change), "crossings": [crossing]})
    heard_without_fault(held, TH)
    assert held.holds(TH) == before


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("holdings", {"country": "TH"}),
        ("exits", {"from_country": "TH"}),
        ("exits", {"from_country": ""}),
    ],
)
def test_nobody_speaks_of_another_countrys_book(
    held: Town, hostile: Hostile, where: str, change: dict[str, Any]
) -> None:
    request, payload = our_request(held), answer_payload(held)
    run_again(held, request)
    payload[where] = [{**payload[where][0], **change}]
    hostile.say(CA, "trace_and_hold.answer", payload, in_reply_to=request.message_id)
    assert "holdings in HK and exits from there" in refused(held, CA)


def test_answers_to_what_it_was_not_asked(held: Town, hostile: Hostile) -> None:
    to_thailand = next(one for one in held.requests(CA) if one.peer == TH)
    before = held.found(held.case(CA).id)
    for request, reply_to in (
        (to_thailand.id, to_thailand.message_id), ("request-nowhere", ""), (our_request(held).id, "message-x"),
    ):  # fmt: skip
        payload = {**answer_payload(held), "request": request}
        hostile.say(CA, "trace_and_hold.answer", payload, in_reply_to=reply_to)
        assert "request" in refused(held, CA)
    assert held.found(held.case(CA).id) == before == pooled()


def test_an_answer_twice_counts_once(held: Town, hostile: Hostile) -> None:
    request, payload = our_request(held), answer_payload(held)
    hostile.say(CA, "trace_and_hold.answer", {**payload, "holdings": []}, in_reply_to=request.message_id)
    assert "running request" in refused(held, CA)
    assert held.found(request.case_id) == pooled()


@pytest.mark.parametrize("state", ["bogus", "", "HELD"])
def test_a_hold_in_a_state_that_does_not_exist_is_not_counted(
    held: Town, hostile: Hostile, state: str
) -> None:
    told = next(one for one in held.holds(CA, own=False) if one.holder == HK)
    document = {**hold_document(told), "state": state}
    hostile.say(CA, "hold.changed", {"case": told.case_id, "hold": document})
    assert "state" in refused(held, CA)


def test_nobody_changes_another_members_hold(held: Town, hostile: Hostile) -> None:
    thai = next(one for one in held.holds(CA, own=False) if one.holder == TH)
    hostile.say(
        CA, "hold.changed", {"case": thai.case_id, "hold": {**hold_document(thai), "state": "released"}}
    )
    assert "told us of" in refused(held, CA)
    assert {one.state for one in held.holds(CA, own=False)} == {"held"}


def test_a_hold_does_not_move_to_another_case(held: Town, hostile: Hostile) -> None:
    """The same number told for a second case leaves the first as it was."""
    held.give(row("W-01", 60, "ca-w>hk-w", 900))
    case = held.report(report_id="R-W", transfers=["W-01"])
    work(held[CA])
    request = next(one for one in held.requests(CA) if one.case_id == case.id)
    payload = {**answer_payload(held), "request": request.id, "case": case.id}
    hostile.say(CA, "trace_and_hold.answer", payload, in_reply_to=request.message_id)
    assert "another case" in refused(held, CA)
    assert all(one.case_id != case.id for one in held.holds(CA, own=False))


@pytest.mark.parametrize(
    "change",
    [
        {"holdings": [{}]}, {"holdings": None}, {"exits": [1]}, {"rule": "prorata"}, {"gaps": {}},
        {"holds": [{}]}, {"holds": None}, {"holds": [{"hold": "h", "amount_minor": 1}]},
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_cannot_be_read_does_not_leave_the_request_waiting(
    held: Town, hostile: Hostile, change: dict[str, Any]
) -> None:
    """Nothing of it is believed, and the case does not wait thirty days for another."""
    request, payload = our_request(held), answer_payload(held)
    before = held.found(request.case_id)
    run_again(held, request)
    hostile.say(CA, "trace_and_hold.answer", {**payload, **change}, in_reply_to=request.message_id)
    heard_without_fault(held, CA)
    with held.looking(CA) as tx:
        assert tx.requests.get(request.id).state == "lapsed"
    assert held.found(request.case_id) == before


def test_a_hold_of_more_than_rests_there_is_not_believed(held: Town, hostile: Hostile) -> None:
    request, payload = our_request(held), answer_payload(held)
    run_again(held, request)
    payload["holds"] = [{**payload["holds"][0], "amount_minor": 10**12}]
    hostile.say(CA, "trace_and_hold.answer", payload, in_reply_to=request.message_id)
    heard_without_fault(held, CA)
    assert all(one.amount_minor < 10**12 for one in held.holds(CA, own=False))
    with held.looking(CA) as tx:
        assert tx.requests.get(request.id).state == "lapsed"


def test_a_flood_of_exits_keeps_nobody_waiting_and_fills_no_log(held: Town, hostile: Hostile) -> None:
    """As many exits as one answer may have, all to where nobody has a book; and then more."""
    request, payload = our_request(held), answer_payload(held)
    run_again(held, request)
    (crossing,) = payload["exits"]
    payload["exits"] = [
        {**crossing, "transfer_id": f"X-{number}", "to_country": "ZZ"} for number in range(MAX_EXITS)
    ]
    events = len(held.events(CA))
    assert hostile.say(CA, "trace_and_hold.answer", payload, in_reply_to=request.message_id).status == 202
    started = time.process_time()
    work(held[CA])
    work(held[CA])
    assert time.process_time() - started < 10
    with held.looking(CA) as tx:
        assert tx.requests.get(request.id).state == "answered"
    assert len(held.events(CA)) - events < 100
    payload["exits"] = [{}] * (MAX_ROWS + 1)
    run_again(held, request)
    hostile.say(CA, "trace_and_hold.answer", payload, in_reply_to=request.message_id)
    assert "at most" in refused(held, CA)


def test_a_receipt_is_never_answered_with_a_receipt(held: Town, hostile: Hostile) -> None:
    before = held.queued(CA)
    for _ in range(3):
        hostile.say(CA, "receipts", {"receipts": ["nonsense"]})
    heard_without_fault(held, CA)
    assert held.queued(CA) == before


def test_a_refused_request_is_not_asked_for_ever(town: Town) -> None:
    """A peer that takes every request and refuses to handle it: each basis a few times, then it stays open."""
    hostile = Hostile(town, HK)
    case = town.report()
    for _ in range(40):
        work(town[CA])
        with town.looking(CA) as tx:
            queue = Queue(town[CA].compact().name, HK)
            waiting = tx.outbox.due(town.clock(), queue, most=64, most_bytes=1 << 22)
        for outgoing in waiting:
            with town[CA].records.transaction() as tx:
                tx.outbox.settle(outgoing, how=Next.ACCEPTED, receipt=None, why="")
            if outgoing.type == "receipts":
                continue
            receipt = Receipt(
                status=Status.REFUSED, message_id=outgoing.message_id, envelope_digest=outgoing.digest, sender=CA,
                receiver=HK, at=town.clock(), reason_code="input", reason_text="not for us",
            )  # fmt: skip
            said = {"receipts": [make_receipt(receipt, key=town[HK].keys.signing)]}
            hostile.say(CA, "receipts", said)
    bases = Counter(one.basis["instrument"] for one in town.requests(CA))
    assert len(bases) > 1
    assert max(bases.values()) <= 5
    assert {one.state for one in town.requests(CA)} == {"lapsed"}
    assert len(town.events(CA, "trace.left-open")) == 1
    assert "open" in town.case_page(CA, case.id).status
