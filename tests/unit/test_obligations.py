"""What came from others is used, told on and shown only as it allows: every exit, and attempts to get around it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from comity.backends.sql.items import Item
from comity.backends.sql.schema import inbox
from comity.errors import Conflict, Forbidden, NotFound
from comity.exchange.consent import Answer, make_word, read_question, verify_word
from comity.exchange.retraction import Retraction, make_retraction, verify_compliance, verify_retraction
from comity.model import ACTIONS, Handling, Permission, Role
from comity.node.answer import answer
from comity.node.handling.answering import answer_by_hand
from comity.node.handling.consent import Wanted, ask_by_hand
from comity.node.handling.exits import require_use
from comity.node.handling.gate import PURPOSE, HandlingForbids, barred, recording
from comity.node.handling.items import made_from
from comity.node.handling.reading import may_be_listed
from comity.node.handling.retract import take_back
from comity.node.handling.sending import to_send
from comity.node.hear import hear
from comity.node.pages.case_page import case_page
from comity.node.pages.desk import NodeDesk
from comity.node.post.send import Letter, send
from comity.node.sweep import sweep
from tests.nodes.hostile import Hostile
from tests.nodes.story import CA, HK, TH, pooled
from tests.nodes.town import WATCH, Town


def restrict(town: Town, node_id: str) -> None:
    """What this node tells is for the one that it tells only."""
    file = town.folder / node_id / "node.toml"
    file.write_text(file.read_text() + 'audience = "asked"\n')
    town.reopen(node_id)


def items(town: Town, node_id: str, direction: str, *, state: str = "held", sender: str = "") -> list[Item]:
    with town.looking(node_id) as tx:
        return [
            one for one in tx.items.all()
            if (one.direction, one.state) == (direction, state) and sender in ("", one.originator)
        ]  # fmt: skip


def answers(town: Town, holder: str, giver: str) -> list[Item]:
    """The items at `holder` that are answers of `giver`, oldest first."""
    with town.looking(holder) as tx:
        return [
            one
            for one in tx.items.all()
            if one.originator == giver and tx.items.type_of(one).endswith(".answer")
        ]


def questions(town: Town, node_id: str) -> list[Any]:
    with town.looking(node_id) as tx:
        return [one for one in tx.consents.all() if one.direction == "in" and one.state == "asked"]


def decide(town: Town, node_id: str, how: Answer, **more: Any) -> None:
    for row in questions(town, node_id):
        answer_by_hand(town[node_id], row.id, how, person=town.person(node_id, Role.SUPERVISOR), **more)


def rests(town: Town, case_id: str) -> Any:
    return +town.found(case_id)


# --- items -----------------------------------------------------------------------------------------------------


def test_every_message_that_says_something_is_an_item_on_both_sides(held: Town) -> None:
    for receiver in (CA, HK, TH):
        for item in items(held, receiver, "in"):
            with held.looking(item.originator) as tx:
                theirs = tx.items.find(item.compact, item.originator, item.id)
            assert theirs is not None
            assert (theirs.digest, theirs.direction) == (item.digest, "out")
            assert receiver in tx_recipients(held, item)
            assert item.case_id
            assert theirs.case_id
    with held.looking(CA) as tx:
        kinds = {tx.items.type_of(one) for one in tx.items.all() if one.direction == "in"}
    assert kinds == {"trace_and_hold.answer"}


def tx_recipients(town: Town, item: Item) -> list[str]:
    with town.looking(item.originator) as tx:
        return list(tx.items.recipients(item.id))


def test_what_is_made_from_anothers_words_carries_their_obligations(held: Town) -> None:
    theirs = answers(held, CA, HK)[0]
    assert theirs.handling.originators == (CA, HK)
    asked = {one.digest for one in items(held, HK, "in")}
    assert set(theirs.handling.sources) <= asked
    assert theirs.handling.sources
    told = [one for one in items(held, TH, "in") if one.originator == CA]
    assert HK in told[-1].handling.originators
    assert theirs.retain_until <= max(one.retain_until for one in items(held, HK, "in")) + timedelta(days=1)


# --- telling others --------------------------------------------------------------------------------------------


def test_what_one_peer_told_goes_to_another_only_with_its_consent(town: Town) -> None:
    restrict(town, HK)
    case = town.report()
    town.settle()
    assert not items(town, TH, "in")
    page = town.case_page(CA, case.id)
    assert page.status == f"waiting for consent of {HK} to tell {TH}"
    asked = town.events(CA, "consent.asked")
    assert [(one.body["peer"], one.body["recipient"]) for one in asked] == [(HK, TH)]
    assert town.events(CA, "handling.forbidden")
    decide(town, HK, Answer.GRANT)
    town.settle()
    assert items(town, TH, "in")
    assert TH in items(town, TH, "in")[0].handling.audience
    decide(town, HK, Answer.GRANT)
    town.settle()


def test_with_every_consent_the_whole_is_found_as_before(town: Town) -> None:
    restrict(town, HK)
    case = town.report()
    for _ in range(12):
        town.settle()
        if not questions(town, HK):
            break
        decide(town, HK, Answer.GRANT)
    assert {key: minor for key, minor in rests(town, case.id).items() if minor} == dict(+pooled())
    assert town.case_page(CA, case.id).status == "followed to the end"


def test_a_refused_consent_leaves_that_part_open(town: Town) -> None:
    restrict(town, HK)
    case = town.report()
    town.settle()
    decide(town, HK, Answer.REFUSAL, why="The source would be known.")
    town.settle()
    assert not items(town, TH, "in")
    assert town.case_page(CA, case.id).status == "followed, but a part left open"
    (left,) = [one for one in town.events(CA, "trace.left-open") if one.body["peer"] == TH]
    assert left.body["why"] == f"{HK} does not allow to tell {TH}"
    assert len(town.events(CA, "consent.asked")) == 1
    with town[CA].records.transaction() as tx:
        tx.cases.want_pursuit(case.id)
    town.settle()
    assert len(town.events(CA, "consent.asked")) == 1


@pytest.mark.parametrize("change", ["days", "withdrawn"])
def test_a_consent_ends_when_it_runs_out_or_is_withdrawn(town: Town, change: str) -> None:
    restrict(town, HK)
    case = town.report()
    town.settle()
    decide(town, HK, Answer.GRANT, days=1)
    town.settle()
    if change == "days":
        town.clock.advance(hours=25)
    else:
        with town.looking(HK) as tx:
            given = [one for one in tx.consents.all() if one.state == "granted"]
        for row in given:
            answer_by_hand(town[HK], row.id, Answer.WITHDRAWAL, person=town.person(HK, Role.SUPERVISOR))
        for _ in range(4):
            town.round()
    with town[CA].records.transaction() as tx, pytest.raises(HandlingForbids):
        send(town[CA], tx, letter(case.id, TH, frozenset({HK})), actor="test")


def letter(case_id: str, peer: str, senders: frozenset[str] | None = None, **changes: Any) -> Letter:
    fields: dict[str, Any] = {
        "compact": "test-compact", "peer": peer, "type": "trace_and_hold.request", "case_id": case_id,
        "purpose": PURPOSE, "legal_basis": "", "payload": {"said": "something"}, "senders": senders,
    }  # fmt: skip
    return Letter(**{**fields, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"senders": None},
        {"type": "notice"},
        {"type": "something.new"},
        {"peer": WATCH},
        {"peer": HK, "also": (TH,)},
        {"purpose": "curiosity", "peer": WATCH},
        {
            "handling": Handling(
                originators=(CA,), audience=(TH,), purposes=(PURPOSE,),
                actions=dict.fromkeys(ACTIONS, Permission.ALLOW),
            )
        },
    ],
)  # fmt: skip
def test_no_letter_gets_around_the_gate(town: Town, changes: dict[str, Any]) -> None:
    """However it is written: other types, other people, several recipients, obligations of our own making."""
    restrict(town, HK)
    case = town.report()
    town.settle()
    before = town.queued(CA), len(town.wires.carried)
    with pytest.raises(HandlingForbids) as refused, town[CA].records.transaction() as tx:
        send(
            town[CA], tx, letter(case.id, **{"peer": TH, "senders": frozenset({HK}), **changes}), actor="test"
        )
    assert f"Ask {HK}: comity consent ask DIR" in refused.value.next_step
    assert (town.queued(CA), len(town.wires.carried)) == before


def test_our_own_words_go_where_we_want(town: Town) -> None:
    """And so does what a peer said, back to itself."""
    restrict(town, HK)
    case = town.report()
    town.settle()
    with town[CA].records.transaction() as tx:
        send(town[CA], tx, letter(case.id, TH, frozenset()), actor="test")
        send(town[CA], tx, letter(case.id, HK, frozenset({HK})), actor="test")


def test_what_a_control_message_may_be_is_closed(town: Town) -> None:
    """No obligations are asked for these: what they carry is written by one function each, and nothing else."""
    from comity.node.handling.sending import CONTROL

    assert {
        "receipts", "register.changed", "attachment.state", "consent.request", "consent.grant",
        "consent.refusal", "consent.withdrawal", "item.retraction", "item.compliance",
        "item.relaxation",
    } == CONTROL  # fmt: skip


def test_a_refusal_by_the_gate_is_recorded_though_the_transaction_is_rolled_back(town: Town) -> None:
    restrict(town, HK)
    case = town.report()
    town.settle()
    before = len(town.events(CA, "handling.forbidden"))

    def tell() -> None:
        with recording(town[CA], case.id, actor="mei"), town[CA].records.transaction() as tx:
            send(town[CA], tx, letter(case.id, TH, frozenset({HK})), actor="mei")

    with pytest.raises(HandlingForbids):
        tell()
    found = town.events(CA, "handling.forbidden")[before:]
    assert [(one.actor, one.body["ask"]) for one in found] == [("mei", [HK])]


# --- other uses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "permission"),
    [
        ("judicial_use", "ask"),
        ("contact_subject", "deny"),
        ("automated_match", "deny"),
        ("quantum_match", "ask"),
    ],
)
def test_what_is_not_allowed_says_whom_to_ask(held: Town, action: str, permission: str) -> None:
    case = held.case(CA)
    with pytest.raises(HandlingForbids) as refused:
        require_use(held[CA], action, case.id, actor="mei")
    assert refused.value.http_status == 403
    assert refused.value.exit_status == 4
    assert refused.value.barred.permitted.permission == permission
    assert ("consent ask" in refused.value.next_step) is (permission == "ask")
    event = held.events(CA, "handling.forbidden")[-1]
    assert (event.actor, event.body["action"], event.body["permission"]) == ("mei", action, permission)


@pytest.mark.parametrize("action", ["read", "search", "link", "derive"])
def test_what_is_usual_is_allowed(held: Town, action: str) -> None:
    require_use(held[CA], action, held.case(CA).id, actor="mei")
    assert held.events(CA, "handling.forbidden") == []


def test_a_consent_lifts_exactly_what_was_asked(held: Town) -> None:
    case, item = held.case(CA), answers(held, CA, HK)[0]
    with held.looking(CA) as tx:
        every = list(made_from(tx, case.id))
    for one in every:
        ask_by_hand(
            held[CA],
            one.id,
            Wanted(action="judicial_use", recipient=CA),
            person=held.person(CA, Role.ANALYST),
        )
    held.settle()
    decide(held, HK, Answer.GRANT)
    held.settle()
    with held.looking(CA) as tx:
        found = barred(held[CA], tx, "judicial_use", [item], recipient=CA, purpose=PURPOSE)
    assert found == []
    decide(held, TH, Answer.GRANT)
    held.settle()
    require_use(held[CA], "judicial_use", case.id, actor="mei")
    for action, recipient, purpose in (
        ("judicial_use", WATCH, PURPOSE), ("judicial_use", CA, "asset-recovery"), ("automated_match", CA, PURPOSE)
    ):  # fmt: skip
        with pytest.raises(HandlingForbids):
            require_use(held[CA], action, case.id, actor="mei", recipient=recipient, purpose=purpose)


# --- taking in -------------------------------------------------------------------------------------------------


CODED = Handling(
    originators=(HK,), audience=(CA, HK), purposes=(PURPOSE,), actions=dict.fromkeys(ACTIONS, Permission.ALLOW),
    codes=("TLP:EX:CHR",),
)  # fmt: skip


def hostile_answer(town: Town, handling: Handling) -> Hostile:
    """HK answers in CA's case under these obligations."""
    town.report()
    town.settle(down=[HK], patience=timedelta(0))
    hk = Hostile(town, HK)
    (request,) = town.requests(CA)
    exits: list[Any] = []
    hk.say(
        CA, "trace_and_hold.answer",
        {"request": request.id, "case": request.case_id, "rule": "fifo", "holdings": [], "exits": exits, "gaps": [],
         "unmatched": [], "holds": []},
        in_reply_to=request.message_id, handling=handling, purpose=PURPOSE,
    )  # fmt: skip
    hear(town[CA])
    return hk


