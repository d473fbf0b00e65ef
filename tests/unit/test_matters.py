"""A matter on two nodes: both halves move together, whoever leads, and what is not allowed happens on neither."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from comity.casework.matter import Actor, Taken
from comity.casework.matter_documents import step_document
from comity.errors import ComityError, Conflict, Forbidden, InputError
from comity.law import procedure
from comity.law.procedures import Transition
from comity.model import Person, Role
from comity.node.erase import erase_case
from comity.node.matters import amend, decide, get, open_matter, openings, settle, telling
from comity.node.post.send import Letter, send
from comity.node.sweep import sweep
from tests.nodes.matters import Ends, by, facts_for, fields_of, named
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import COMPACT, Town

MLA = procedure("mla")
NADIA = Person(id="nadia", role=Role.PROSECUTOR)


def move(event: str, source: str) -> Transition:
    return next(one for one in MLA.transitions if (one.event, one.source) == (event, source))


@pytest.fixture
def ends(town: Town) -> Ends:
    return Ends(town, MLA)


def say(ends: Ends, side: str, type_: str, about: Mapping[str, Any]) -> None:
    """A message that the half of `side` would never send: its node is in somebody else's hands."""
    node = ends.node(side)
    peer = HK if side == "requesting" else CA
    letter = Letter(
        compact=COMPACT, peer=peer, type=type_, case_id="", purpose="mla", legal_basis="",
        payload={"matter": ends.id, **about},
    )  # fmt: skip
    with node.records.transaction() as tx:
        send(node, tx, letter, actor="mallory")
    ends.town.settle()


def half(ends: Ends, side: str) -> Any:
    found = ends.half(side)
    assert found is not None
    return found


def test_a_draft_is_nobody_elses(ends: Ends) -> None:
    ends.town.settle()
    assert ends.half("requested") is None
    assert half(ends, "requesting").state == "draft"


def test_fields_are_stated_anew_only_before_it_is_sent(ends: Ends) -> None:
    amend(ends.town[CA], ends.id, {"purpose": "trial"}, person=NADIA)
    ends.go("sent")
    assert half(ends, "requested").facts["purpose"] == "trial"
    with pytest.raises(Conflict, match="not sent yet"):
        amend(ends.town[CA], ends.id, {"purpose": "something else"}, person=NADIA)
    assert ends.agree() == "sent"


@pytest.mark.parametrize("state", sorted(MLA.final - {"dropped"}))
def test_both_halves_agree_to_every_end(town: Town, state: str) -> None:
    ends = Ends(town, MLA)
    ends.go(state)
    assert ends.agree() == state
    town.verify_logs()


def test_the_side_without_the_lead_proposes_and_the_other_decides(ends: Ends) -> None:
    ends.go("info_needed")
    supply = move("supply", "info_needed")
    decide(ends.town[CA], ends.id, "supply", facts_for(MLA, supply), person=by(supply, "requesting", 9))
    waiting = half(ends, "requesting")
    assert (waiting.state, waiting.pending.event) == ("info_needed", "supply")
    with pytest.raises(Conflict, match="one proposal at a time"):
        decide(ends.town[CA], ends.id, "supply", facts_for(MLA, supply), person=by(supply, "requesting", 9))
    ends.town.settle()
    assert ends.agree() == "acknowledged"


def test_a_proposal_that_comes_too_late_is_declined_and_said(ends: Ends) -> None:
    ends.go("info_needed")
    supply, on = move("supply", "info_needed"), move("go_on", "info_needed")
    decide(ends.town[CA], ends.id, "supply", facts_for(MLA, supply), person=by(supply, "requesting", 9))
    decide(ends.town[HK], ends.id, "go_on", {}, person=by(on, "requested", 9))
    ends.town.settle()
    assert ends.agree() == "acknowledged"
    assert len(ends.town.events(CA, "matter.not-taken")) == 1


def test_nobody_decides_for_the_other_side_nor_in_another_role(ends: Ends) -> None:
    ends.go("sent")
    acknowledge = move("acknowledge", "sent")
    with pytest.raises(Forbidden, match="requested side"):
        decide(ends.town[CA], ends.id, "acknowledge", {}, person=by(acknowledge, "requesting", 9))
    with pytest.raises(Forbidden):
        decide(ends.town[HK], ends.id, "acknowledge", {}, person=Person(id="ann", role=Role.ANALYST))
    with pytest.raises(Forbidden, match="expected the clock"):
        decide(ends.town[HK], ends.id, "acknowledge_overdue", {}, person=by(acknowledge, "requested", 9))


def test_facts_that_an_event_does_not_state_are_refused(ends: Ends) -> None:
    ends.go("sent")
    acknowledge = move("acknowledge", "sent")
    for name in ("decided", "basis", "requested_basis", "refusal", "purpose"):
        with pytest.raises(InputError, match=r"to state only"):
            decide(
                ends.town[HK],
                ends.id,
                "acknowledge",
                {name: {"usable": True}},
                person=by(acknowledge, "requested", 9),
            )
    assert ends.agree() == "sent"


