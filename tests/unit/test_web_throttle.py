"""Guessing gets slower, memory stays bounded, and nobody else pays for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.entrypoints.web.throttle import CEILING, FORGET_AFTER, FREE_ATTEMPTS, Throttle, address_key


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def spend(throttle: Throttle, key: str, clock: Clock, times: int) -> list[float]:
    """Attempt, waiting each time as told; return the waits."""
    waits = []
    for _ in range(times):
        wait = throttle.charge(key)
        waits.append(wait)
        if wait:
            clock.now += wait
            assert throttle.charge(key) == 0
    return waits


def test_waits_double_up_to_the_ceiling() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    waits = spend(throttle, "k", clock, 14)
    assert waits[:FREE_ATTEMPTS] == [0.0] * FREE_ATTEMPTS
    later = waits[FREE_ATTEMPTS:]
    assert later == sorted(later)
    assert later[1] == 2 * later[0]
    assert later[-1] == CEILING


def test_waiting_attempts_are_refused_without_adding_to_the_wait() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    spend(throttle, "k", clock, FREE_ATTEMPTS)
    first = throttle.charge("k")
    assert first > 0
    assert [throttle.charge("k") for _ in range(50)] == [first] * 50


def test_the_slower_of_name_and_address_counts_and_other_keys_are_free() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    spend(throttle, "name a", clock, FREE_ATTEMPTS)
    assert throttle.charge("name a", "address 1") > 0
    assert throttle.charge("name b", "address 1") == 0


def test_signing_in_to_one_account_does_not_wash_an_address_clean() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for guess in range(FREE_ATTEMPTS - 1):
        assert throttle.charge(f"name {guess}", "address 1") == 0
    assert throttle.charge("name own", "address 1") == 0
    throttle.clear("name own")
    throttle.refund("address 1")
    assert throttle.charge("name x", "address 1") == 0
    assert throttle.charge("name y", "address 1") > 0


def test_old_failures_are_forgotten() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    spend(throttle, "k", clock, FREE_ATTEMPTS + 3)
    clock.now += FORGET_AFTER + 1
    assert throttle.charge("k") == 0


def test_a_flood_of_names_cannot_make_it_forget_the_guessed_one() -> None:
    clock = Clock()
    throttle = Throttle(clock, capacity=100)
    spend(throttle, "victim", clock, FREE_ATTEMPTS)
    for number in range(1000):
        throttle.charge(f"flood {number}")
    assert len(throttle) <= 100
    assert throttle.charge("victim") > 0


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["charge", "refund", "clear"]))))
def test_any_order_of_calls_keeps_it_bounded_and_sane(calls: list[tuple[str, str]]) -> None:
    throttle = Throttle(Clock(), capacity=3)
    for key, action in calls:
        if action == "charge":
            assert 0 <= throttle.charge(key) <= CEILING
        elif action == "refund":
            throttle.refund(key)
        else:
            throttle.clear(key)
        assert len(throttle) <= 3


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "address 192.0.2.7"), ("::ffff:192.0.2.7", "address 192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address 2001:db8:1:2::/64"), (None, "address unknown"),
        ("testclient", "address testclient"),
    ],
)  # fmt: skip
def test_one_line_is_one_key(host: str | None, key: str) -> None:
    assert address_key(host) == key
