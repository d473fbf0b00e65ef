"""Joint operations: everybody's go or nobody goes; victims' safety before any raid; and members who cheat."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from comity.casework.joint_operation import GO, NO_GO, OUTCOME, PLAN, RESULT, NoVictimSafety, State
from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.model import Role
from comity.node.handling.retract import take_back
from comity.node.joint.entries import read_entry
from comity.node.joint.operation import (
    Operation,
    change_plan,
    operation_named,
    operations,
    plan_operation,
    say_go,
    say_no_go,
    tell_result,
)
from comity.node.joint.operation_text import plan_of, read_plan, write_plan
from comity.node.post.pace import ALARMS_A_MINUTE
from comity.node.sweep import sweep
from tests.nodes.clock import START
from tests.nodes.hostile import Hostile
from tests.nodes.joint import entries, forged, plan_document, say, space_of, whisper
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import WATCH, Town

ALL = (CA, HK, TH)


def planned(town: Town, **changes: Any) -> str:
    """CA leads; everybody has the plan."""
    plan = plan_of(plan_document(town.clock(), **changes))
    space = plan_operation(town[CA], plan, compact=None, person=town.person(CA, Role.SUPERVISOR))
    town.settle()
    return space.id


def go(town: Town, operation: str, *members: str, **more: Any) -> None:
    for node_id in members:
        say_go(
            town[node_id],
            operation,
            authority="Order 1",
            person=town.person(node_id, Role.SUPERVISOR),
            **more,
        )


def no_go(town: Town, operation: str, node_id: str) -> None:
    say_no_go(
        town[node_id], operation, why="No interpreters yet", person=town.person(node_id, Role.PROSECUTOR)
    )


def at(town: Town, node_id: str, operation: str) -> Operation:
    return operation_named(town[node_id], operation, actor="test")


def states(town: Town, operation: str) -> list[State]:
    return [at(town, node_id, operation).standing.state for node_id in ALL]


def alarms(town: Town) -> list[str]:
    return [
        event.kind for node_id in ALL for event in town.events(node_id) if event.kind.startswith("alarm.")
    ]


# --- the way it is meant ---------------------------------------------------------------------------------


def test_all_say_go_and_all_know_it(town: Town) -> None:
    operation = planned(town)
    assert states(town, operation) == [State.AWAITING] * 3
    go(town, operation, CA, HK)
    town.settle()
    assert states(town, operation) == [State.AWAITING] * 3
    assert at(town, HK, operation).standing.silent == (TH,)
    go(town, operation, TH)
    town.settle()
    assert states(town, operation) == [State.GO] * 3
    assert [one.body["state"] for one in town.events(TH, "operation.stands")] == ["go"]
    assert alarms(town) == []
    assert operations(town[WATCH], actor="test") == []


def test_one_no_go_is_no_go_for_all_and_stays_so(town: Town) -> None:
    operation = planned(town)
    go(town, operation, CA)
    no_go(town, operation, HK)
    town.settle()
    assert states(town, operation) == [State.NO_GO] * 3
    assert "No interpreters" in at(town, TH, operation).standing.why
    with pytest.raises(Conflict):
        go(town, operation, HK)
    with pytest.raises(Conflict):
        go(town, operation, TH)


def test_silence_at_the_deadline_is_no_go_visibly(town: Town) -> None:
    operation = planned(town)
    go(town, operation, CA, HK)
    town.settle()
    town.clock.advance(days=1, minutes=1)
    assert states(town, operation) == [State.NO_GO] * 3
    for node_id in ALL:
        sweep(town[node_id])
    town.settle()
    for node_id in (CA, HK):
        assert TH in at(town, node_id, operation).standing.why
        assert town.events(node_id, "operation.stands")[-1].body["state"] == "no go"
    with pytest.raises(Conflict):
        go(town, operation, TH)


def test_a_go_that_comes_after_the_deadline_changes_nothing(town: Town) -> None:
    operation = planned(town)
    go(town, operation, CA, HK)
    town.settle()
    town.clock.advance(hours=23)
    go(town, operation, TH)
    town.settle(down=[CA], patience=timedelta(minutes=1))
    town.clock.advance(hours=2)
    town.settle()
    assert states(town, operation) == [State.NO_GO] * 3


def test_until_the_first_action_a_member_may_take_its_go_back(town: Town) -> None:
    operation = planned(town)
    go(town, operation, *ALL)
    town.settle()
    town.clock.advance(hours=30)
    no_go(town, operation, TH)
    town.settle()
    assert states(town, operation) == [State.NO_GO] * 3
    town.clock.advance(hours=20)
    with pytest.raises(Conflict):
        no_go(town, operation, HK)


def test_a_changed_plan_needs_everybodys_go_anew(town: Town) -> None:
    operation = planned(town)
    go(town, operation, *ALL)
    town.settle()
    read = at(town, HK, operation).standing.plan.digest
    changed = plan_of(plan_document(town.clock(), title="Compound K, second gate"))
    change_plan(town[CA], operation, changed, person=town.person(CA, Role.SUPERVISOR))
    town.settle()
    assert states(town, operation) == [State.AWAITING] * 3
    assert at(town, TH, operation).standing.silent == ALL
    with pytest.raises(Forbidden, match="the plan that stands"):
        go(town, operation, HK, plan=read)
    go(town, operation, *ALL)
    town.settle()
    assert states(town, operation) == [State.GO] * 3
    assert at(town, TH, operation).standing.version == 2
    with pytest.raises(Forbidden):
        change_plan(town[HK], operation, changed, person=town.person(HK, Role.SUPERVISOR))


def test_results_by_state_once_it_has_begun(town: Town) -> None:
    operation = planned(town)
    go(town, operation, *ALL)
    town.settle()
    counts, thai = {"arrested": 4, "screened": 31, "victims_identified": 27}, town.person(TH, Role.SUPERVISOR)
    with pytest.raises(Conflict):
        tell_result(town[TH], operation, counts=counts, text="All screened.", person=thai)
    town.clock.advance(days=3)
    tell_result(town[TH], operation, counts=counts, text="All screened.", person=thai)
    town.settle()
    for node_id in ALL:
        (result,) = at(town, node_id, operation).standing.results
        assert (result.author, result.body["counts"]) == (TH, counts)
    assert states(town, operation) == [State.GO] * 3


def test_a_plan_that_is_taken_back_is_no_go(town: Town) -> None:
    operation = planned(town)
    go(town, operation, *ALL)
    town.settle()
    with town.looking(CA) as tx:
        message = tx.spaces.entries(space_of(town, CA, "operation"))[0].message_id
    take_back(town[CA], message, person=town.person(CA, Role.SUPERVISOR), why="The place is known to them.")
    town.settle()
    for node_id in (HK, TH):
        assert at(town, node_id, operation).standing.state is State.NO_GO
        assert at(town, node_id, operation).plan is None


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMINISTRATOR, Role.OVERSIGHT, Role.TRAINING])
def test_only_who_may_commit_the_node_plans_and_says_go(town: Town, role: Role) -> None:
    operation = planned(town)
    with pytest.raises(Forbidden):
        plan_operation(town[CA], plan_of(plan_document(START)), compact=None, person=town.person(CA, role))
    with pytest.raises(Forbidden):
        say_go(town[CA], operation, authority="x", person=town.person(CA, role))
    with pytest.raises(Forbidden):
        say_no_go(town[CA], operation, why="x", person=town.person(CA, role))


def test_an_entry_for_another_purpose_is_refused(town: Town) -> None:
    planned(town)
    entry = forged(town, TH, "operation", GO, {"plan": "a" * 64, "authority": "x"})
    hostile = Hostile(town, TH)
    hostile.start_after(CA)
    hostile.say(CA, "joint.entry", entry.document)
    town.settle(down=[TH], patience=timedelta(minutes=1))
    assert len(town.events(CA, "alarm.message-refused")) == 1


# --- the plan --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", ["raid", "rescue", "arrest"])
def test_no_raid_without_a_plan_for_the_safety_of_victims(town: Town, deed: str) -> None:
    document = plan_document(town.clock(), victim_safety=None)
    document["actions"][0]["deed"] = deed
    with pytest.raises(NoVictimSafety):
        plan_operation(town[CA], plan_of(document), compact=None, person=town.person(CA, Role.SUPERVISOR))
    assert town.queued(CA) == 0
    document["victim_safety"] = {"responsible": "Somebody"}
    with pytest.raises(NoVictimSafety):
        plan_operation(town[CA], plan_of(document), compact=None, person=town.person(CA, Role.SUPERVISOR))


def test_what_endangers_nobody_needs_none(town: Town) -> None:
    document = plan_document(town.clock(), victim_safety=None)
    document["actions"][0]["deed"] = "takedown"
    assert plan_operation(
        town[CA], plan_of(document), compact=None, person=town.person(CA, Role.SUPERVISOR)
    ).id


@pytest.mark.parametrize(
    ("changes", "action", "error"),
    [
        ({"members": [CA]}, {}, InputError), ({"members": [CA, HK, TH, "nobody-here"]}, {}, InputError),
        ({"members": [HK, TH]}, {}, InputError), ({"actions": []}, {}, InputError), ({"title": ""}, {}, InputError),
        ({"decide_by": "2020-01-01T00:00:00Z"}, {}, Conflict), ({"decide_by": "2026-03-20T00:00"}, {}, Conflict),
        ({"surprise": 1}, {}, InputError), ({"zone": "Mars/Olympus"}, {}, InputError),
        ({}, {"member": WATCH}, Conflict), ({}, {"ends": "2026-03-04T00:00"}, Conflict),
        ({}, {"deed": "party"}, InputError), ({}, {"zone": "x"}, InputError),
        ({}, {"ends": "2029-01-01T00:00"}, Conflict),
        ({}, {"authority": ""}, InputError), ({}, {"starts": "tomorrow"}, InputError),
    ],
    ids=str,
)  # fmt: skip
def test_a_plan_that_is_none_is_refused(
    town: Town, changes: dict[str, Any], action: dict[str, Any], error: type[Exception]
) -> None:
    document = plan_document(town.clock(), **changes)
    if action:
        document["actions"][0] |= action
    with pytest.raises(error):
        plan_operation(town[CA], plan_of(document), compact=None, person=town.person(CA, Role.SUPERVISOR))
    assert town.queued(CA) == 0


def test_local_times_count_where_the_action_is() -> None:
    document = plan_document(START)
    document["decide_by"] = "2026-03-03 12:00"
    for action, zone in zip(document["actions"], ("Asia/Bangkok", "America/Vancouver"), strict=True):
        action |= {"starts": "2026-03-04T05:30", "ends": "2026-03-04 08:30", "zone": zone}
    plan = plan_of(document)
    assert [f"{one.starts:%d %H:%M}" for one in plan.actions] == ["03 22:30", "04 13:30"]
    assert f"{plan.decide_by:%d %H:%M}" == "03 05:00"
    assert read_plan(write_plan(plan)) == plan
    document["actions"][1] |= {"starts": "2026-03-08T02:30"}
    with pytest.raises(InputError, match="twice or never"):
        plan_of(document)


# --- members who cheat -----------------------------------------------------------------------------------


def test_another_plan_for_another_member_is_seen_and_nobody_goes(town: Town) -> None:
    """The leader shows Thailand another plan than Hong Kong: each go names the plan, and each entry the beginning."""
    operation = planned(town)
    other = plan_document(town.clock(), title="Another compound")
    plan = write_plan(plan_of(other))
    say(town, CA, TH, forged(town, CA, "operation", PLAN, plan))
    assert at(town, TH, operation).standing.version == 2
    go(town, operation, TH, HK)
    town.settle(down=[CA], patience=timedelta(minutes=1))
    assert State.GO not in (at(town, HK, operation).standing.state, at(town, TH, operation).standing.state)
    assert at(town, HK, operation).lacking == {CA: 2}
    say(town, CA, HK, forged(town, CA, "operation", PLAN, {**plan, "title": "A third one"}))
    assert at(town, HK, operation).standing.state is State.DISPUTED
    assert town.events(HK, "alarm.joint-two-stories")[-1].body["witness"] == TH


def test_two_beginnings_are_seen(town: Town) -> None:
    """Each member's entries name the founding entry by digest."""
    space = planned(town)
    (founding,) = entries(town, CA, "operation")
    hostile = Hostile(town, CA)
    hostile.start_after(HK)
    body = {**deepcopy(dict(founding.body)), "title": "Another"}
    fields = {**founding.document, "body": body}
    whisper(hostile, HK, "joint.entry", fields, purpose="operation")
    town.settle(down=[CA], patience=timedelta(minutes=1))
    assert [one.body["title"] for one in entries(town, HK, "operation")] == ["Compound K"]
    assert len(town.events(HK, "alarm.joint-two-stories")) == 1
    assert at(town, HK, space).standing.version == 1