def test_one_person_does_not_both_submit_and_send(ends: Ends) -> None:
    submit, dispatch = move("submit", "draft"), move("send", "review")
    ends.take(submit, person=Person(id="nadia", role=Role.PROSECUTOR))
    twice = Person(id="second-account", human="nadia", role=Role.CENTRAL_AUTHORITY)
    with pytest.raises(Forbidden):
        ends.take(dispatch, person=twice)
    deputy = Person(id="mei for nadia", human="P-2", stands_for="nadia", role=Role.CENTRAL_AUTHORITY)
    with pytest.raises(Forbidden):
        ends.take(dispatch, person=deputy)
    ends.take(dispatch, person=Person(id="imran", role=Role.CENTRAL_AUTHORITY))
    assert ends.agree() == "sent"


def test_a_refusal_ends_it_on_both_sides_on_a_declared_ground_only(ends: Ends) -> None:
    ends.go("consulted")
    for ground in (*(one.code for one in MLA.not_grounds), "because", "", None, True):
        with pytest.raises(Forbidden, match=r"must be one of|not stated"):
            ends.take(move("refuse", "consulted"), {"refusal": {"ground": ground, "reasons": "why"}})
    assert ends.agree() == "consulted"
    ends.take(move("refuse", "consulted"), {"refusal": {"ground": "sovereignty", "reasons": "why"}})
    assert ends.agree() == "refused"
    assert half(ends, "requesting").facts["refusal"]["ground"] == "sovereignty"


def test_their_own_register_decides_on_the_side_that_is_asked(ends: Ends) -> None:
    ends.go("acknowledged")
    facts = half(ends, "requesting").facts
    assert facts["basis"]["usable"] is True
    assert facts["requested_basis"]["reasons"]


def test_a_step_in_our_name_that_we_did_not_propose_is_disputed(ends: Ends) -> None:
    ends.go("info_needed")
    forged = _forged(
        ends, "supply", "info_needed", "acknowledged", side="requesting", role="central-authority"
    )
    say(ends, "requested", telling.STEP, forged)
    assert "in our name" in half(ends, "requesting").problem
    assert half(ends, "requesting").state == "info_needed"
    assert half(ends, "requested").problem.startswith(CA)
    with pytest.raises(Conflict, match="both halves agree"):
        ends.take(move("go_on", "info_needed"))


def test_a_step_past_a_gate_is_disputed(ends: Ends) -> None:
    ends.go("consulted")
    forged = _forged(
        ends, "refuse", "consulted", "refused", facts={"refusal": {"ground": "bank-secrecy", "reasons": "no"}}
    )
    say(ends, "requested", telling.STEP, forged)
    assert "ground-stated" in half(ends, "requesting").problem
    assert half(ends, "requesting").state == "consulted"


def test_a_story_that_skips_a_gate_opens_nothing(ends: Ends) -> None:
    steps = [step_document(one) for one in half(ends, "requesting").steps]
    sent = {**_forged(ends, "send", "draft", "sent", side="requesting", role="central-authority")["step"]}
    about = {
        "requesting": CA, "requested": HK, "procedure": "mla", "version": MLA.version, "digest": MLA.digest,
        "steps": [*steps, sent], "number": 1, "chain": "00",
    }  # fmt: skip
    say(ends, "requesting", telling.STORY, about)
    assert ends.half("requested") is None
    assert ends.town.events(HK, "alarm.message-refused")


def test_another_text_of_the_procedure_is_refused(ends: Ends) -> None:
    about = {
        "requesting": CA, "requested": HK, "procedure": "mla", "version": 1, "digest": "00", "steps": [], "number": 0,
        "chain": "",
    }  # fmt: skip
    say(ends, "requesting", telling.STORY, about)
    assert ends.half("requested") is None


def test_a_third_member_cannot_touch_it(ends: Ends) -> None:
    ends.go("consulted")
    forged = _forged(
        ends, "refuse", "consulted", "refused", facts={"refusal": {"ground": "form", "reasons": "no"}}
    )
    node = ends.town[TH]
    letter = Letter(
        compact=COMPACT, peer=CA, type=telling.STEP, case_id="", purpose="mla", legal_basis="",
        payload={"matter": ends.id, **forged},
    )  # fmt: skip
    with node.records.transaction() as tx:
        send(node, tx, letter, actor="mallory")
    ends.town.settle()
    assert ends.agree() == "consulted"


def test_a_step_that_got_lost_is_asked_for_and_told_again(ends: Ends) -> None:
    ends.go("acknowledged")
    before = half(ends, "requesting")
    ends.take(move("accept", "acknowledged"))
    with ends.town[CA].records.transaction() as tx:  # as if the database had been put back by one step
        tx.matters.put(before)
    ends.take(move("report_progress", "executing"))
    assert ends.agree() == "executing"


