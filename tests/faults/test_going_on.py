"""Requests that go on from earlier ones: what they may grow to, and what is left when an earlier one is taken back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from comity.backends.sql import rows
from comity.casework import Request
from comity.errors import InputError
from comity.exchange.retraction import Retraction, make_retraction
from comity.model import Role
from comity.node import answer as answering
from comity.node.answer import answer_by_hand
from comity.node.handling.consent import signing_key
from comity.node.handling.gate import HandlingForbids
from comity.node.run import work
from comity.proofs.canonical import canonical_bytes
from comity.tracing import crossing_document
from tests.faults.test_probing import SHOP, ask, crossing
from tests.nodes.hostile import Hostile
from tests.nodes.laws import NO_ANSWER
from tests.nodes.story import CA, HK, TH, row
from tests.nodes.town import Town

SECOND = crossing(transfer_id="P-02", booked_at="2026-03-01T12:41:00.000000Z")


@pytest.fixture
def asking(held: Town) -> Hostile:
    hostile = Hostile(held, HK)
    hostile.start_after(TH)
    return hostile


def going_on(base: Request, known: Sequence[dict[str, Any]], *withdrawn: str) -> dict[str, Any]:
    """What a request says that goes on from `base`, which was about `known`."""
    digest = sha256(canonical_bytes(list(known))).hexdigest()
    named = {"request": base.payload["request"], "digest": digest}
    return {"since": named, "withdrawn": list(withdrawn)}


def asked(town: Town, hostile: Hostile, crossings: Sequence[dict[str, Any]], **changes: Any) -> Request:
    request = ask(town, hostile, crossings, **changes)
    assert request is not None
    return request


def problem(town: Town) -> str:
    return str(town.events(TH, "alarm.message-refused")[-1].body["problem"])


def take_back(town: Town, hostile: Hostile, request: Request) -> None:
    """Its sender takes back the message that a request came in."""
    with town.looking(TH) as tx:
        item = next(one for one in tx.items.of_case(request.case_id) if one.id == request.message_id)
    retraction = Retraction(
        item=item.digest, message_id=item.id, originator=HK, audience=(), at=town.clock(),
        comply_by=town.clock() + timedelta(hours=1), why="wrong",
    )  # fmt: skip
    signed = make_retraction(retraction, key=signing_key(town[HK], item.compact))
    said = hostile.say(TH, "item.retraction", {"retraction": signed}, purpose="retraction")
    assert said.status == 202
    while work(town[TH]):
        pass
    with town.looking(TH) as tx:
        gone = tx.items.find(item.compact, HK, item.id)
    assert gone is not None
    assert gone.state == "retracted"


# --- what it may grow to ---------------------------------------------------------------------------------------


def test_all_that_goes_on_stays_within_what_one_case_may_ask(
    held: Town, asking: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message is small; what they are about together is counted, and the last that fits is still taken."""
    monkeypatch.setattr(answering, "MAX_PIECES", 5)
    first = asked(held, asking, [crossing()])
    four = crossing(transfer_id="P-02", pieces=[{"amount_minor": 1, "tainted": not i % 2} for i in range(4)])
    second = asked(held, asking, [four], **going_on(first, [crossing()]))
    third = crossing(transfer_id="P-03")
    assert ask(held, asking, [third], **going_on(second, [crossing(), four])) is None
    assert "1 to 5 pieces in a case" in problem(held)
    assert ask(held, asking, [four, third, crossing()], case="another") is None


@pytest.mark.parametrize("tainted", [True, False])
def test_a_piece_of_nothing_beside_others_is_no_piece(held: Town, asking: Hostile, tainted: bool) -> None:
    held.give(SHOP)
    pieces = [{"amount_minor": 0, "tainted": tainted}, {"amount_minor": 100, "tainted": True}]
    assert ask(held, asking, [crossing(pieces=pieces)]) is None
    assert "empty piece" in problem(held)