def test_a_message_under_an_unknown_code_waits_for_a_consent(town: Town) -> None:
    hk = hostile_answer(town, CODED)
    (request,) = town.requests(CA)
    assert request.state != "answered"
    assert town.case_page(CA, request.case_id).holdings == town.case_page(CA, request.case_id).holdings
    with town.looking(CA) as tx:
        asked = [one for one in tx.consents.all() if one.direction == "out"]
    assert {(one.action, one.recipient, one.peer) for one in asked} == {("read", CA, HK), ("derive", CA, HK)}
    for one in asked:
        hk.say(CA, "consent.grant", {"word": word(town, hk, one)})
    hear(town[CA])
    hear(town[CA])
    assert town.requests(CA)[0].state == "answered"


def word(town: Town, who: Hostile, row: Any, **changes: Any) -> str:
    question = read_question(row.document["question"])
    from comity.exchange.consent import Word

    now = town.clock()
    fields: dict[str, Any] = {
        "answer": Answer.GRANT, "question": question.id, "use": question.use, "originator": who.member, "asker": CA,
        "at": now, "expires": question.until, "why": "",
    }  # fmt: skip
    return make_word(Word(**{**fields, **changes}), key=who.node.keys.signing)


def test_what_its_originator_denies_to_us_is_refused(town: Town) -> None:
    denied = replace(CODED, codes=(), actions={**CODED.actions, "derive": Permission.DENY})
    hostile_answer(town, denied)
    assert town.requests(CA)[0].state != "answered"
    (alarm,) = town.events(CA, "alarm.message-refused")
    assert alarm.body["code"] == "handling.forbids"


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "recipient"}, {"use": "purpose"}, {"use": "item"}, {"use": "action"}, {"expires": "later"},
        {"question": "consent-other"}, {"asker": TH},
    ],
)  # fmt: skip
def test_a_word_for_anything_else_than_was_asked_is_none(town: Town, changes: dict[str, Any]) -> None:
    hk = hostile_answer(town, CODED)
    with town.looking(CA) as tx:
        row = next(one for one in tx.consents.all() if one.direction == "out")
    use = read_question(row.document["question"]).use
    other = {
        "recipient": replace(use, recipient=TH), "purpose": replace(use, purpose="curiosity"),
        "item": replace(use, item="ab" * 32), "action": replace(use, action="judicial_use"),
    }  # fmt: skip
    if "use" in changes:
        changes = {"use": other[changes["use"]]}
    if "expires" in changes:
        changes = {"expires": town.clock() + timedelta(days=90)}
    hk.say(CA, "consent.grant", {"word": word(town, hk, row, **changes)})
    hear(town[CA])
    assert town.events(CA, "consent.granted") == []
    assert len(town.events(CA, "alarm.message-refused")) == 1


