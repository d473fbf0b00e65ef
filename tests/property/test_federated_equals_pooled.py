"""The kernel against the contract read aloud, and many nodes against one pooled book: equal to the minor
unit.
"""

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.backends.transfers.files import read_balances, read_transfers
from comity.model import Crossing, Trace
from comity.tracing import (
    BOOK_SCHEMA,
    Book,
    Rule,
    beyond,
    crossing_document,
    follow,
    questions,
    read_crossing,
)
from tests.property.plain_reference import Outcome, trace_plainly

MAX = 2**63 - 1
START = datetime(2025, 6, 1, tzinfo=UTC)
COUNTRIES = ("CA", "HK", "KH", "SG", "TH")
PUBLIC_LEDGERS = Path(os.environ.get("COMITY_PUBLIC_LEDGERS", "no-folder"))
"""Folder with ledgers of AMLSim and AMLGentex, in the contract's columns."""
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class World:
    rows: list[dict[str, Any]]
    balances: dict[tuple[str, str], int]
    claims: dict[str, int | None]
    until: datetime | None
    country: dict[str, str]


@st.composite
def worlds(draw: st.DrawFn, *, nodes: int = 1) -> World:
    """Few accounts and close amounts, so that money meets; some worlds near 64 bits."""
    accounts = [f"{letter}{number}" for letter in "Aé" for number in range(draw(st.integers(1, 4)))]
    countries = COUNTRIES[:nodes]
    country = {account: draw(st.sampled_from(countries)) for account in accounts}
    big = draw(st.sampled_from([12, 1000, MAX]))
    amounts = st.one_of(st.integers(0, 12), st.integers(0, big), st.integers(max(0, big - 3), big))
    currencies = st.sampled_from(draw(st.sampled_from([("EUR",), ("EUR", "HKD", "JPY")])))
    ids = draw(
        st.lists(
            st.text("aAé\u10ffff\U0001f600Z0", min_size=1, max_size=3), min_size=1, max_size=40, unique=True
        )
    )
    rows = [draw(_row(name, accounts, amounts, currencies, country)) for name in ids]
    balances = draw(st.dictionaries(st.tuples(st.sampled_from(accounts), currencies), amounts, max_size=5))
    claims: dict[str, int | None] = {}
    for row in draw(st.lists(st.sampled_from(rows), min_size=1, max_size=4)):
        claims[row["transfer_id"]] = draw(st.one_of(st.none(), st.integers(0, row["amount_minor"])))
    until = draw(
        st.one_of(st.none(), st.integers(0, 12).map(lambda second: START + timedelta(seconds=second)))
    )
    return World(rows=rows, balances=balances, claims=claims, until=until, country=country)


@st.composite
def _row(
    draw: st.DrawFn,
    name: str,
    accounts: list[str],
    amounts: st.SearchStrategy[int],
    currencies: st.SearchStrategy[str],
    country: Mapping[str, str],
) -> dict[str, Any]:
    converted = draw(st.sampled_from([False, False, False, True]))
    sender, receiver = draw(st.sampled_from(accounts)), draw(st.sampled_from(accounts))
    return {
        "transfer_id": name,
        "booked_at": START + timedelta(seconds=draw(st.integers(0, 12))),
        "from_account": sender,
        "to_account": receiver,
        "amount_minor": draw(amounts),
        "currency": draw(currencies),
        "to_amount_minor": draw(amounts) if converted else None,
        "to_currency": draw(currencies) if converted else None,
        "from_country": country[sender],
        "to_country": country[receiver],
    }


def book(rows: Rows, balances: Mapping[tuple[str, str], int], covers: frozenset[str] | None = None) -> Book:
    return Book.from_table(
        pa.Table.from_pylist(list(rows), schema=BOOK_SCHEMA), balances=balances, covers=covers
    )


def same(trace: Trace, plain: Outcome) -> None:
    assert [
        (h.account, h.currency, h.tainted_minor, h.balance_minor) for h in trace.holdings
    ] == plain.holdings
    assert [(f.transfer_id, f.tainted_minor) for f in trace.flows] == plain.flows
    assert [(g.transfer_id, g.account, g.currency, g.unexplained_minor) for g in trace.gaps] == plain.gaps
    totals = [(t.currency, t.reported_minor, t.held_minor, t.reported_again_minor) for t in trace.totals]
    assert totals == plain.totals()


@pytest.mark.parametrize("rule", list(Rule))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(world=worlds())
def test_the_kernel_is_the_contract(rule: Rule, world: World) -> None:
    trace = follow(book(world.rows, world.balances), rule=rule, claims=world.claims, until=world.until)
    plain = trace_plainly(
        world.rows, rule=rule, claims=world.claims, balances=world.balances, until=world.until
    )
    same(trace, plain)


