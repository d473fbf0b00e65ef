"""Deconfliction: two nodes learn that they work the same target, and nothing else until both agree; and what a member
that does not keep to the rules makes of it.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from comity.backends.salted_matching import _token
from comity.casework.joint_identifiers import identifier
from comity.casework.joint_rounds import MOST_ASKED, MOST_LISTED, Hit, Listed, Setting, stage_of
from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.exchange.deconflict import PURPOSE
from comity.model import Permission, Role
from comity.node.erase import erase_case
from comity.node.handling.gate import HandlingForbids
from comity.node.joint.deconflict import MATCHING, Check, behind, check, fresh
from comity.node.joint.deconflict_agree import agree, work_of
from comity.node.notice import tell
from comity.proofs.canonical import canonical_bytes
from tests.nodes.hostile import Hostile
from tests.nodes.joint import whisper
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import WATCH, Town

PHONE, EMAIL, IBAN = "phone:+66 2 123 4567", "email:boss@example.org", "iban:GB82 WEST 1234 5698 7654 32"
SECRETS = ("6621234567", "boss@example.org", "GB82WEST12345698765432")
FAST = {"n": 2, "r": 1, "p": 1, "dklen": 32}


@pytest.fixture(autouse=True)
def _quick_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they cost is another test's matter."""
    monkeypatch.setattr("comity.backends.salted_matching._COST", FAST)


@pytest.fixture
def cases(town: Town) -> dict[str, str]:
    """A case of its own at each of three nodes, which nobody else knows."""
    with patch("comity.node.run.pursue_all", return_value=False):
        found = {}
        for node_id, transfer in ((CA, "T-01"), (HK, "T-02"), (TH, "T-05")):
            found[node_id] = town.report(node_id, transfers=[transfer]).id
        for node_id in found:
            with town[node_id].records.transaction() as tx:
                case = tx.cases.get(found[node_id])
                tx.cases.pursued(case.id, case.pursuit_wanted)
    return found


def listing(
    town: Town, node_id: str, case: str, *identifiers: str, peers: tuple[str, ...] = (), **more: Any
) -> Any:
    wanted = Check(case_id=case, identifiers=identifiers, purpose="Raid on a compound", peers=peers, **more)
    return check(town[node_id], wanted, person=town.person(node_id, Role.ANALYST))


def hits(town: Town, node_id: str) -> list[Hit]:
    return [one for one, _ in work_of(town[node_id], actor="test").hits]


def yes(town: Town, node_id: str, contact: str) -> None:
    (hit,) = hits(town, node_id)
    agree(town[node_id], hit.reference, contact=contact, person=town.person(node_id, Role.SUPERVISOR))


def hear_of(town: Town, down: list[str]) -> None:
    """Let what came be acted on; those who are down get nothing, and nobody waits for them."""
    town.settle(down=down, patience=timedelta(minutes=1))


def said_to(town: Town, node_id: str) -> str:
    """Every payload that the node was sent."""
    with town.looking(node_id) as tx:
        return " ".join(tx.targets.said_in(one.compact, one.originator, one.id) for one in tx.items.all())


# --- the way it is meant ---------------------------------------------------------------------------------


def test_both_learn_that_there_is_the_same_target_and_nothing_else(town: Town, cases: dict[str, str]) -> None:
    listing(town, HK, cases[HK], PHONE, IBAN)
    listing(town, CA, cases[CA], "phone:0066-21234567", EMAIL, peers=(HK, TH))
    town.settle()
    (ours,), (theirs,) = hits(town, CA), hits(town, HK)
    assert ours.reference == theirs.reference
    assert (ours.case_id, theirs.case_id) == (cases[CA], cases[HK])
    assert hits(town, TH) == []
    for node_id, others in ((CA, (cases[HK], cases[TH])), (HK, (cases[CA],)), (TH, (cases[CA],))):
        for secret in (*SECRETS, *others):
            assert secret not in said_to(town, node_id)
    for node_id in (CA, HK, TH):
        assert not [event for event in town.events(node_id) if event.kind.startswith("alarm.")]
        for one in work_of(town[node_id], actor="test").rounds:
            assert (one.state, one.secret, one.openings) in (
                ("concluded", {}, {}), ("answered", {}, {}),
            )  # fmt: skip
    assert [event.body["reference"] for event in town.events(CA, "deconflict.hit")] == [ours.reference]