def test_nobody_consents_for_another(town: Town) -> None:
    """TH signs in its own name, in HK's, and brings HK's real word for somebody else."""
    hk = hostile_answer(town, CODED)
    th = Hostile(town, TH)
    with town.looking(CA) as tx:
        row = next(one for one in tx.consents.all() if one.direction == "out")
    for text in (
        word(town, th, row),
        word(town, th, row, originator=HK),
        word(town, hk, row),
    ):
        th.say(CA, "consent.grant", {"word": text})
        hear(town[CA])
    assert town.events(CA, "consent.granted") == []
    assert len(town.events(CA, "alarm.message-refused")) == 3


def test_a_question_about_what_we_never_gave_is_refused(town: Town) -> None:
    town.report()
    town.settle()
    th = Hostile(town, TH)
    th.start_after(HK)
    with town.looking(CA) as tx:
        secret = next(one for one in tx.items.all() if one.originator == HK)
    payload = {
        "v": 1, "question": "consent-x", "item": secret.digest, "action": "disclose_onward", "recipient": WATCH,
        "purpose": PURPOSE, "originator": HK, "asker": TH, "until": "2026-04-01T00:00:00.000000Z", "sources": [],
        "why": "please",
    }  # fmt: skip
    th.say(HK, "consent.request", payload)
    hear(town[HK])
    assert questions(town, HK) == []
    assert town.events(HK, "alarm.message-refused")[-1].body["code"] == "not-found"