@pytest.mark.parametrize("rule", list(Rule))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(world=worlds())
def test_conservation_in_one_currency(rule: Rule, world: World) -> None:
    """What was reported is held, or was counted again; nothing is lost or made where nothing is converted."""
    rows = [{**row, "currency": "EUR", "to_amount_minor": None, "to_currency": None} for row in world.rows]
    trace = follow(book(rows, world.balances), rule=rule, claims=world.claims, until=world.until)
    if rule is Rule.POISON:
        assert all(total.reported_again_minor == 0 for total in trace.totals)
        return
    for total in trace.totals:
        assert total.held_minor == total.reported_minor - total.reported_again_minor


@dataclass
class Node:
    book: Book
    claims: dict[str, int | None]
    trace: Trace


def federate(world: World, rule: Rule, covered: frozenset[str]) -> tuple[dict[str, Node], int]:
    """Run the nodes to the fixed point; each has only the rows that touch it, and its own reports."""
    nodes = {}
    for country in covered:
        rows = [row for row in world.rows if country in (row["from_country"], row["to_country"])]
        balances = {pot: minor for pot, minor in world.balances.items() if world.country[pot[0]] == country}
        own = book(rows, balances, frozenset({country}))
        sent = {row["transfer_id"] for row in rows if row["from_country"] == country}
        claims = {name: part for name, part in world.claims.items() if name in sent}
        nodes[country] = Node(own, claims, follow(own, rule=rule, claims=claims, until=world.until))
    told: dict[str, tuple[Crossing, ...]] = {}
    rounds = 0
    while due := questions({name: node.trace.exits for name, node in nodes.items()}, told, covered):
        rounds += 1
        assert rounds <= len(world.rows) + 1
        for question in due:
            node = nodes[question.country]
            told[question.country] = tuple(
                read_crossing(crossing_document(crossing)) for crossing in question.inflows
            )
            node.trace = follow(
                node.book, rule=rule, claims=node.claims, inflows=told[question.country], until=world.until
            )
            assert node.trace.unmatched == ()
    return nodes, rounds


def pooled_parts(traces: Sequence[Trace]) -> tuple[list[Any], list[Any], set[Any], dict[str, list[int]]]:
    """Holdings and gaps in their orders, flows as a set, totals added up."""
    holdings = [h for trace in traces for h in trace.holdings]
    holdings.sort(key=lambda h: (-h.tainted_minor, h.account, h.currency))
    totals: dict[str, list[int]] = {}
    for total in (total for trace in traces for total in trace.totals):
        sums = totals.setdefault(total.currency, [0, 0, 0])
        for place, minor in enumerate((total.reported_minor, total.held_minor, total.reported_again_minor)):
            sums[place] += minor
    gaps = sorted((gap for trace in traces for gap in trace.gaps), key=lambda gap: gap.transfer_id)
    return holdings, gaps, {flow for trace in traces for flow in trace.flows}, totals


@pytest.mark.parametrize("rule", list(Rule))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data(), nodes=st.integers(2, 5))
def test_federated_equals_pooled(rule: Rule, data: st.DataObject, nodes: int) -> None:
    world = data.draw(worlds(nodes=nodes))
    covered = frozenset(COUNTRIES[:nodes])
    federation, _ = federate(world, rule, covered)
    one = follow(book(world.rows, world.balances), rule=rule, claims=world.claims, until=world.until)
    traces = [node.trace for node in federation.values()]
    assert pooled_parts(traces) == pooled_parts([one])
    assert sum(len(trace.flows) for trace in traces) == len(one.flows)

    plain = trace_plainly(
        world.rows, rule=rule, claims=world.claims, balances=world.balances, until=world.until
    )
    same(one, plain)
    crossed = {
        row["transfer_id"]: merged(plain.arrivals[row["transfer_id"]])
        for row in world.rows
        if row["from_country"] != row["to_country"]
        and any(size and tainted for size, tainted in plain.arrivals.get(row["transfer_id"], []))
    }
    exits = [crossing for trace in traces for crossing in trace.exits]
    assert {c.transfer_id: [(p.amount_minor, p.tainted) for p in c.pieces] for c in exits} == crossed
    assert len(exits) == len(crossed)


