"""What we ask for by ourselves has bounds: no peer makes us ask without end, or ask whom it likes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comity.exchange.consent import Answer
from comity.model import Permission, Permitted
from comity.node.handling import answering, consent
from comity.node.handling.consent import ask_for
from comity.node.handling.gate import PURPOSE, Barred
from comity.node.hear import hear
from comity.node.sweep import sweep
from tests.nodes.hostile import Hostile
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import WATCH, Town
from tests.unit.test_obligations import CODED, answers, decide, hostile_answer, items, questions, restrict
from tests.unit.test_widen import told

MADE_UP = ("ab" * 32,)


def coded(**changes: Any) -> Any:
    return replace(CODED, audience=(CA, HK, TH), **changes)


def say(hk: Hostile, town: Town, count: int, **changes: Any) -> None:
    """HK tells CA notices that may be read only with a consent."""
    for _ in range(count):
        notice = {"case": {"origin": "", "id": ""}, "subject": "S", "text": "T", "attachments": []}
        hk.say(CA, "notice", notice, handling=coded(**changes), purpose=PURPOSE)
    hear(town[CA])


def asked(town: Town, *peers: str) -> list[Any]:
    with town.looking(CA) as tx:
        return [
            one for one in tx.consents.all() if one.direction == "out" and (not peers or one.peer in peers)
        ]


def test_a_peer_makes_us_ask_only_so_much_at_a_time(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message names two others; and what nobody is asked about does not wait for ever."""
    monkeypatch.setattr(consent, "MOST_OPEN", 10)
    hk = Hostile(town, HK)
    say(hk, town, 20, originators=(HK, TH, WATCH), sources=MADE_UP)
    assert len(asked(town)) == 10
    (alarm, *_) = town.events(CA, "alarm.too-many-questions")
    assert (alarm.body["peer"], alarm.body["open"]) == (HK, 10)
    sweep(town[CA])
    with town.looking(CA) as tx:
        assert tx.inbox.counts().get("waiting", 0) <= 10
    th = Hostile(town, TH)
    th.say(
        CA, "notice", {"case": {"origin": "", "id": ""}, "subject": "S", "text": "T", "attachments": []},
        handling=replace(coded(), originators=(TH,)), purpose=PURPOSE,
    )  # fmt: skip
    hear(town[CA])
    assert len(asked(town)) == 11
    town.clock.advance(days=31)
    say(hk, town, 1)
    assert len(asked(town)) == 12


def test_only_members_that_could_know_it_are_asked(town: Town) -> None:
    """Whoever is named without a source could not tell what it is about; who is no member is nobody to us."""
    hk = Hostile(town, HK)
    say(hk, town, 1, originators=(HK, TH, "stranger"))
    assert [one.peer for one in asked(town)] == [HK]
    say(hk, town, 1, originators=(HK, TH, "stranger"), sources=MADE_UP)
    assert sorted(one.peer for one in asked(town)) == [HK, HK, TH]


def stands(town: Town, *whom: str) -> Barred:
    item = answers(town, CA, HK)[0]
    return Barred(
        item=item, action="read", recipient=CA, purpose=PURPOSE,
        permitted=Permitted(permission=Permission.ASK, ask=whom or (HK,)),
    )  # fmt: skip


@pytest.mark.parametrize("state", ["asked", "granted", "refused", "withdrawn"])
def test_the_same_use_is_asked_for_once(town: Town, state: str) -> None:
    """However many messages run into it; also where the answer was no. A person may ask again."""
    hostile_answer(town, CODED)
    (row,) = [one for one in asked(town) if one.action == "read"]
    with town[CA].records.transaction() as tx:
        tx.consents.put(replace(row, state=state))
    for _ in range(3):
        with town[CA].records.transaction() as tx:
            assert ask_for(town[CA], tx, stands(town), actor="node") == []
    assert len([one for one in asked(town) if one.action == "read"]) == 1


def test_what_ran_out_is_asked_for_again(town: Town) -> None:
    hostile_answer(town, CODED)
    town.clock.advance(days=31)
    with town[CA].records.transaction() as tx:
        assert len(ask_for(town[CA], tx, stands(town), actor="node")) == 1


def test_a_peer_that_asks_again_and_again_after_a_refusal_makes_us_ask_nobody(town: Town) -> None:
    """HK does not allow CA to tell TH: TH's own requests, and CA's looks at the case, ask HK no more."""
    restrict(town, HK)
    case = town.report()
    town.settle()
    decide(town, HK, Answer.REFUSAL)
    town.settle()
    before = len(asked(town))
    for _ in range(3):
        with town[CA].records.transaction() as tx:
            tx.cases.want_pursuit(case.id)
        town.settle()
    assert len(asked(town)) == before


def test_where_nobody_can_be_asked_the_case_says_that_it_is_left_open(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "MOST_OPEN", 0)
    restrict(town, HK)
    case = town.report()
    town.settle()
    assert asked(town) == []
    assert not items(town, TH, "in")
    (left,) = [one for one in town.events(CA, "trace.left-open") if one.body["peer"] == TH]
    assert left.body["why"] == f"{HK} cannot be asked to allow that {TH} is told"
    assert town.case_page(CA, case.id).status == "followed, but a part left open"


# --- a peer's questions to us --------------------------------------------------------------------------------------


def question(town: Town, number: int, **changes: Any) -> dict[str, Any]:
    item = told(town) if "item" not in changes else None
    return {
        "v": 1, "question": f"consent-{number}", "item": item.digest if item else "", "action": "judicial_use",
        "recipient": HK, "purpose": PURPOSE, "originator": CA, "asker": HK,
        "until": f"{town.clock() + timedelta(days=10):%Y-%m-%dT%H:%M:%S.000000Z}", "sources": [], "why": "", **changes,
    }  # fmt: skip


def test_a_peer_has_one_question_open_for_one_use(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_OPEN", 3)
    first = question(town, 1)
    hk = Hostile(town, HK)
    hk.start_after(CA)
    for number in range(1, 5):
        hk.say(CA, "consent.request", {**first, "question": f"consent-{number}"})
    hear(town[CA])
    assert [one.id for one in questions(town, CA)] == ["consent-1"]
    assert len(town.events(CA, "alarm.message-refused")) == 3
    for number in range(5, 10):
        hk.say(CA, "consent.request", {**first, "question": f"consent-{number}", "action": f"use-{number}"})
    hear(town[CA])
    assert len(questions(town, CA)) == 3
    decide(town, CA, Answer.REFUSAL)
    hk.say(CA, "consent.request", {**first, "question": "consent-10"})
    hear(town[CA])
    assert [one.id for one in questions(town, CA)] == ["consent-10"]