def test_a_member_that_began_with_another_text_is_heard_by_nobody(town: Town) -> None:
    planned(town)
    entry = forged(town, TH, "operation", GO, {"plan": "a" * 64, "authority": "x"}, founding="b" * 64)
    say(town, TH, HK, entry)
    assert [one.author for one in entries(town, HK, "operation")] == [CA]
    assert [one.body["peer"] for one in town.events(HK, "alarm.joint-two-stories")] == [TH]


def test_one_contradiction_is_one_alarm_however_often_it_is_told(town: Town) -> None:
    """Thailand claims in every entry to have seen another plan: that is said once, and floods nobody's log."""
    operation = planned(town)
    plan = at(town, HK, operation).standing.plan.digest
    last = ("0" * 64, 0)
    for _ in range(3):
        entry = forged(
            town, TH, "operation", NO_GO, {"plan": plan, "why": "x"}, seen={CA: (1, "c" * 64)},
            previous=last[0], number=last[1] + 1,
        )  # fmt: skip
        say(town, TH, HK, entry)
        last = (entry.digest, entry.number)
    assert [one.author for one in entries(town, HK, "operation")] == [CA, TH, TH, TH]
    (alarm,) = town.events(HK, "alarm.joint-two-stories")
    assert (alarm.body["peer"], alarm.body["witness"]) == (CA, TH)