def test_only_who_may_decides_about_consents(town: Town) -> None:
    restrict(town, HK)
    town.report()
    town.settle()
    (row,) = questions(town, HK)
    for role in Role:
        if role not in (Role.SUPERVISOR, Role.CENTRAL_AUTHORITY):
            with pytest.raises(Forbidden):
                answer_by_hand(town[HK], row.id, Answer.GRANT, person=town.person(HK, role))
    with pytest.raises(NotFound):
        answer_by_hand(town[CA], row.id, Answer.GRANT, person=town.person(CA, Role.SUPERVISOR))
    decide(town, HK, Answer.GRANT)
    with pytest.raises(Conflict):
        answer_by_hand(town[HK], row.id, Answer.GRANT, person=town.person(HK, Role.SUPERVISOR))


def test_a_grant_can_be_shown_to_a_third_node(town: Town) -> None:
    restrict(town, HK)
    town.report()
    town.settle()
    decide(town, HK, Answer.GRANT)
    town.settle()
    with town.looking(CA) as tx:
        row = next(one for one in tx.consents.all() if one.state == "granted")
    member = town[TH].compact().member(HK)
    shown = verify_word(row.document["word"], keys={member.signing_key_id: member.signing_key}, originator=HK)
    assert (shown.use.recipient, shown.use.item) == (TH, row.item_digest)


