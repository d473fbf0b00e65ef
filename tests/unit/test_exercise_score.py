"""Scoring a trace against the truth: what is found, missed, overstated, and the reasons given."""

import pytest

from comity.errors import InputError
from comity.exercise import Resting, Truth, score

TRUTH = Truth(
    scheme_transfers=("t1", "t2", "t3"),
    carried={"t1": 1_000, "t2": 600, "t3": 400},
    resting=(
        Resting(account="A", country="HK", currency="HKD", amount_minor=600),
        Resting(account="B", country="TH", currency="THB", amount_minor=400),
        Resting(account="B", country="TH", currency="USD", amount_minor=50),
    ),
    mules=("A", "B"),
    innocents=(),
    roles={"A": "first layer", "B": "second layer"},
)
RIGHT = {("A", "HKD"): 600, ("B", "THB"): 400, ("B", "USD"): 50}


def test_the_truth_itself_is_exact() -> None:
    found = score(TRUTH, RIGHT | {("C", "HKD"): 0}, {"t1", "t2", "t3"})
    assert found.exact
    assert found.transfers.recall == found.accounts.recall == 1.0
    assert {currency: value.recall for currency, value in found.value.items()} == {
        "HKD": 1.0, "THB": 1.0, "USD": 1.0,
    }  # fmt: skip
    assert found.false_accounts == found.missed_accounts == found.false_transfers == ()
    assert not found.overstated
    assert "followed 3 of 3 transfers that carried stolen money" in found.reasons
    assert "found HKD 6.00 of HKD 6.00" in found.reasons


def test_one_minor_unit_too_little_is_not_exact_and_is_named() -> None:
    found = score(TRUTH, RIGHT | {("A", "HKD"): 599}, {"t1", "t2", "t3"})
    assert not found.exact
    assert (found.value["HKD"].found, found.value["HKD"].expected) == (599, 600)
    assert "A (first layer): expected HKD 6.00, got HKD 5.99" in found.reasons


def test_too_much_in_one_pot_does_not_hide_too_little_in_another() -> None:
    found = score(TRUTH, {("A", "HKD"): 500, ("X", "HKD"): 100, ("B", "THB"): 450}, {"t1", "t2", "t3"})
    assert found.value["HKD"].found == 500
    assert found.value["THB"].found == 400
    assert found.value["USD"].found == 0
    assert found.overstated == {"HKD": 100, "THB": 50}
    assert found.false_accounts == ("X",)
    assert found.missed_accounts == ()
    assert "X (an account outside the scheme): expected HKD 0.00, got HKD 1.00" in found.reasons
    assert not found.exact


def test_right_amounts_with_a_wrong_or_missing_transfer_are_not_exact() -> None:
    more = score(TRUTH, RIGHT, {"t1", "t2", "t3", "t4"})
    assert not more.exact
    assert more.false_transfers == ("t4",)
    assert "followed 1 transfers that carried nothing stolen" in more.reasons
    fewer = score(TRUTH, RIGHT, {"t1", "t3"})
    assert not fewer.exact
    assert (fewer.transfers.found, fewer.transfers.expected) == (2, 3)


def test_finding_nothing() -> None:
    found = score(TRUTH, {}, ())
    assert found.transfers.recall == found.accounts.recall == 0.0
    assert found.missed_accounts == ("A", "B")
    assert not found.exact


def test_nothing_to_find_is_found() -> None:
    empty = Truth(scheme_transfers=(), carried={}, resting=(), mules=(), innocents=(), roles={})
    found = score(empty, {}, ())
    assert found.exact
    assert found.transfers.recall == found.accounts.recall == 1.0


def test_many_wrong_amounts_are_counted_not_listed() -> None:
    found = score(TRUTH, {(f"X{number:02d}", "HKD"): 1 for number in range(30)}, ())
    assert len([reason for reason in found.reasons if "outside the scheme" in reason]) <= 10
    assert "and 23 more accounts with a wrong amount" in found.reasons


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(InputError, match="not negative"):
        score(TRUTH, {("A", "HKD"): -1}, ())