def test_a_member_that_contradicts_itself_anew_each_time_is_held_to_the_pace_of_alarms(town: Town) -> None:
    operation = planned(town)
    plan = at(town, HK, operation).standing.plan.digest
    town[HK].pace.alarms._peers[TH] = (town.clock() + timedelta(minutes=1), ALARMS_A_MINUTE)
    entry = forged(town, TH, "operation", NO_GO, {"plan": plan, "why": "x"}, seen={CA: (1, "c" * 64)})
    say(town, TH, HK, entry)
    assert at(town, HK, operation).standing.state is State.DISPUTED
    assert not town.events(HK, "alarm.joint-two-stories")


def test_a_no_go_after_it_began_undoes_nothing(town: Town) -> None:
    """Nobody's own node writes one so late; another's may, and everybody else still tells what their part brought."""
    operation = planned(town)
    go(town, operation, *ALL)
    town.settle()
    town.clock.advance(days=2, hours=1)
    plan = at(town, HK, operation).standing.plan.digest
    say(town, TH, HK, forged(town, TH, "operation", NO_GO, {"plan": plan, "why": "too late"}))
    assert at(town, HK, operation).standing.state is State.GO
    tell_result(
        town[HK], operation, counts={"premises": 1}, text="Held.", person=town.person(HK, Role.SUPERVISOR)
    )


