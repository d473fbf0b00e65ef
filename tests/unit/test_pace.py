"""Alarms, rates and ticks: bounded for one peer without touching another."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.node.post.pace import ALARMS_A_MINUTE, Alarms, Rates, Telling, next_tick
from tests.nodes.clock import START

TICK = timedelta(milliseconds=500)


def test_alarms_of_one_peer_do_not_use_up_anothers() -> None:
    alarms = Alarms()
    assert sum(alarms.allow("loud", START) for _ in range(1000)) == ALARMS_A_MINUTE
    assert alarms.allow("other", START)
    assert alarms.allow("loud", START + timedelta(minutes=2))


def test_a_member_may_send_a_minutes_worth_at_once_and_then_waits() -> None:
    rates = Rates(a_minute=60)
    assert rates.wait("loud", 60, 0.0) == 0
    assert rates.wait("loud", 5, 0.0) == 5
    assert rates.wait("other", 60, 0.0) == 0
    assert rates.wait("loud", 5, 4.9) == 1
    assert rates.wait("loud", 5, 5.0) == 0


def test_waiting_costs_nothing_and_no_batch_waits_for_ever() -> None:
    rates = Rates(a_minute=10)
    for _ in range(100):
        assert rates.wait("loud", 11, 0.0) in (0, 66)
    assert rates.wait("loud", 64, 10_000.0) == 0


@given(late=st.integers(0, 10_000_000), tick=st.integers(1, 5_000))
def test_a_tick_is_after_the_arrival_never_early_and_never_two_late(late: int, tick: int) -> None:
    step, now = timedelta(milliseconds=tick), START + timedelta(microseconds=late)
    leaves = next_tick(now, START, step)
    assert leaves > START
    assert leaves >= now
    assert leaves - now <= step
    assert (leaves - START) % step == timedelta()


def test_without_ticks_it_leaves_at_once() -> None:
    assert next_tick(START, START, timedelta()) == START


@pytest.mark.parametrize("waiting", [1, 63])
def test_outcomes_wait_for_a_tick_unless_there_are_many(waiting: int) -> None:
    telling, now = Telling(), START + TICK / 3
    assert not telling.due(now, waiting=0, many=64, tick=TICK)
    assert not telling.due(now, waiting=waiting, many=64, tick=TICK)
    assert not telling.due(now + TICK / 2, waiting=waiting, many=64, tick=TICK)
    assert telling.due(START + TICK, waiting=waiting, many=64, tick=TICK)
    assert not telling.due(now + TICK, waiting=waiting, many=64, tick=TICK)
    assert telling.due(now + TICK, waiting=64, many=64, tick=TICK)