def test_nor_in_an_answer(held: Town) -> None:
    """What a peer tells us is what we ask the next one about, who would refuse it."""
    with held.looking(CA) as tx:
        request = next(one for one in tx.requests.all() if one.peer == HK and one.direction == "out")
        told = next(one for one in tx.cases.traces(request.case_id) if one.source == HK)
    way_out = crossing_document(told.trace.exits[0])
    way_out["pieces"] = [{"amount_minor": 0, "tainted": True}, *way_out["pieces"]]
    with held[CA].records.transaction() as tx:
        tx.requests.put(replace(request, state="sent", answer=None, refusal=None))
    hostile = Hostile(held, HK)
    hostile.start_after(CA)
    said = {
        "request": request.id, "case": request.case_id, "rule": told.trace.rule, "holdings": [], "chokes": [],
        "exits": [way_out], "gaps": [], "unmatched": [], "holds": [],
    }  # fmt: skip
    hostile.say(CA, "trace_and_hold.answer", said, in_reply_to=request.message_id)
    work(held[CA])
    with held.looking(CA) as tx:
        assert tx.requests.get(request.id).state == "lapsed"
    assert "empty piece" in str(held.events(CA, "request.lapsed")[-1].body["reasons"])


def test_what_could_not_be_read_again_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_BYTES", 10)
    fits = rows.json_bytes("x" * 8)
    assert rows.json_value(fits) == "x" * 8
    with pytest.raises(InputError, match="at most 10 bytes of JSON in one record"):
        rows.json_bytes("x" * 9)
    with pytest.raises(InputError, match="at most 10 bytes"):
        rows.json_value(b'"' + b"x" * 9 + b'"')


def test_a_transfer_is_withdrawn_once(held: Town, asking: Hostile) -> None:
    first = asked(held, asking, [crossing()])
    assert ask(held, asking, [], **going_on(first, [crossing()], "P-01", "P-01")) is None
    assert "each withdrawn transfer once" in problem(held)


# --- what was taken back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("links", [1, 2])
def test_what_was_taken_back_is_not_answered_through_what_went_on_from_it(
    held: Town, asking: Hostile, links: int
) -> None:
    """The newest message stands, and all that it goes on from is asked too, however far back."""
    held.give(SHOP, row("P-02", 41.0, "hk-spy>th-2", 100))
    first = asked(held, asking, [crossing()])
    last, known = first, [crossing()]
    if links == 2:
        last = asked(held, asking, [SECOND], **going_on(first, known))
        known = [*known, SECOND]
    assert last.state == "answered"
    held.law(TH, NO_ANSWER)
    waiting = asked(held, asking, [], **going_on(last, known))
    assert waiting.state == "acknowledged"
    take_back(held, asking, first)
    with pytest.raises(HandlingForbids, match=first.message_id):
        answer_by_hand(held[TH], waiting.id, person=held.person(TH, Role.SUPERVISOR))
    with held.looking(TH) as tx:
        assert tx.requests.get(waiting.id).answer is None


def test_what_was_taken_back_is_not_gone_on_from(held: Town, asking: Hostile) -> None:
    held.give(SHOP)
    first = asked(held, asking, [crossing()])
    take_back(held, asking, first)
    assert ask(held, asking, [], **going_on(first, [crossing()])) is None
    assert "goes on from one that we answered" in problem(held)


def test_one_name_for_two_requests_hides_none_of_them(held: Town, asking: Hostile) -> None:
    """Names are the sender's: a second request of the same name, that goes on from the first, ends no walk early."""
    held.give(SHOP, row("P-02", 41.0, "hk-spy>th-2", 100))
    first = asked(held, asking, [crossing()])
    same = going_on(first, [crossing()])
    held.law(TH, NO_ANSWER)
    waiting = asked(held, asking, [SECOND], request=first.payload["request"], **same)
    assert waiting.payload["request"] == first.payload["request"]
    take_back(held, asking, first)
    with pytest.raises(HandlingForbids, match=first.message_id):
        answer_by_hand(held[TH], waiting.id, person=held.person(TH, Role.SUPERVISOR))


# --- nothing is left -------------------------------------------------------------------------------------------


def test_that_nothing_is_left_may_be_said_without_going_on(held: Town, asking: Hostile) -> None:
    """To who has the case, and to nobody else: there an empty request asks about nothing."""
    held.give(SHOP)
    first = asked(held, asking, [crossing()])
    assert any(hold.case_id == first.case_id for hold in held.holds(TH))
    nothing = asked(held, asking, [])
    assert nothing.case_id == first.case_id
    assert nothing.state == "answered"
    assert nothing.answer is not None
    assert nothing.answer["holdings"] == []
    assert {hold.state for hold in held.holds(TH) if hold.case_id == first.case_id} == {"released"}
    assert ask(held, asking, [], case="never asked") is None
    assert "a case that was asked about before" in problem(held)