@pytest.mark.parametrize("kind", [PLAN, OUTCOME])
def test_nobody_but_the_leader_plans_or_states_the_outcome(town: Town, kind: str) -> None:
    operation = planned(town)
    (plan,) = entries(town, HK, "operation")
    body = {"plan": plan.digest, "outcome": GO, "words": {}, "why": "x"}
    entry = forged(town, HK, "operation", kind, dict(plan.body) if kind == PLAN else body)
    say(town, HK, TH, entry)
    assert len(entries(town, TH, "operation")) == 1
    assert at(town, TH, operation).standing.state is State.AWAITING


def test_a_leader_that_states_a_go_that_nobody_said_moves_nobody(town: Town) -> None:
    operation = planned(town)
    go(town, operation, TH)
    town.settle(down=[CA], patience=timedelta(minutes=1))
    (plan,) = entries(town, CA, "operation")
    words = {CA: "a" * 64, HK: "b" * 64, TH: "c" * 64}
    body = {"plan": plan.digest, "outcome": GO, "words": words, "why": "x"}
    say(town, CA, TH, forged(town, CA, "operation", OUTCOME, body))
    assert at(town, TH, operation).standing.state is State.AWAITING
    assert "has not come here" in at(town, TH, operation).standing.why


def test_a_member_cannot_speak_for_another_nor_one_outside_at_all(town: Town) -> None:
    operation = planned(town)
    (plan,) = entries(town, CA, "operation")
    word = {"plan": plan.digest, "authority": "x"}
    say(town, TH, CA, forged(town, TH, "operation", GO, word, author=HK))
    outside = forged(town, TH, "operation", GO, word, author=WATCH)
    say(town, WATCH, CA, outside)
    assert at(town, CA, operation).standing.words == {}
    refused = [one.body["code"] for one in town.events(CA, "alarm.message-refused")]
    assert refused == ["input", "not-found"]


