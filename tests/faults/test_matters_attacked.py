"""A member that turns on the other half of a matter: what it says is refused or disputed, and nothing stays held."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comity.casework import matter_steps as casework
from comity.casework.matter import Actor, Disagreement, Matter, Proposal, Taken
from comity.casework.matter_documents import proposal_document, read_step, step_document
from comity.casework.matter_following import followed, replayed
from comity.casework.matter_steps import accepted, amended, opened, taken
from comity.errors import Conflict, InputError
from comity.law import procedure
from comity.law.procedures import Procedure, Transition
from comity.model import Person, Role
from comity.node.matters import decide, get, open_matter, openings, telling
from comity.node.matters.opening import blank
from comity.node.post.send import Letter, send
from comity.node.sweep import sweep
from tests.nodes.matters import Ends, by, fields_of
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import COMPACT, Town

MLA, EXTRADITION = procedure("mla"), procedure("extradition")
IMRAN = Person(id="imran", role=Role.CENTRAL_AUTHORITY)
LONG_AFTER = timedelta(days=100).total_seconds()


def move(one: Procedure, event: str, source: str) -> Transition:
    return next(found for found in one.transitions if (found.event, found.source) == (event, source))


def half(ends: Ends, side: str) -> Matter:
    found = ends.half(side)
    assert found is not None
    return found


def kept(town: Town, node_id: str, matter_id: str) -> Matter | None:
    with town.looking(node_id) as tx:
        found: Matter | None = tx.matters.find(matter_id)
        return found


def say(ends: Ends, side: str, type_: str, about: Mapping[str, Any]) -> None:
    """A message that the half of `side` would never send: its node is in somebody else's hands."""
    letter = Letter(
        compact=COMPACT, peer=ends.asked if side == "requesting" else CA, type=type_, case_id="",
        purpose=ends.procedure.name, legal_basis="", payload={"matter": ends.id, **about},
    )  # fmt: skip
    with ends.node(side).records.transaction() as tx:
        send(ends.node(side), tx, letter, actor="mallory")
    ends.town.settle()


def story_of(half: Matter, **changes: Any) -> dict[str, Any]:
    steps = [step_document(one) for one in half.steps]
    return {
        "matter": half.id, "requesting": half.requesting, "requested": half.requested,
        "procedure": half.procedure, "version": half.version, "digest": half.digest, "steps": steps,
        "number": half.number, "chain": half.chain, **changes,
    }  # fmt: skip


def told(step: Taken, chain: str = "00" * 32, **changes: Any) -> dict[str, Any]:
    return {"step": {**step_document(step), **changes}, "number": step.number, "chain": chain}


def alarms(town: Town, node_id: str) -> list[Any]:
    return [one.body for one in town.events(node_id, "alarm.message-refused")]


def sent(ends: Ends, matter_id: str, **fields: Any) -> Matter:
    """What a requesting node that checks nothing of its own sends: a draft with any fields."""
    start = blank(
        matter_id, EXTRADITION, compact=COMPACT, requesting=CA, requested=ends.asked, ours=ends.town[CA]
    )
    writer = Actor(by="m1", role="prosecutor", side="requesting")
    sender = Actor(by="m2", role="central-authority", side="requesting")
    basis = half(ends, "requesting").facts["basis"]
    at, given = ends.town.clock(), {**fields_of(EXTRADITION), "basis": basis, **fields}
    made = opened(EXTRADITION, start, writer, given, at=at).matter
    made = taken(EXTRADITION, made, "submit", writer, {}, at=at).matter
    return taken(EXTRADITION, made, "send", sender, {}, at=at).matter


@pytest.fixture
def ends(town: Town) -> Ends:
    return Ends(town, EXTRADITION, asked=TH)


def test_odd_messages_are_refused_and_none_is_quarantined(town: Town) -> None:
    ends = Ends(town, MLA)
    ends.go("acknowledged")
    ours = half(ends, "requesting")
    step = replace(ours.steps[-1], number=ours.number + 1)
    steps: list[dict[str, Any]] = [
        {"number": -50}, {"number": -1}, {"at": "0001-01-01T00:00:00.000000+14:00"},
        {"at": "9999-12-31T23:59:59.999999-14:00"}, {"by": "clock"}, {"role": "clock"},
    ]  # fmt: skip
    for odd in steps:
        say(ends, "requested", telling.STEP, told(step, **odd))
    stories: list[dict[str, Any]] = [
        {"requesting": [CA]},
        {"requested": {}},
        {"version": []},
        {"steps": [5]},
        {"matter": "matter-a\n"},
    ]
    for odd in stories:
        say(ends, "requested", telling.STORY, story_of(ours, **odd))
    say(ends, "requested", telling.DECLINED, {"event": ["x"], "problem": {"a": [1]}})
    refused = alarms(town, CA)
    assert len(refused) == 11
    assert {one["code"] for one in refused} == {"input"}
    assert ends.agree() == "acknowledged"