def test_a_disagreement_is_settled_by_people_of_both_sides(ends: Ends) -> None:
    ends.go("consulted")
    say(
        ends,
        "requested",
        telling.STEP,
        _forged(ends, "refuse", "consulted", "refused", facts={"refusal": {"ground": "x"}}),
    )
    person = Person(id="imran", role=Role.CENTRAL_AUTHORITY)
    settle(ends.town[HK], ends.id, reason="our node was attacked", person=person)
    settle(ends.town[CA], ends.id, reason="they told us so", person=person)
    ends.town.settle()
    ends.take(move("accept", "consulted"))
    assert ends.agree() == "executing"


def test_the_clock_moves_both_halves_once(ends: Ends) -> None:
    ends.go("consulting")
    ends.town.clock.advance(seconds=timedelta(days=60).total_seconds())
    for node_id in (CA, HK):
        sweep(ends.town[node_id])
    ends.town.settle()
    assert ends.agree() == "consulted"
    assert half(ends, "requesting").steps[-1].actor.role == "clock"


def test_a_matter_opened_twice_with_one_id_is_one(town: Town) -> None:
    made = [
        open_matter(
            town[CA],
            procedure_name="mla",
            peer=HK,
            person=NADIA,
            fields=fields_of(MLA),
            matter_id="matter-chosen-1",
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    with pytest.raises(Conflict, match="still free"):
        open_matter(
            town[CA],
            procedure_name="mla",
            peer=TH,
            person=NADIA,
            fields=fields_of(MLA),
            matter_id="matter-chosen-1",
        )


def test_reading_is_recorded_and_says_what_stands_against_each_event(ends: Ends) -> None:
    found, one = get(ends.town[CA], ends.id, person=NADIA)
    submit = next(x for x in openings(ends.town[CA], found, one, person=NADIA) if x.event == "submit")
    assert submit.records == move("submit", "draft").records
    assert len(ends.town.events(CA, "matter.read")) == 1


@pytest.mark.parametrize("role", [Role.OVERSIGHT, Role.ADMINISTRATOR, Role.TRAINING, Role.DEFENCE])
def test_some_never_open_nor_decide(ends: Ends, role: Role) -> None:
    person = Person(id="somebody", role=role)
    with pytest.raises(Forbidden):
        open_matter(ends.town[CA], procedure_name="mla", peer=HK, person=person, fields={})
    for event in {one.event for one in MLA.transitions}:
        with pytest.raises(ComityError):
            decide(ends.town[CA], ends.id, event, {}, person=person)


def test_a_running_matter_keeps_the_text_it_began_with(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    import comity.node.matters.keeping as keeping

    ends.go("sent")
    newer = replace(MLA, version=2, digest="newer", transitions=())
    monkeypatch.setattr(keeping, "procedure", lambda _name: newer)
    ends.go_on("acknowledged")
    assert ends.agree() == "acknowledged"


def test_what_chooses_a_term_is_true_or_false(ends: Ends, town: Town) -> None:
    for wrong in ("yes", "true", 1, None):
        with pytest.raises(InputError, match="urgent: true or false"):
            amend(town[CA], ends.id, {"urgent": wrong}, person=NADIA)
    amend(town[CA], ends.id, {"urgent": True}, person=NADIA)


def test_no_treaty_no_request_for_extradition(town: Town) -> None:
    """Between CA and HK the register knows no treaty of extradition that is in use."""
    ends = Ends(town, named("extradition"))
    with pytest.raises(Forbidden, match="basis-usable"):
        ends.go("sent")
    assert ends.half("requested") is None


def test_what_was_stated_before_opens_no_gate_again(ends: Ends) -> None:
    ends.go("executing")
    ends.take(move("intend_refusal", "executing"))
    ends.take(move("give_views", "consulting"))
    with pytest.raises(Forbidden, match="no-bar"):
        ends.take(move("accept", "consulted"), {})
    ends.take(move("accept", "consulted"))
    assert ends.agree() == "executing"


def test_a_matter_is_erased_once_it_has_ended(ends: Ends) -> None:
    ends.go("consulted")
    supervisor = Person(id="sam", role=Role.SUPERVISOR)
    with pytest.raises(Conflict, match="nothing runs"):
        erase_case(ends.town[HK], ends.id, ground="data protection", person=supervisor)
    ends.take(
        move("refuse", "consulted"),
        {"refusal": {"ground": "sovereignty", "reasons": "a canary in the reasons"}},
    )
    erase_case(ends.town[HK], ends.id, ground="data protection", person=supervisor)
    assert ends.half("requested") is None
    assert b"canary in the reasons" not in (ends.town.folder / HK / "node.db").read_bytes()


def _forged(
    ends: Ends, event: str, source: str, target: str, *, side: Any = "requested", role: str = "central-authority",
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    number = half(ends, "requesting").number + 1
    actor = Actor(by="mallory", role=role, side=side)
    at = ends.town.clock().isoformat(timespec="microseconds")
    one = Taken(
        number=number, event=event, source=source, target=target, actor=actor, at=at, facts=facts or {}
    )
    return {"step": step_document(one), "number": number, "chain": "00" * 32}
