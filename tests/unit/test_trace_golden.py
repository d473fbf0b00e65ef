"""Ledgers worked out by hand, in books and judgments: what each rule must give, to the minor unit."""

import pytest

from comity.model import Trace
from comity.tracing import Rule, follow
from tests.unit.trace_rows import book, row


def carried(trace: Trace, *names: str) -> list[int]:
    found = {flow.transfer_id: flow.tainted_minor for flow in trace.flows}
    return [found.get(name, 0) for name in names]


def left(trace: Trace, account: str) -> int:
    return sum(held.tainted_minor for held in trace.holdings if held.account == account)


@pytest.mark.parametrize(
    ("rule", "unit", "expected"),
    [
        (Rule.FIFO, 1, [50, 150, 0, 0]),
        (Rule.LIFO, 1, [150, 40, 10, 0]),
        (Rule.LIBR, 1, [50, 40, 60, 50]),
        (Rule.PRORATA, 27, [2700, 1600, 600, 500]),
        (Rule.POISON, 1, [150, 160, 60, 50]),
    ],
)
def test_opening_100_stolen_200(rule: Rule, unit: int, expected: list[int]) -> None:
    """Out 150 to P, in 120 clean, out 160 to Q, out 60 to R. In units of 1/27 the rateable shares are whole."""
    rows = [
        row("in", 1, "V", "A", 200 * unit),
        row("p", 2, "A", "P", 150 * unit),
        row("clean", 3, "W", "A", 120 * unit),
        row("q", 4, "A", "Q", 160 * unit),
        row("r", 5, "A", "R", 60 * unit),
    ]
    trace = follow(book(*rows, balances={("A", "EUR"): 100 * unit}), rule=rule, claims={"in": None})
    assert [*carried(trace, "p", "q", "r"), left(trace, "A")] == expected
    assert [left(trace, "P"), left(trace, "Q"), left(trace, "R")] == expected[:3]


def test_capstone_lowest_intermediate_balance() -> None:
    """100,000 of his own, 200,000 in trust, 45,500 left: the claim is to 45,500."""
    rows = [row("trust", 1, "T", "A", 20_000_000), row("spent", 2, "A", "S", 25_450_000)]
    trace = follow(book(*rows, balances={("A", "EUR"): 10_000_000}), rule=Rule.LIBR, claims={"trust": None})
    assert [(held.account, held.tainted_minor, held.balance_minor) for held in trace.holdings] == [
        ("S", 15_450_000, 25_450_000),
        ("A", 4_550_000, 4_550_000),
    ]


def test_lowest_intermediate_balance_is_not_refilled() -> None:
    """Roscoe v Winder: down to 2,518; what comes in afterwards is not the trust's."""
    rows = [
        row("trust", 1, "T", "A", 45_518),
        row("spent", 2, "A", "S", 43_000),
        row("later", 3, "W", "A", 33_000),
    ]
    trace = follow(book(*rows), rule=Rule.LIBR, claims={"trust": None})
    assert (left(trace, "A"), trace.holdings[1].balance_minor) == (2_518, 35_518)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule.FIFO, [300, 0]),
        (Rule.LIFO, [0, 300]),
        (Rule.PRORATA, [90, 210]),
        (Rule.LIBR, [0, 300]),
        (Rule.POISON, [300, 700]),
    ],
)
def test_three_stolen_coins_then_seven_good_ones(rule: Rule, expected: list[int]) -> None:
    """Anderson, Shumailov, Ahmed, "Making Bitcoin Legal" (2018): under first in, first out the first three out."""
    rows = [
        row("stolen", 1, "V", "A", 300),
        row("mined", 2, "M", "A", 700),
        row("three", 3, "A", "P", 300),
        row("seven", 4, "A", "Q", 700),
    ]
    trace = follow(book(*rows), rule=rule, claims={"stolen": None})
    assert carried(trace, "three", "seven") == expected
