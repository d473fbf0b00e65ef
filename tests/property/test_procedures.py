"""Every procedure, walked at random and exhaustively: where it may go, what it may hold, what it may not
pass.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import ComityError, Conflict, Forbidden
from comity.law.procedure_files import all_procedures, procedure
from comity.law.procedures import Procedure, Step, Transition, begin, rehearse, step
from tests.property.procedure_facts import opening_facts, put

_ALL = {one.name: one for one in all_procedures()}

_KEYS = st.sampled_from(["by", "person", "id", "hours", "torture", "answers"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "p1", "high", "political"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner),
    max_leaves=6,
)


def _moves(one: Procedure, state: str) -> list[Transition]:
    return [move for move in one.transitions if move.source == state]


def _pending(before: frozenset[str], done: Step) -> frozenset[str]:
    return (before - set(done.deadlines_cleared)) | {due.rule for due in done.deadlines_set}


def _reachable(one: Procedure, urgent: bool) -> Iterator[tuple[str, frozenset[str]]]:
    """Every (state, pending deadlines) that any order of events can bring about, guards opened."""
    facts: dict[str, Any] = {"urgent": urgent, "asks": "access"}
    start = (one.initial, _pending(frozenset(), begin(one, facts)))
    seen, todo = {start}, [start]
    while todo:
        state, pending = todo.pop()
        yield state, pending
        for move in _moves(one, state):
            opened = opening_facts(one, move) | facts
            nxt = rehearse(one, state, move.event, opened)
            found = (nxt.state, _pending(pending, nxt))
            if found not in seen:
                seen.add(found)
                todo.append(found)


@pytest.mark.parametrize("name", _ALL)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_walk_stays_in_declared_states_and_final_states_have_no_exit(
    name: str, data: st.DataObject
) -> None:
    one = _ALL[name]
    state, pending = one.initial, frozenset[str]()
    events = sorted({move.event for move in one.transitions})
    for _ in range(12):
        if state in one.final:
            for event in events:
                with pytest.raises(Conflict, match="final"):
                    rehearse(one, state, event, {})
            return
        move = data.draw(st.sampled_from(_moves(one, state)))
        done = rehearse(one, state, move.event, opening_facts(one, move))
        assert done.state == move.target
        assert done.state in one.states
        assert done.reasons
        state, pending = done.state, _pending(pending, done)
        for rule in one.deadlines:
            if rule.rule in pending:
                assert state in rule.states
                assert not rule.event or rule.event in one.allowed(state)


@pytest.mark.parametrize("name", _ALL)
@pytest.mark.parametrize("urgent", [True, False])
def test_no_hold_anywhere_is_without_a_pending_lapse_that_nobody_can_stop(name: str, urgent: bool) -> None:
    one = _ALL[name]
    for state, pending in _reachable(one, urgent):
        if not one.states[state].holds:
            continue
        ends = [
            rehearse(one, state, rule.event, {}).state
            for rule in one.deadlines
            if rule.rule in pending and rule.event and not _guarded(one, state, rule.event)
        ]
        assert any(not one.states[target].holds for target in ends), (state, pending)


def _guarded(one: Procedure, state: str, event: str) -> bool:
    return any(move.guards for move in _moves(one, state) if move.event == event)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_an_urgent_freeze_that_is_left_alone_always_ends_by_itself(data: st.DataObject) -> None:
    """Random decisions, then nobody decides any more and only the clock runs: within 180 days nothing is
    held.
    """
    one = procedure("urgent_freeze")
    state, now = one.initial, timedelta(0)
    due: dict[str, tuple[timedelta, str]] = {}

    def apply(done: Step) -> str:
        for rule in done.deadlines_cleared:
            due.pop(rule, None)
        due.update({row.rule: (now + row.after, row.event) for row in done.deadlines_set})
        return done.state

    state = apply(begin(one, {}))
    for _ in range(data.draw(st.integers(0, 10))):
        if state in one.final:
            break
        move = data.draw(st.sampled_from(_moves(one, state)))
        now += timedelta(minutes=data.draw(st.integers(0, 600)))
        facts = opening_facts(one, move)
        if move.event in ("order", "renew") and data.draw(st.booleans()):
            put(facts, "order.hours", data.draw(st.integers(1, 4320)))
        state = apply(step(one, state, move.event, facts))
    quiet = now
    while due and one.states[state].holds:
        rule = min(due, key=lambda name: due[name])
        now, event = due.pop(rule)
        state = apply(step(one, state, event, {}))
    assert not one.states[state].holds
    assert now - quiet <= timedelta(days=180)


@pytest.mark.parametrize("name", _ALL)
@settings(max_examples=25, deadline=None)
@given(
    data=st.data(),
    facts=st.dictionaries(
        st.sampled_from(
            [
                "urgent",
                "screening_victim",
                "safeguards",
                "order",
                "extension",
                "arrest",
                "refusal",
                "decided",
                "use",
            ]
        ),
        _json,
    ),
)
def test_whatever_the_facts_a_step_moves_or_says_why_not(
    name: str, data: st.DataObject, facts: dict[str, Any]
) -> None:
    one = _ALL[name]
    move = data.draw(st.sampled_from(one.transitions))
    with suppress(ComityError):  # anything else is a bug: facts come from people and from other nodes
        assert rehearse(one, move.source, move.event, facts).state == move.target


@pytest.mark.parametrize("name", _ALL)
def test_every_guard_shuts_its_transition_when_its_facts_are_missing(name: str) -> None:
    one = _ALL[name]
    for move in one.transitions:
        if not move.guards:
            continue
        assert rehearse(one, move.source, move.event, opening_facts(one, move)).state == move.target
        with pytest.raises(Forbidden) as caught:
            rehearse(one, move.source, move.event, {})
        assert all(f"{guard} (" in str(caught.value) for guard in move.guards)