# --- taking back -----------------------------------------------------------------------------------------------


def taken_back(town: Town, **more: Any) -> Item:
    """HK takes back all its answers to CA; the first of them, of which TH was told, is returned."""
    given = answers(town, CA, HK)
    for item in given:
        take_back(town[HK], item.id, person=town.person(HK, Role.SUPERVISOR), why="Wrong account.", **more)
    return given[0]


def test_what_is_taken_back_is_gone_at_once_and_then_erased(held: Town) -> None:
    case = held.case(CA)
    before = held.case_page(CA, case.id)
    assert any(one.told_by == HK for one in before.holdings)
    item = taken_back(held)
    for _ in range(2):
        held.round([HK])
    hear(held[CA])
    page = held.case_page(CA, case.id)
    assert not any(one.told_by == HK for one in page.holdings)
    assert not any(one.placed_by == HK for one in page.holds)
    assert f"Retracted by {HK}" in page.withheld
    held.settle()
    with held.looking(CA) as tx:
        now = tx.items.find(item.compact, HK, item.id)
        assert now is not None
        assert (now.state, now.handling.closed) == ("retracted", True)
        assert tx.items.type_of(item)
        from sqlalchemy import text

        (kept,) = tx.items._connection.execute(
            text("SELECT message FROM inbox WHERE id = :id"), {"id": item.id}
        )
    assert kept[0] is None
    held.verify_logs()


def test_the_recipient_signs_that_it_complied_and_whom_it_told(held: Town) -> None:
    item = taken_back(held)
    held.settle()
    (done,) = [one for one in held.events(HK, "item.complied-with") if one.body["item"] == item.id]
    member = held[HK].compact().member(CA)
    keys = {member.signing_key_id: member.signing_key}
    signed = verify_compliance(done.body["compliance"], keys=keys, by=CA)
    assert (signed.item, signed.how, signed.onward) == (item.digest, "closed", (TH,))
    held.clock.advance(hours=48)
    sweep(held[HK])
    assert [one for one in held.events(HK, "alarm.not-complied") if one.body["item"] == item.id] == []


def test_whoever_was_told_onward_closes_it_too(held: Town) -> None:
    assert [one for one in items(held, TH, "in") if HK in one.handling.originators]
    taken_back(held)
    held.settle()
    assert list(items(held, TH, "in", state="retracted", sender=CA))
    left = [one for one in items(held, TH, "in") if HK in one.handling.originators]
    assert left == []
    told = held.events(CA, "item.taken-back")
    assert {peer for one in told for peer in one.body["told"]} == {TH}


def test_a_recipient_that_does_not_comply_raises_an_alarm(held: Town) -> None:
    item = taken_back(held, within=timedelta(hours=2))
    held.settle(down=[CA], patience=timedelta(hours=3))
    sweep(held[HK])
    alarms = held.events(HK, "alarm.not-complied")
    assert (item.id, CA) in {(one.body["item"], one.body["peer"]) for one in alarms}