def test_a_first_story_decides_nothing_in_our_name(ends: Ends) -> None:
    """Up to the surrender itself: every gate opens for who may state what any side decided."""
    ends.go("surrendered")
    whole = half(ends, "requesting")
    start = replace(whole, id="matter-forged", chain="", state="", facts={}, steps=(), pending=None)
    for count in (4, len(whole.steps)):
        forged = replayed(EXTRADITION, start, whole.steps[:count]).matter
        say(ends, "requesting", telling.STORY, story_of(forged))
        assert kept(ends.town, TH, "matter-forged") is None
    say(ends, "requesting", telling.STORY, story_of(replayed(EXTRADITION, start, whole.steps[:3]).matter))
    found = kept(ends.town, TH, "matter-forged")
    assert found is not None
    assert found.state == "sent"


def test_a_proposal_is_not_kept_back_until_things_have_changed(ends: Ends) -> None:
    ends.go("received")
    supply = move(EXTRADITION, "supply", "received")
    decide(
        ends.town[CA], ends.id, "supply", {"supplement": {"text": "here"}}, person=by(supply, "requesting")
    )
    ours, theirs, at = half(ends, "requesting"), half(ends, "requested"), ends.town.clock()
    assert ours.pending is not None
    officer = Actor(by="m", role="prosecutor", side="requested")
    asked = {"question": {"text": "is it true that", "by": "tomorrow"}}
    first = taken(EXTRADITION, theirs, "ask", officer, asked, at=at).matter
    late = accepted(EXTRADITION, first, replace(ours.pending, number=first.number), at=at).matter
    ours = followed(EXTRADITION, ours, first.steps[-1]).matter
    with pytest.raises(Disagreement, match="in our name"):
        followed(EXTRADITION, ours, late.steps[-1])


def test_a_clock_strikes_once(ends: Ends) -> None:
    """Else a node that leads makes the other's half grow for ever: nothing counts the steps of a clock."""
    ends.go("sent")
    theirs, clock = half(ends, "requested"), Actor(by="clock", role="clock", side="requested")
    at = ends.town.clock()
    first = taken(EXTRADITION, theirs, "acknowledge_overdue", clock, {}, at=at).matter
    again = taken(EXTRADITION, first, "acknowledge_overdue", clock, {}, at=at).matter
    say(ends, "requested", telling.STEP, told(first.steps[-1], first.chain))
    assert half(ends, "requesting").number == first.number
    say(ends, "requested", telling.STEP, told(again.steps[-1], again.chain))
    assert half(ends, "requesting").number == first.number
    assert "one acknowledge_overdue" in half(ends, "requesting").problem


def test_a_step_is_not_of_tomorrow(ends: Ends) -> None:
    ends.go("sent")
    officer = Actor(by="m", role="central-authority", side="requested")
    tomorrow = ends.town.clock() + timedelta(days=1)
    made = taken(EXTRADITION, half(ends, "requested"), "acknowledge", officer, {}, at=tomorrow).matter
    say(ends, "requested", telling.STEP, told(made.steps[-1], made.chain))
    assert "by now" in half(ends, "requesting").problem
    assert half(ends, "requesting").state == "sent"


def test_a_member_that_leaves_keeps_nobody_in_custody(ends: Ends) -> None:
    ends.go("received")
    ends.town.remove(CA)
    ends.town.clock.advance(seconds=LONG_AFTER)
    sweep(ends.town[TH])
    assert half(ends, "requested").state == "discharged"
    assert not ends.town.events(TH, "alarm.deadline-stuck")
    assert len(ends.town.events(TH, "alarm.matter-untold")) == 1


def test_people_release_whom_a_member_that_left_had_asked_for(ends: Ends) -> None:
    ends.go("received")
    ends.town.remove(CA)
    decide(ends.town[TH], ends.id, "release", {}, person=IMRAN)
    assert half(ends, "requested").state == "discharged"


@pytest.mark.parametrize("offence", ["no such offence", "x" * 50_000])
def test_what_our_register_cannot_read_stops_nothing(ends: Ends, offence: str) -> None:
    made = sent(ends, "matter-odd-field", offence=offence)
    say(ends, "requesting", telling.STORY, story_of(made))
    decide(ends.town[TH], made.id, "acknowledge", {}, person=IMRAN)
    found = kept(ends.town, TH, made.id)
    assert found is not None
    assert found.facts["requested_basis"]["usable"] is False
    assert len(str(found.facts["requested_basis"])) < 2_000