def test_case_and_contact_go_when_both_have_agreed_and_not_before(town: Town, cases: dict[str, str]) -> None:
    listing(town, HK, cases[HK], PHONE)
    listing(town, CA, cases[CA], PHONE, peers=(HK,))
    town.settle()
    yes(town, CA, "Desk 5, +1 613 555 0101")
    town.settle()
    assert cases[CA] not in said_to(town, HK)
    assert "Desk 5" not in said_to(town, HK)
    assert [stage_of(one, town.clock()) for one in (*hits(town, CA), *hits(town, HK))] == [
        "agreed by us", "agreed by them",
    ]  # fmt: skip
    yes(town, HK, "Inspector Lau")
    town.settle()
    (ours,), (theirs,) = hits(town, CA), hits(town, HK)
    assert (ours.told["case"], ours.told["contact"]) == (cases[HK], "Inspector Lau")
    assert (theirs.told["case"], theirs.told["contact"]) == (cases[CA], "Desk 5, +1 613 555 0101")
    with pytest.raises(Conflict):
        yes(town, HK, "again")


def test_silence_ends_it(town: Town, cases: dict[str, str]) -> None:
    listing(town, HK, cases[HK], PHONE)
    listing(town, CA, cases[CA], PHONE, peers=(HK,))
    town.settle()
    yes(town, CA, "Desk 5")
    town.settle()
    town.clock.advance(days=15)
    with pytest.raises(Conflict):
        yes(town, HK, "Inspector Lau")
    assert [stage_of(one, town.clock()) for one in (*hits(town, CA), *hits(town, HK))] == ["over", "over"]
    assert cases[CA] not in said_to(town, HK)


def test_an_agreement_that_comes_too_late_reveals_nothing(town: Town, cases: dict[str, str]) -> None:
    listing(town, HK, cases[HK], PHONE)
    listing(town, CA, cases[CA], PHONE, peers=(HK,))
    town.settle()
    yes(town, CA, "Desk 5")
    town.clock.advance(days=13, hours=23)
    yes(town, HK, "Inspector Lau")
    hear_of(town, [CA])
    town.clock.advance(days=2)
    town.settle()
    assert "Inspector Lau" not in said_to(town, CA)
    assert hits(town, CA)[0].told == {}


# --- what is asked before anything goes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"case_id": "case-none"}, NotFound), ({"case_id": ""}, NotFound), ({"identifiers": ()}, InputError),
        ({"identifiers": ("name:x",)}, InputError), ({"purpose": ""}, InputError), ({"purpose": "a\nb"}, InputError),
        ({"peers": (CA,)}, InputError), ({"peers": (HK, HK)}, InputError), ({"peers": ("nobody",)}, InputError),
        ({"peers": (WATCH,)}, InputError), ({"days": 0}, InputError), ({"compact": "other"}, NotFound),
        ({"identifiers": tuple(f"phone:+6621234{one:03}" for one in range(MOST_ASKED + 1))}, InputError),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_nothing_goes_without_case_purpose_and_bounds(
    town: Town, cases: dict[str, str], changes: dict[str, Any], error: type[Exception]
) -> None:
    usual: dict[str, Any] = {"case_id": cases[CA], "identifiers": (PHONE,), "purpose": "x", "peers": (HK,)}
    with pytest.raises(error):
        check(town[CA], Check(**{**usual, **changes}), person=town.person(CA, Role.ANALYST))
    assert town.queued(CA) == 0
    assert work_of(town[CA], actor="test").targets == []


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.OVERSIGHT, Role.TRAINING, Role.DEFENCE])
def test_only_those_who_work_on_cases_ask_and_agree(town: Town, cases: dict[str, str], role: Role) -> None:
    wanted = Check(case_id=cases[CA], identifiers=(PHONE,), purpose="x", peers=(HK,))
    with pytest.raises(Forbidden):
        check(town[CA], wanted, person=town.person(CA, role))
    with pytest.raises(Forbidden):
        agree(town[CA], "same-x", contact="me", person=town.person(CA, role))


def test_rounds_a_day_are_bounded_on_both_sides(town: Town, cases: dict[str, str]) -> None:
    for number in range(4):
        listing(town, CA, cases[CA], f"phone:+662123456{number}", peers=(HK,))
    with pytest.raises(Forbidden, match="at most 4 rounds"):
        listing(town, CA, cases[CA], PHONE, peers=(HK,))
    town.settle()
    hostile = Hostile(town, CA)
    hostile.start_after(HK)
    whisper(hostile, HK, "deconflict.open", opening("round-5"), purpose=PURPOSE)
    hear_of(town, [CA])
    assert len(list(work_of(town[HK], actor="test").rounds)) == 4
    assert [event.body["code"] for event in town.events(HK, "alarm.message-refused")] == ["forbidden"]
    town.clock.advance(hours=25)
    assert listing(town, CA, cases[CA], PHONE, peers=(HK,))