def merged(pieces: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
    joined: list[tuple[int, bool]] = []
    for size, tainted in pieces:
        if size and joined and joined[-1][1] == tainted:
            joined[-1] = (joined[-1][0] + size, tainted)
        elif size:
            joined.append((size, tainted))
    return joined


@pytest.mark.parametrize("rule", list(Rule))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(world=worlds(nodes=4))
def test_what_goes_where_no_node_is_rests_beyond(rule: Rule, world: World) -> None:
    """Wallets that never pay out, in a country without a node: what is beyond is what the pooled trace finds
    there.
    """
    rows = [row for row in world.rows if row["from_country"] != "SG"]
    names = {row["transfer_id"] for row in rows}
    claims = {name: part for name, part in world.claims.items() if name in names}
    world = World(rows, world.balances, claims, world.until, world.country)
    federation, _ = federate(world, rule, frozenset({"CA", "HK", "KH"}))
    crossings = beyond({name: node.trace.exits for name, node in federation.items()}, frozenset(federation))
    found: dict[tuple[str, str], int] = {}
    for crossing in crossings:
        pot = (crossing.to_account, crossing.currency)
        found[pot] = found.get(pot, 0) + crossing.tainted_minor
    one = follow(book(rows, world.balances), rule=rule, claims=claims, until=world.until)
    there = {
        (h.account, h.currency): h.tainted_minor for h in one.holdings if world.country[h.account] == "SG"
    }
    if rule is Rule.POISON:  # the whole balance there counts, what was clean on arrival included
        assert found.keys() == there.keys()
        assert all(found[pot] <= there[pot] for pot in found)
    else:
        assert found == there


def crowded_world(seed: int, bigs: Sequence[int] = (3, 50, 10**5, MAX)) -> tuple[World, int]:
    """Hundreds of transfers among few accounts: pots empty, are tainted again, overdraw; loops between nodes."""
    rng = random.Random(seed)
    nodes = rng.randint(2, 5)
    accounts = [f"a{number}" for number in range(rng.randint(2, 25))]
    country = {account: rng.choice(COUNTRIES[:nodes]) for account in accounts}
    big, count = rng.choice(bigs), rng.randint(20, 300)
    currencies = rng.choice([["EUR"], ["EUR", "HKD"]])
    rows = []
    for number in range(count):
        sender, receiver = rng.choice(accounts), rng.choice(accounts)
        converted = rng.random() < 0.2
        rows.append(
            {
                "transfer_id": f"t{rng.randrange(10**6)}-{number}",
                "booked_at": START + timedelta(seconds=rng.randint(0, count)),
                "from_account": sender,
                "to_account": receiver,
                "amount_minor": rng.randint(0, big),
                "currency": rng.choice(currencies),
                "to_amount_minor": rng.randint(0, big) if converted else None,
                "to_currency": rng.choice(currencies) if converted else None,
                "from_country": country[sender],
                "to_country": country[receiver],
            }
        )
    balances = {(a, c): rng.randint(0, big) for a in accounts for c in currencies if rng.random() < 0.4}
    claims = {
        str(row["transfer_id"]): rng.choice([None, rng.randint(0, int(str(row["amount_minor"])))])
        for row in rng.sample(rows, rng.randint(1, 6))
    }
    until = rng.choice([None, None, START + timedelta(seconds=rng.randint(0, count))])
    return World(rows, balances, claims, until, country), nodes


@pytest.mark.parametrize("rule", list(Rule))
def test_crowded_worlds(rule: Rule) -> None:
    gaps = 0
    for seed in range(60):
        world, nodes = crowded_world(seed)
        one = follow(book(world.rows, world.balances), rule=rule, claims=world.claims, until=world.until)
        plain = trace_plainly(
            world.rows, rule=rule, claims=world.claims, balances=world.balances, until=world.until
        )
        same(one, plain)
        federation, _ = federate(world, rule, frozenset(COUNTRIES[:nodes]))
        assert pooled_parts([node.trace for node in federation.values()]) == pooled_parts([one])
        gaps += len(one.gaps)
    assert gaps > 20


@pytest.mark.parametrize("rule", list(Rule))
@pytest.mark.parametrize("name", ["amlsim_12k", "amlgentex_template"])
def test_public_ledgers(name: str, rule: Rule) -> None:
    """Two public synthetic ledgers, several reports at once: whole and part, early and late."""
    file = PUBLIC_LEDGERS / f"{name}.parquet"
    if not file.exists():
        pytest.skip("COMITY_PUBLIC_LEDGERS names no folder that has it")
    table = read_transfers([file]).table
    balances = read_balances(PUBLIC_LEDGERS / f"{name}_balances.csv")
    labelled = pq.read_table(file, columns=["transfer_id", "amount_minor", "is_laundering"])
    stolen = labelled.filter(labelled["is_laundering"]).to_pylist()
    chosen = [*stolen[:6], *stolen[len(stolen) // 2 :: max(1, len(stolen) // 9)]]
    claims = {
        row["transfer_id"]: None if turn % 2 else row["amount_minor"] // 3 for turn, row in enumerate(chosen)
    }
    trace = follow(Book.from_table(table, balances=balances), rule=rule, claims=claims)
    same(trace, trace_plainly(table.to_pylist(), rule=rule, claims=claims, balances=balances))
