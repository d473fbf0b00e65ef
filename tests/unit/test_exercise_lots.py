"""The scheme's own bookkeeping, and the parts of the generator that everything rests on."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.exercise.accounts import AccountRegister
from comity.exercise.batch import draft, transfer_ids
from comity.exercise.lots import OverspentError, Purses, scaled, stolen_part
from comity.exercise.opening import opening_balances
from comity.exercise.places import CRYPTO_EXCHANGE, PLACES, SELF_HOSTED
from comity.exercise.rhythm import BEGINS, REPORTED, SECOND, SHOPPING, moments, paydays

LOTS = st.lists(st.tuples(st.integers(0, 10**12), st.booleans()), max_size=12)


@given(LOTS, st.data())
def test_taking_is_oldest_first_unit_by_unit(lots: list[tuple[int, bool]], data: st.DataObject) -> None:
    purses = Purses({})
    small = [(amount % 50, stolen) for amount, stolen in lots]
    purses.put((1, 0), small)
    units = [stolen for amount, stolen in small for _ in range(amount)]
    amount = data.draw(st.integers(0, len(units)))
    taken = purses.take((1, 0), amount) if amount else []
    assert [stolen for part, stolen in taken for _ in range(part)] == units[:amount]
    assert purses.balance((1, 0)) == len(units) - amount
    assert purses.stolen().get((1, 0), 0) == sum(units[amount:])


@given(LOTS, st.integers(0, 10**15))
def test_conversion_keeps_the_sum_and_never_gains(lots: list[tuple[int, bool]], received: int) -> None:
    paid = sum(amount for amount, _ in lots)
    if not paid:
        return
    arrived = scaled(lots, paid=paid, received=received)
    assert sum(amount for amount, _ in arrived) == received
    assert [stolen for _, stolen in arrived] == [stolen for _, stolen in lots]
    so_far = 0
    for index in range(len(lots)):
        so_far += lots[index][0]
        assert sum(amount for amount, _ in arrived[: index + 1]) == so_far * received // paid


def test_spending_more_than_there_is_fails() -> None:
    purses = Purses({(1, 0): 10})
    with pytest.raises(OverspentError, match="expected at least 11, got 10"):
        purses.take((1, 0), 11)
    assert stolen_part(purses.take((1, 0), 10)) == 0


def test_account_numbers_never_repeat() -> None:
    register = AccountRegister(999_999)
    institutions = [bank for place in PLACES for bank in (*place.banks, place.exchange)]
    for institution in [*institutions, CRYPTO_EXCHANGE, SELF_HOSTED]:
        register.open(institution, 3_000)
        register.open(institution, 2)
    numbers = register.columns()[0].to_pylist()
    assert len(set(numbers)) == len(numbers)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3), st.integers(0, 100)),
        min_size=1,
        max_size=40,
    ),
    st.randoms(use_true_random=False),
)
def test_openings_suffice_in_any_order_of_simultaneous_transfers(
    rows: list[tuple[int, int, int, int]], order: Random
) -> None:
    """Transfers of one millisecond may come in any order; nobody goes short, to the last unit."""
    at, source, target, amount = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    rng = np.random.default_rng(1)
    batch = draft(
        rng,
        booked_at=BEGINS + at * 1_000,
        source=source,
        target=target,
        amount=amount,
        currency=0,
        channel=0,
        reference=0,
    )
    pots, held = opening_balances(batch, {}, rng)
    balance = dict(zip((pots // 6).tolist(), held.tolist(), strict=True))
    for _, _, payer, payee, paid in sorted((row[0], order.random(), *row[1:]) for row in rows):
        assert balance[payer] >= paid
        balance[payer] -= paid
        balance[payee] += paid


def test_declared_openings_are_kept() -> None:
    rng = np.random.default_rng(1)
    batch = draft(
        rng, booked_at=np.array([BEGINS]), source=3, target=4, amount=10, currency=2, channel=0, reference=0
    )
    pots, held = opening_balances(batch, {(3, 2): 17, (9, 9): 5}, rng)
    assert pots.tolist() == [3 * 6 + 2, 4 * 6 + 2]
    assert held[0] == 17


def test_ids_are_version_4_whatever_the_bytes() -> None:
    written = transfer_ids(np.array([[0] * 16, [255] * 16], dtype=np.uint8)).to_pylist()
    assert written == ["00000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"]


def test_moments_keep_to_the_window() -> None:
    drawn = moments(np.random.default_rng(3), 50_000, SHOPPING, utc_offset_hours=-7)
    assert BEGINS <= drawn.min() < drawn.max() < REPORTED
    assert drawn.max() > REPORTED - 3_600 * SECOND
    early = moments(np.random.default_rng(3), 50_000, SHOPPING, utc_offset_hours=-7, spare_hours=3)
    assert early.max() <= REPORTED - 3 * 3_600 * SECOND


def test_paydays_fall_on_weekdays_of_three_months() -> None:
    for place in PLACES:
        days = paydays(place.payday, utc_offset_hours=place.utc_offset_hours)
        local = [(day // SECOND // 3_600 + place.utc_offset_hours) for day in days]
        assert len(days) == 3
        assert all(hours % 24 == 8 for hours in local)
        assert all((hours // 24 + 3) % 7 < 5 for hours in local)