def test_what_a_peer_told_us_is_compared_only_as_it_allows(held: Town) -> None:
    tell(
        held[CA], person=held.person(CA, Role.ANALYST), compact=None, peers=[HK], case_id=held.case(CA).id,
        subject="A number", text="They call from (+66) 2-123.4567 at night.",
    )  # fmt: skip
    held.settle()
    copy = held.case(HK, held.case(CA).id).id
    with pytest.raises(HandlingForbids, match="automated match"):
        listing(held, HK, copy, PHONE, peers=(TH,))
    assert work_of(held[HK], actor="test").targets == []
    listing(held, HK, copy, EMAIL, peers=(TH,))
    with held[HK].records.transaction() as tx:
        for item in tx.items.of_case(copy):
            if item.direction == "in":
                actions = {**item.handling.actions, "automated_match": Permission.ALLOW}
                purposes = (*item.handling.purposes, "deconfliction")
                handling = replace(item.handling, actions=actions, purposes=purposes)
                tx.items.put(replace(item, handling=handling))
    listing(held, HK, copy, PHONE, peers=(TH,))


def test_what_its_originator_lets_nobody_know_is_not_found_by_others(held: Town) -> None:
    """It is said after we listed the number ourselves: from then on nobody who asks finds it."""
    copy = held.case(HK, held.case(CA).id).id
    listing(held, HK, copy, PHONE)
    theirs = held.case(TH, held.case(CA).id).id
    listing(held, TH, theirs, PHONE, peers=(HK,))
    held.settle()
    assert len(hits(held, TH)) == 1
    tell(
        held[CA], person=held.person(CA, Role.ANALYST), compact=None, peers=[HK], case_id=held.case(CA).id,
        subject="A number", text="They call from (+66) 2-123.4567 at night.",
    )  # fmt: skip
    held.settle()
    listing(held, TH, theirs, PHONE, peers=(HK,))
    held.settle()
    assert [len(hits(held, node_id)) for node_id in (TH, HK)] == [1, 1]
    assert work_of(held[TH], actor="test").rounds[-1].state == "concluded"


def test_what_a_case_listed_is_erased_with_it(town: Town, cases: dict[str, str]) -> None:
    listing(town, CA, cases[CA], PHONE)
    erase_case(town[CA], cases[CA], ground="Ordered", person=town.person(CA, Role.SUPERVISOR))
    assert work_of(town[CA], actor="test").targets == []


def test_a_target_is_listed_for_its_time_only(town: Town, cases: dict[str, str]) -> None:
    listing(town, HK, cases[HK], PHONE, days=1)
    town.clock.advance(days=2)
    listing(town, CA, cases[CA], PHONE, peers=(HK,))
    town.settle()
    assert hits(town, CA) == hits(town, HK) == []


# --- a peer that does not keep to it ---------------------------------------------------------------------


def opening(round_id: str = "round-1", **changes: Any) -> dict[str, Any]:
    said = {"round": round_id, "matching": "salted-1", "purpose": "x", "document": {"share": "a" * 64}}
    return {**said, **changes}


def refused(town: Town, node_id: str) -> list[str]:
    return [event.body["type"] for event in town.events(node_id, "alarm.message-refused")]