def test_a_legal_hold_keeps_it_out_of_sight_and_says_so(held: Town) -> None:
    from sqlalchemy import insert

    from comity.backends.sql.schema import legal_holds

    case = held.case(CA)
    with held[CA].records.transaction() as tx:
        tx.items._connection.execute(
            insert(legal_holds).values(
                id="hold-1", case_id=case.id, ground="court", placed_by="lau", placed_at="x", released_by="",
                released_at="",
            )
        )  # fmt: skip
    item = taken_back(held)
    held.settle()
    done = [one for one in held.events(HK, "item.complied-with") if one.body["item"] == item.id]
    assert [one.body["how"] for one in done] == ["kept"]
    assert not any(one.told_by == HK for one in held.case_page(CA, case.id).holdings)


def test_what_was_taken_back_is_not_asked_for_again(held: Town) -> None:
    case = held.case(CA)
    before = len([one for one in held.requests(CA) if one.peer == HK])
    taken_back(held)
    held.settle()
    assert len([one for one in held.requests(CA) if one.peer == HK]) == before
    assert held.case_page(CA, case.id).status == "followed, but a part left open"


@pytest.mark.parametrize("exit_", ["page", "list", "proof", "use", "send", "answer", "cli"])
def test_what_was_taken_back_leaves_by_no_exit(held: Town, exit_: str) -> None:
    """CA takes back its request: HK's copy of the case, which is nothing but that, is closed everywhere."""
    case = held.case(HK)
    with held.looking(HK) as tx:
        requests = list(tx.requests.of_case(case.id))
        told = [one for one in tx.items.of_case(case.id) if one.direction == "in"]
        about = next(event for event, _ in tx.events.of_case(case.id) if event.kind == "case.opened")
    for item in told:
        take_back(held[CA], item.id, person=held.person(CA, Role.SUPERVISOR), why="Mistaken.")
    held.settle()
    hk, analyst = held[HK], held.person(HK, Role.ANALYST)
    tries: dict[str, Callable[[], Any]] = {
        "page": lambda: NodeDesk(hk).case(analyst, case.id),
        "proof": lambda: NodeDesk(hk).event_proof(analyst, about.id),
        "use": lambda: require_use(hk, "judicial_use", case.id, actor="mei"),
        "answer": lambda: answer(hk, requests[-1].id, actor="policy"),
    }
    if exit_ in tries:
        with pytest.raises((HandlingForbids, Conflict)) as refused:
            tries[exit_]()
        if exit_ != "answer":
            assert f"retracted by {CA}" in str(refused.value)
    elif exit_ == "list":
        (row,) = NodeDesk(hk).cases(analyst)
        assert (row.title, row.status, row.reported) == ("Withheld", f"Retracted by {CA}", ())
    elif exit_ == "cli":
        with held.looking(HK) as tx, pytest.raises(HandlingForbids):
            case_page(hk, tx, case.id)
    else:
        with hk.records.transaction() as tx:
            assert made_from(tx, case.id) == []


def test_nobody_takes_back_what_is_anothers(held: Town) -> None:
    """TH names HK's message, with its own signature, with HK's name, and with HK's real retraction of it."""
    item = answers(held, CA, HK)[-1]
    th = Hostile(held, TH)
    th.start_after(CA)
    from comity.exchange.retraction import Retraction, make_retraction

    now = held.clock()
    wanted = Retraction(
        item=item.digest, message_id=item.id, originator=TH, audience=(), at=now, comply_by=now + timedelta(hours=1),
        why="",
    )  # fmt: skip
    real = make_retraction(replace(wanted, originator=HK), key=held[HK].keys.signing)
    for text in (
        make_retraction(wanted, key=held[TH].keys.signing),
        make_retraction(replace(wanted, originator=HK), key=held[TH].keys.signing),
        real,
    ):
        th.say(CA, "item.retraction", {"retraction": text})
        hear(held[CA])
    assert len(held.events(CA, "alarm.message-refused")) == 3
    assert items(held, CA, "in", state="retracted") == []


def test_leaving_it_to_fewer_closes_it_for_the_others(held: Town) -> None:
    """HK leaves its answer to CA alone: CA keeps it, and TH, whom CA told of it, closes it."""
    case, item = held.case(CA), answers(held, CA, HK)[0]
    for one in answers(held, CA, HK):
        take_back(
            held[HK],
            one.id,
            person=held.person(HK, Role.SUPERVISOR),
            why="Source at risk.",
            audience=[CA, HK],
        )
    held.settle()
    with held.looking(CA) as tx:
        now = tx.items.find(item.compact, HK, item.id)
    assert now is not None
    assert (now.state, now.handling.audience) == ("held", (CA, HK))
    assert any(one.told_by == HK for one in held.case_page(CA, case.id).holdings)
    assert [one for one in items(held, TH, "in") if item.digest in one.handling.sources] == []