def test_the_clock_ends_what_our_register_cannot_read(ends: Ends) -> None:
    made = sent(ends, "matter-odd-field", offence="no such offence")
    say(ends, "requesting", telling.STORY, story_of(made))
    ends.town.clock.advance(seconds=LONG_AFTER)
    sweep(ends.town[TH])
    assert not ends.town.events(TH, "alarm.deadline-stuck")
    found = kept(ends.town, TH, made.id)
    assert found is not None
    assert found.steps[-1].event == "acknowledge_overdue"


def test_a_dispute_keeps_nobody_in_custody(ends: Ends) -> None:
    ends.go("received")
    say(ends, "requesting", telling.DISPUTED, {"problem": "so that nobody can decide"})
    with pytest.raises(Conflict, match="both halves agree"):
        ends.take(move(EXTRADITION, "ask", "received"))
    found, one = get(ends.town[TH], ends.id, person=IMRAN)
    shut = {way.event: way.shut for way in openings(ends.town[TH], found, one, person=IMRAN)}
    assert (shut["release"], "disagree" in shut["ask"]) == ("", True)
    ends.take(move(EXTRADITION, "release", "received"), {})
    assert half(ends, "requested").state == "discharged"


def test_no_story_moves_a_half_that_people_have_to_settle(ends: Ends) -> None:
    ends.go("sent")
    say(ends, "requested", telling.DISPUTED, {"problem": "look here"})
    officer = Actor(by="m", role="central-authority", side="requested")
    made = taken(
        EXTRADITION, half(ends, "requested"), "acknowledge", officer, {}, at=ends.town.clock()
    ).matter
    say(ends, "requested", telling.STORY, story_of(made))
    assert half(ends, "requesting").state == "sent"


def test_an_id_of_somebody_elses_matter_shows_nothing(town: Town) -> None:
    def opened_by(name: str, peer: str = HK) -> Matter:
        person = Person(id=name, role=Role.PROSECUTOR)
        return open_matter(
            town[CA], procedure_name="mla", peer=peer, person=person, fields={}, matter_id="matter-chosen"
        )

    assert opened_by("nadia") == opened_by("nadia")
    for name, peer in (("mallory", HK), ("nadia", TH)):
        with pytest.raises(Conflict, match="still free"):
            opened_by(name, peer)


def test_nobody_is_called_clock(ends: Ends) -> None:
    document = step_document(half(ends, "requesting").steps[0])
    for odd in ({"by": "clock"}, {"role": "clock"}):
        with pytest.raises(InputError, match="as neither"):
            read_step({**document, **odd})


def test_a_matter_does_not_grow_for_ever(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the asking side adds is declined in time; who is held is released all the same."""
    ends.go("received")
    monkeypatch.setattr(casework, "MAX_STORY", 60_000)
    supply = move(EXTRADITION, "supply", "received")
    ends.take(supply, {"supplement": {"text": "x" * 40_000}})
    with pytest.raises(Conflict, match="bytes of facts"):
        ends.take(supply, {"supplement": {"text": "x" * 40_000}})
    mallory = Actor(by="m", role="prosecutor", side="requesting")
    facts = {"supplement": {"text": "x" * 40_000}}
    flood = Proposal(event="supply", actor=mallory, facts=facts, number=half(ends, "requested").number)
    say(ends, "requesting", telling.PROPOSAL, {"proposal": proposal_document(flood)})
    assert len(ends.town.events(TH, "matter.declined")) == 1
    monkeypatch.setattr(casework, "MAX_STEPS", 3)
    monkeypatch.setattr(casework, "MAX_STORY", 1)
    monkeypatch.setattr(casework, "MAX_FACTS", 200_000)
    ends.take(move(EXTRADITION, "release", "received"), {})
    assert ends.agree() == "discharged"


def test_a_draft_is_not_amended_for_ever(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """A story of a hundred thousand amendments would keep whoever replays it from everything else for minutes."""
    monkeypatch.setattr(casework, "MAX_STEPS", 3)
    writer = Actor(by="m", role="prosecutor", side="requesting")
    made = half(ends, "requesting")
    for _ in range(3):
        made = amended(EXTRADITION, made, writer, {}, at=ends.town.clock()).matter
    with pytest.raises(Conflict, match="at most 3 steps"):
        amended(EXTRADITION, made, writer, {}, at=ends.town.clock())