@pytest.mark.parametrize(
    "payload",
    [
        {}, opening(round=""), opening(matching="other"), opening(purpose=""), opening(purpose="\u202ex"),
        opening(document=None), opening(document={}), opening(document={"share": "a" * 63}),
        opening(document={"share": "A" * 64}),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_what_is_no_opening_is_refused(town: Town, payload: dict[str, Any]) -> None:
    whisper(Hostile(town, CA), HK, "deconflict.open", payload, purpose=PURPOSE)
    hear_of(town, [CA])
    assert refused(town, HK) == ["deconflict.open"]
    assert work_of(town[HK], actor="test").rounds == []


def committed(town: Town, cases: dict[str, str]) -> Hostile:
    """HK has listed a target and is bound to it in a round of a hostile CA."""
    listing(town, HK, cases[HK], PHONE)
    hostile = Hostile(town, CA)
    whisper(hostile, HK, "deconflict.open", opening(), purpose=PURPOSE)
    hear_of(town, [CA])
    assert [one.state for one in work_of(town[HK], actor="test").rounds] == ["committed"]
    return hostile


def question(**changes: Any) -> dict[str, Any]:
    targets = [{"token": f"{one:064x}", "behind": "b" * 64} for one in range(MOST_ASKED)]
    return {"round": "round-1", "document": {"targets": targets}, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"round": "round-2"}, {"document": {"targets": []}},
        {"document": {"targets": question()["document"]["targets"] * 2}},
        {"document": {"targets": [{"token": "a" * 64, "behind": "b" * 64}] * MOST_ASKED}},
        {"document": {"targets": [{"token": "x", "behind": "b" * 64}] * MOST_ASKED}},
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_a_question_that_is_not_of_its_length_is_refused(
    town: Town, cases: dict[str, str], changes: dict[str, Any]
) -> None:
    hostile = committed(town, cases)
    whisper(hostile, HK, "deconflict.question", question(**changes), purpose=PURPOSE)
    hear_of(town, [CA])
    assert refused(town, HK) == ["deconflict.question"]
    assert [one.state for one in work_of(town[HK], actor="test").rounds] == ["committed"]


def test_one_round_answers_one_question_of_the_one_who_opened_it(town: Town, cases: dict[str, str]) -> None:
    hostile = committed(town, cases)
    whisper(Hostile(town, TH), HK, "deconflict.question", question(), purpose=PURPOSE)
    hear_of(town, [CA, TH])
    assert refused(town, HK) == ["deconflict.question"]
    for _ in range(2):
        whisper(hostile, HK, "deconflict.question", question(), purpose=PURPOSE)
    whisper(hostile, HK, "deconflict.open", opening(), purpose=PURPOSE)
    hear_of(town, [CA, TH])
    assert refused(town, HK) == ["deconflict.question", "deconflict.question", "deconflict.open"]
    assert len(town.events(HK, "deconflict.answered")) == 1


def test_a_question_after_its_time_is_refused(town: Town, cases: dict[str, str]) -> None:
    hostile = committed(town, cases)
    town.clock.advance(hours=25)
    whisper(hostile, HK, "deconflict.question", question(), purpose=PURPOSE)
    hear_of(town, [CA])
    assert refused(town, HK) == ["deconflict.question"]


def asked(town: Town, cases: dict[str, str]) -> tuple[Hostile, str, dict[str, Any]]:
    """CA has asked a hostile HK, which saw the question; the round and what was asked."""
    (one,) = listing(town, CA, cases[CA], PHONE, peers=(HK,))
    hear_of(town, [HK])
    hostile = Hostile(town, HK)
    with town.looking(HK) as tx:
        assert not list(tx.items.all())
    document = {"share": "c" * 64, "commitments": [f"{one:064x}" for one in range(MOST_LISTED)]}
    whisper(hostile, CA, "deconflict.commitment", {"round": one.id, "document": document}, purpose=PURPOSE)
    hear_of(town, [HK])
    with town.looking(CA) as tx:
        kept = tx.targets.round("out", HK, one.id)
    assert kept is not None
    assert kept.state == "asked"
    return hostile, one.id, dict(kept.secret)


def test_nobody_answers_by_echo(town: Town, cases: dict[str, str]) -> None:
    """What was not committed to before the question was seen is no hit, even for one who guesses the identifier."""
    hostile, round_id, secret = asked(town, cases)
    token = _token(secret["salt"], identifier(PHONE))
    echo = {"hits": [{"token": token, "behind": "d" * 64, "opening": "e" * 64}], "padding": ""}
    whisper(hostile, CA, "deconflict.answer", {"round": round_id, "document": echo}, purpose=PURPOSE)
    hear_of(town, [HK])
    assert refused(town, CA) == ["deconflict.answer"]
    assert hits(town, CA) == []


@pytest.mark.parametrize(
    "commitments", [[], ["a" * 64] * MOST_LISTED, [f"{one:064x}" for one in range(300)]], ids=len
)
def test_a_commitment_of_another_length_is_refused(
    town: Town, cases: dict[str, str], commitments: list[str]
) -> None:
    (one,) = listing(town, CA, cases[CA], PHONE, peers=(HK,))
    document = {"share": "c" * 64, "commitments": commitments}
    payload = {"round": one.id, "document": document}
    whisper(Hostile(town, HK), CA, "deconflict.commitment", payload, purpose=PURPOSE)
    whisper(Hostile(town, TH), CA, "deconflict.commitment", payload, purpose=PURPOSE)
    hear_of(town, [HK, TH])
    assert refused(town, CA) == ["deconflict.commitment"] * 2
    assert work_of(town[CA], actor="test").rounds[0].state == "opened"


def test_a_case_that_was_not_behind_it_is_refused_and_so_is_one_nobody_agreed_to(
    town: Town, cases: dict[str, str]
) -> None:
    listing(town, HK, cases[HK], PHONE)
    listing(town, CA, cases[CA], PHONE, peers=(HK,))
    town.settle()
    (hit,) = hits(town, CA)
    told = {
        "round": hit.round, "reference": hit.reference, "case": "case-made-up", "purpose": "x",
        "opening": "f" * 64, "contact": "me",
    }  # fmt: skip
    hostile = Hostile(town, HK)
    hostile.start_after(CA)
    whisper(hostile, CA, "deconflict.contact", told, purpose=PURPOSE)
    yes(town, CA, "Desk 5")
    whisper(
        hostile, CA, "deconflict.agreement", {"round": hit.round, "reference": hit.reference}, purpose=PURPOSE
    )
    whisper(
        hostile, CA, "deconflict.agreement", {"round": hit.round, "reference": hit.reference}, purpose=PURPOSE
    )
    whisper(hostile, CA, "deconflict.contact", told, purpose=PURPOSE)
    hear_of(town, [HK])
    assert refused(town, CA) == ["deconflict.contact", "deconflict.agreement", "deconflict.contact"]
    assert hits(town, CA)[0].told == {}


def test_an_agreement_of_another_member_counts_for_nothing(town: Town, cases: dict[str, str]) -> None:
    listing(town, HK, cases[HK], PHONE)
    listing(town, CA, cases[CA], PHONE, peers=(HK,))
    town.settle()
    yes(town, CA, "Desk 5")
    (hit,) = hits(town, CA)
    whisper(
        Hostile(town, TH),
        CA,
        "deconflict.agreement",
        {"round": hit.round, "reference": hit.reference},
        purpose=PURPOSE,
    )
    hear_of(town, [TH])
    assert hits(town, CA)[0].theirs_at is None
    assert "Desk 5" not in said_to(town, TH) + said_to(town, HK)


# --- the matching itself ---------------------------------------------------------------------------------


def test_every_message_has_one_length_however_much_is_listed_asked_and_found() -> None:
    def run(listed: int, wanted: int) -> list[int]:
        setting = Setting(round="round-1", compact="c", asker=CA, answerer=HK)
        every = [
            Listed(target=f"target-{one}", identifier=identifier(f"phone:+66212340{one:02}"), behind=fresh())
            for one in range(max(listed, wanted))
        ]  # fmt: skip
        opened = MATCHING.open()
        committed_ = MATCHING.commit(setting, opened.document, every[:listed])
        asked_ = MATCHING.ask(setting, opened.secret, committed_.document, every[:wanted])
        answered, ours = MATCHING.answer(setting, committed_.secret, asked_.document, every[:listed])
        theirs = MATCHING.conclude(setting, asked_.secret, answered.document, every[:wanted])
        assert len(ours) == len(theirs) == min(listed, wanted)
        assert {one.reference for one in ours} == {one.reference for one in theirs}
        return [len(canonical_bytes(one.document)) for one in (opened, committed_, asked_, answered)]

    assert run(0, 1) == run(30, 1) == run(30, MOST_ASKED) == run(MOST_ASKED, MOST_ASKED)


def test_the_same_target_looks_different_in_every_round() -> None:
    one = [Listed(target="t", identifier=identifier(PHONE), behind=fresh())]
    seen: set[str] = set()
    for number in range(3):
        setting = Setting(round=f"round-{number}", compact="c", asker=CA, answerer=HK)
        opened = MATCHING.open()
        step = MATCHING.commit(setting, opened.document, one)
        tokens = MATCHING.ask(setting, opened.secret, step.document, one).document["targets"]
        words = {*step.document["commitments"], *(each["token"] for each in tokens)}
        assert not words & seen
        seen |= words


def test_a_commitment_to_a_case_says_which_case_and_purpose() -> None:
    key = fresh()
    assert behind("case-1", "x", key) == behind("case-1", "x", key)
    assert len({behind("case-1", "x", key), behind("case-2", "x", key), behind("case-1", "y", key)}) == 3