def test_shrinking_adds_nobody(held: Town) -> None:
    from comity.errors import InputError

    item = answers(held, CA, HK)[0]
    with pytest.raises(InputError):
        take_back(
            held[HK], item.id, person=held.person(HK, Role.SUPERVISOR), why="", audience=[CA, HK, "stranger"]
        )
    with pytest.raises(NotFound):
        take_back(held[CA], item.id, person=held.person(CA, Role.SUPERVISOR), why="")
    with pytest.raises(Forbidden):
        take_back(held[HK], item.id, person=held.person(HK, Role.ANALYST), why="")


def test_what_is_to_be_kept_no_longer_goes(held: Town) -> None:
    held.clock.advance(days=91)
    case = held.case(CA)
    assert not any(one.told_by == HK for one in held.case_page(CA, case.id).holdings)
    sweep(held[CA])
    assert items(held, CA, "in") == []
    assert items(held, CA, "in", state="expired")
    assert held.events(CA, "item.expired")


# --- compacts --------------------------------------------------------------------------------------------------


def test_nothing_leaves_its_compact(held: Town) -> None:
    """Whatever its obligations say: an item of one compact is nothing to another."""
    case = held.case(CA)
    with held.looking(CA) as tx:
        found = barred(
            held[CA],
            tx,
            "disclose_onward",
            made_from(tx, case.id),
            recipient=TH,
            purpose=PURPOSE,
            compact="another",
        )
        assert found
        assert {one.permitted.permission for one in found} == {Permission.DENY}
        with pytest.raises(Exception, match="another"):
            to_send(
                held[CA], tx, compact="another", peers=(TH,), type_="trace_and_hold.request", case_id=case.id,
                purpose=PURPOSE, senders=None,
            )  # fmt: skip


def test_retraction_is_what_its_originator_signed(held: Town) -> None:
    item = taken_back(held)
    event = held.events(HK, "item.taken-back")[0]
    member = held[CA].compact().member(HK)
    keys = {member.signing_key_id: member.signing_key}
    signed = verify_retraction(event.body["retraction"], keys=keys, originator=HK)
    assert (signed.item, signed.audience) == (item.digest, ())


def test_a_node_in_two_compacts_tells_neither_what_the_other_told_it(held: Town) -> None:
    """The same members, a second compact: the case of the first, its items and its words stay in the first."""
    from comity.errors import ComityError
    from comity.node.registers.admit import create, join

    members = (CA, HK, TH)
    file = held.folder / "second.json"
    create(file, [held.folder / one for one in members], name="second-desk", problem="Something else")
    for one in members:
        join(held[one], file, actor="test")
    case, before = held.case(CA), len(held.wires.carried)
    for senders in (None, frozenset({HK}), frozenset[str]()):
        tried = letter(case.id, TH, senders, compact="second-desk")
        with pytest.raises(ComityError), held[CA].records.transaction() as tx:
            send(held[CA], tx, tried, actor="test")
    with held[CA].records.transaction() as tx:
        tx.cases.want_pursuit(case.id)
    held.settle()
    for node_id in members:
        for item in items(held, node_id, "out") + items(held, node_id, "in"):
            assert item.compact == "test-compact"
        assert {
            one.body.get("compact", "test-compact") for one in held.events(node_id, "message.queued")
        } == {"test-compact"}
    assert len(held.wires.carried) >= before


# --- what waits, and what is too much --------------------------------------------------------------------------


def states_of(town: Town, node_id: str, type_: str) -> list[str]:
    with town.looking(node_id) as tx:
        rows = tx.items._connection.execute(select(inbox.c.state).where(inbox.c.type == type_))
        return list(rows.scalars())


def said_back(town: Town, who: Hostile, item: Item) -> str:
    now = town.clock()
    return make_retraction(
        Retraction(
            item=item.digest, message_id=item.id, originator=who.member, audience=(), at=now,
            comply_by=now + timedelta(hours=1), why="",
        ),
        key=who.node.keys.signing,
    )  # fmt: skip