def test_an_entry_again_or_out_of_its_place_is_not_filed_twice(town: Town) -> None:
    operation = planned(town)
    (plan,) = entries(town, CA, "operation")
    word = forged(town, TH, "operation", GO, {"plan": plan.digest, "authority": "x"})
    for entry in (
        word,
        word,
        forged(town, TH, "operation", GO, dict(word.body), number=3, previous=word.digest),
    ):
        say(town, TH, CA, entry)
    assert [one.number for one in entries(town, CA, "operation") if one.author == TH] == [1]
    assert list(at(town, CA, operation).standing.words) == [TH]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "operation.party"}, {"kind": "other.plan"}, {"body": {"plan": "x", "authority": "y"}}, {"number": 0},
        {"body": {"plan": "a" * 64, "authority": "\u202ex"}}, {"space": "operation-none"},
        {"body": {"plan": "a" * 64, "authority": "x", "more": 1}}, {"seen": {CA: (0, "a" * 64)}},
        {"kind": RESULT, "body": {"plan": "a" * 64, "counts": {"arrested": -1}, "text": "x"}},
        {"kind": RESULT, "body": {"plan": "a" * 64, "counts": {"happy": 1}, "text": "x"}},
    ],
    ids=str,
)  # fmt: skip
def test_an_entry_that_is_none_is_refused(town: Town, changes: dict[str, Any]) -> None:
    planned(town)
    entry = forged(town, TH, "operation", GO, {"plan": "a" * 64, "authority": "x"}, **changes)
    say(town, TH, CA, entry)
    assert len(town.events(CA, "alarm.message-refused")) == 1
    assert [one.author for one in entries(town, CA, "operation")] == [CA]


def test_a_deputy_with_the_longest_name_is_heard(town: Town) -> None:
    """What our own people may be called, others must take."""
    planned(town)
    name = f"{'m' * 60} for {'l' * 60}"
    say(town, TH, CA, forged(town, TH, "operation", GO, {"plan": "a" * 64, "authority": "x"}, by=name))
    assert [one.by for one in entries(town, CA, "operation")][1:] == [name]


@pytest.mark.parametrize(
    "change", [{"more": 1}, {"at": "2026-03-02T09:00:00Z"}, {"seen": []}, {"format": "x"}]
)
def test_an_entry_is_read_as_it_was_hashed_or_not_at_all(town: Town, change: dict[str, Any]) -> None:
    planned(town)
    document = forged(town, TH, "operation", GO, {"plan": "a" * 64, "authority": "x"}).document
    assert read_entry(document).document == document
    with pytest.raises(InputError):
        read_entry({**document, **change})


def test_a_hostile_plan_is_checked_as_our_own_is(town: Town) -> None:
    operation = planned(town)
    body = write_plan(plan_of(plan_document(town.clock())))
    for wrong in ({**body, "victim_safety": {}}, {**body, "members": [CA, TH]}, {**body, "surprise": 1}):
        say(town, CA, HK, forged(town, CA, "operation", PLAN, wrong))
    assert at(town, HK, operation).standing.version == 1
    with pytest.raises(NotFound):
        operation_named(town[HK], "operation-none", actor="test")
