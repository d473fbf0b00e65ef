"""Bounds against worlds: no opening balance that leaves nobody overdrawn gives less or more; exact ones are reached."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from comity.tracing import BOOK_SCHEMA, Book, Rule, follow
from comity.tracing.bounds import bounds_of
from tests.unit.trace_rows import book, row

START = datetime(2025, 6, 1, tzinfo=UTC)
Pot = tuple[str, str]


def small_world(
    seed: int, accounts: int, count: int, most: int
) -> tuple[list[dict[str, Any]], dict[str, int | None]]:
    rng = random.Random(seed)
    names = [f"a{number}" for number in range(accounts)]
    rows: list[dict[str, Any]] = [
        {
            "transfer_id": f"t{number}",
            "booked_at": START + timedelta(seconds=number),
            "from_account": rng.choice(names),
            "to_account": rng.choice(names),
            "amount_minor": rng.randint(0, most),
            "currency": "EUR",
        }
        for number in range(count)
    ]
    for turn in rng.sample(range(count // 2), rng.randint(1, 2)):
        rows[turn]["from_account"] = f"victim{turn}"
    claims: dict[str, int | None] = {
        str(row["transfer_id"]): None for row in rows if str(row["from_account"]).startswith("victim")
    }
    return rows, claims


def made(rows: list[dict[str, Any]], balances: dict[Pot, int]) -> Book:
    return Book.from_table(pa.Table.from_pylist(rows, schema=BOOK_SCHEMA), balances=balances)


def overdrawn(rows: list[dict[str, Any]]) -> dict[Pot, int]:
    """The least that each account must have begun with."""
    held: dict[str, int] = {}
    least: dict[str, int] = {}
    for one in rows:
        if one["from_account"] == one["to_account"]:
            continue
        held[one["from_account"]] = held.get(one["from_account"], 0) - one["amount_minor"]
        least[one["from_account"]] = max(least.get(one["from_account"], 0), -held[one["from_account"]])
        held[one["to_account"]] = held.get(one["to_account"], 0) + one["amount_minor"]
    return {(name, "EUR"): least.get(name, 0) for name in held}


@pytest.mark.parametrize("rule", list(Rule))
def test_no_world_leaves_the_bounds(rule: Rule) -> None:
    narrow = 0
    for seed in range(25):
        rows, claims = small_world(seed, 5, 14, 12)
        found = bounds_of(made(rows, {}), rule=rule, claims=claims)
        assert found is not None
        bounds = {(one.account, one.currency): one for one in found.bounds}
        floor = overdrawn(rows)
        rng = random.Random(seed)
        for _ in range(12):
            opening = {pot: least + rng.choice([0, 0, 3, 7, 20, 500]) for pot, least in floor.items()}
            trace = follow(made(rows, opening), rule=rule, claims=claims)
            held = {(one.account, one.currency): one.tainted_minor for one in trace.holdings}
            assert held.keys() <= bounds.keys()
            for pot, one in bounds.items():
                least, most = one.least_minor, one.most_minor
                assert least <= held.get(pot, 0)
                assert most is None or held.get(pot, 0) <= most
        narrow += sum(one.least_minor == one.most_minor for one in found.bounds)
    assert narrow > 2 or rule is Rule.POISON


def test_exact_bounds_are_reached() -> None:
    """Every opening balance of four small accounts is tried: somewhere the least, somewhere the most."""
    reached = 0
    for seed in range(40):
        rows, claims = small_world(seed, 3, 7, 2)
        found = bounds_of(made(rows, {}), rule=Rule.FIFO, claims=claims)
        assert found is not None
        floor = {pot: least for pot, least in overdrawn(rows).items() if not pot[0].startswith("victim")}
        held: dict[Pot, set[int]] = {}
        for extra in itertools.product(range(9), repeat=len(floor)):
            opening = {pot: least + more for (pot, least), more in zip(floor.items(), extra, strict=True)}
            trace = follow(made(rows, opening), rule=Rule.FIFO, claims=claims)
            there = {(one.account, one.currency): one.tainted_minor for one in trace.holdings}
            for pot in floor:
                held.setdefault(pot, set()).add(there.get(pot, 0))
        for one in found.bounds:
            if one.exact:
                worlds = held[one.account, one.currency]
                assert (min(worlds), max(worlds)) == (one.least_minor, one.most_minor)
                reached += one.least_minor < (one.most_minor or 0)
        if reached > 4:
            break
    assert reached > 4


def test_which_statement_would_narrow_it_most() -> None:
    """All depends on what A had: B's own balance decides nothing, since B pays nobody."""
    rows = [row("1", 1, "V", "A", 100), row("2", 2, "A", "B", 60), row("3", 3, "W", "B", 1)]
    found = bounds_of(book(*rows), rule=Rule.FIFO, claims={"1": None})
    assert found is not None
    assert found.missing is not None
    assert (found.missing.account, found.missing.depends_minor) == ("A", 60)
    assert [(one.account, one.least_minor, one.most_minor, one.exact) for one in found.bounds] == [
        ("A", 40, 100, True),
        ("B", 0, 60, True),
    ]