@pytest.mark.parametrize("end", ["taken back", "run out"])
def test_a_consent_for_what_is_gone_by_now_stops_nothing(town: Town, end: str) -> None:
    """The message waits, is taken back (or is to be kept no longer), and then what it waited for arrives."""
    hk = hostile_answer(town, replace(CODED, retention_days=1))
    with town.looking(CA) as tx:
        asked = [one for one in tx.consents.all() if one.direction == "out"]
    (waits,) = answers(town, CA, HK)
    assert states_of(town, CA, "trace_and_hold.answer") == ["waiting"]
    if end == "taken back":
        hk.say(CA, "item.retraction", {"retraction": said_back(town, hk, waits)})
        hear(town[CA])
    else:
        town.clock.advance(hours=25)
    sweep(town[CA])
    assert states_of(town, CA, "trace_and_hold.answer") == ["refused"]
    for one in asked:
        hk.say(CA, "consent.grant", {"word": word(town, hk, one)})
    hear(town[CA])
    hear(town[CA])
    assert states_of(town, CA, "consent.grant") == ["handled", "handled"]
    assert states_of(town, CA, "trace_and_hold.answer") == ["refused"]
    assert hear(town[CA]) == 0
    sweep(town[CA])


def test_what_nobody_consents_to_in_time_waits_no_longer(town: Town) -> None:
    hostile_answer(town, CODED)
    sweep(town[CA])
    assert states_of(town, CA, "trace_and_hold.answer") == ["waiting"]
    town.clock.advance(days=31)
    sweep(town[CA])
    assert states_of(town, CA, "trace_and_hold.answer") == ["refused"]
    assert [one.body["peer"] for one in town.events(CA, "consent.unanswered")] == [HK]


def test_more_obligations_than_a_message_can_say_go_nowhere_and_stop_nothing(town: Town) -> None:
    others = tuple(f"unit-{number}" for number in range(64))
    hostile_answer(town, replace(CODED, codes=(), originators=others, audience=(CA, HK, TH)))
    (item,) = answers(town, CA, HK)
    assert len(item.handling.originators) == 65
    ca, case_id = town[CA], town.requests(CA)[0].case_id
    with town.looking(CA) as tx, pytest.raises(HandlingForbids, match="more members"):
        to_send(
            ca, tx, compact=ca.compact().name, peers=[TH], type_="trace_and_hold.request", case_id=case_id,
            purpose=PURPOSE, senders=None,
        )  # fmt: skip
    town.clock.advance(days=91)
    sweep(ca)
    assert [one.state for one in answers(town, CA, HK)] == ["expired"]


def test_one_item_that_cannot_be_closed_holds_up_no_other(
    held: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comity.node.handling import comply

    first, *others = items(held, CA, "in")
    assert others
    really = comply.close

    def close(node: Any, tx: Any, item: Item, *, state: str) -> None:
        if item.id == first.id:
            raise ValueError(item.id)
        really(node, tx, item, state=state)

    monkeypatch.setattr(comply, "close", close)
    held.clock.advance(days=91)
    sweep(held[CA])
    assert [one.id for one in items(held, CA, "in")] == [first.id]


# --- what was said before ----------------------------------------------------------------------------------------


def test_a_later_message_makes_nothing_readable_again(held: Town) -> None:
    """CA takes back its first request and leaves the second: title and facts came with the first."""
    case = held.case(HK)
    with held.looking(HK) as tx:
        told = [one for one in tx.items.of_case(case.id) if one.direction == "in"]
    again = replace(told[0], id="message-later", digest="d" * 64, at=held.clock())
    with held[HK].records.transaction() as tx:
        tx.items.put(again)
    for item in told:
        take_back(held[CA], item.id, person=held.person(CA, Role.SUPERVISOR), why="Mistaken.")
    held.settle()
    with held.looking(HK) as tx:
        assert [one.state for one in tx.items.of_case(case.id) if one.id == again.id] == ["held"]
        assert not may_be_listed(held[HK], tx, case.id, CA)
        with pytest.raises(HandlingForbids):
            case_page(held[HK], tx, case.id)


def test_public_figures_leave_out_what_was_taken_back(held: Town) -> None:
    before = NodeDesk(held[CA]).public().figures[2]
    assert before.key == "held_by_partners"
    taken_back(held)
    held.settle()
    after = NodeDesk(held[CA]).public().figures[2]
    assert sum(one.minor for one in after.amounts) < sum(one.minor for one in before.amounts)
