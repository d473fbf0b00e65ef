"""Each pattern in a tiny book made by hand: found where it is, and not where one thing is missing."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from comity.backends.analysis import DuckDbEngine
from comity.errors import NotFound
from comity.tracing import BOOK_SCHEMA
from comity.tracing.typologies.alerts import MOST_TRANSFERS, alert_document, alert_of
from comity.tracing.typologies.catalogue import NAMES, find_all, typology
from comity.tracing.typologies.columns import Columns
from tests.unit.typology_world import Transfer, alerts, columns, row

Rows = Sequence[Transfer | dict[str, Any]]

FAN_IN = [(day, f"s{day}", "hub", 10_000) for day in range(5)]
FAN_OUT = [(day, "hub", f"r{day}", 10_000) for day in range(5)]
GATHER_SCATTER = [
    *((day, f"s{day}", "hub", 10_000) for day in range(3)),
    *((day + 4, "hub", f"r{day}", 9_500) for day in range(3)),
]
PASS_THROUGH = [(0.0, "s", "m", 10_000), (0.2, "t", "m", 5_000), (0.5, "m", "x", 14_000)]
STRUCTURING = [(day, "a", f"r{day}", 950_000) for day in range(3)]
SHELL_LIFE = [(0.0, "a", "s1", 10_000), (1.0, "s1", "s2", 9_900), (2.0, "s2", "a", 9_800)]
ONE_SHELL = [(0.0, "a", "s1", 10_000), (1.0, "s1", "a", 9_800)]
DORMANT = [
    (0.0, "a", "x", 1_000),
    (100.0, "s", "a", 9_000),
    (101.0, "a", "y", 4_000),
    (102.0, "a", "z", 4_000),
]
CRYPTO: list[Any] = [
    (0.0, "s", "m", 10_000),
    row(1, (0.5, "m", "wallet", 9_500), to_currency="BTC", to_amount_minor=20),
]
SCATTER_GATHER = [
    *((0.1 * number, "a", f"m{number}", 10_000) for number in range(3)),
    *((1 + 0.1 * number, f"m{number}", "z", 9_500) for number in range(3)),
]
CYCLE = [(0.0, "a", "b", 10_000), (1.0, "b", "c", 9_800), (2.0, "c", "a", 9_700)]
PEEL = [
    part
    for hop in range(4)
    for part in ((hop * 1.0, f"p{hop}", f"p{hop + 1}", 10_000 - 500 * hop), (hop + 1.5, f"p{hop + 1}", f"x{hop}", 400))
][:-1]  # fmt: skip
RING = [
    *((0.1 * number, "boss", f"m{number}", 10_000) for number in range(3)),
    *((0.5 + 0.1 * number, f"m{number}", f"cash{number}", 9_900) for number in range(3)),
]

HITS: dict[str, tuple[Rows, str, int]] = {
    "fan-in": (FAN_IN, "hub", 5),
    "fan-out": (FAN_OUT, "hub", 5),
    "gather-scatter": (GATHER_SCATTER, "hub", 6),
    "pass-through": (PASS_THROUGH, "m", 3),
    "structuring": (STRUCTURING, "a", 3),
    "round-trip": (SHELL_LIFE, "a", 3),
    "dormant-active": (DORMANT, "a", 3),
    "crypto-in-out": (CRYPTO, "m", 2),
    "scatter-gather": (SCATTER_GATHER, "a", 6),
    "cycle": (CYCLE, "a", 3),
    "peel-chain": (PEEL, "p0", 7),
    "mule-ring": (RING, "m0", 6),
}
NEAR: list[tuple[str, str, Rows]] = [
    ("fan-in", "four payers", FAN_IN[:4]),
    ("fan-in", "spread over months", [(30 * d, a, b, m) for d, a, b, m in FAN_IN]),
    ("fan-in", "known payers", [*((-60.0 - 20 * n, f"s{n}", "hub", 1) for n in range(5)), *FAN_IN]),
    ("fan-in", "the same payer", [(day, "s", "hub", 10_000) for day in range(9)]),
    ("fan-out", "four receivers", FAN_OUT[:4]),
    ("fan-out", "the other way round", FAN_IN),
    ("gather-scatter", "two payers", GATHER_SCATTER[1:]),
    ("gather-scatter", "most of it stays", [(d, a, b, m if b == "hub" else 3_000) for d, a, b, m in GATHER_SCATTER]),
    ("gather-scatter", "paid before received", [(-day, a, b, m) for day, a, b, m in GATHER_SCATTER]),
    ("pass-through", "a fifth stays", [*PASS_THROUGH[:2], (0.5, "m", "x", 12_000)]),
    ("pass-through", "weeks later", [*PASS_THROUGH[:2], (20.5, "m", "x", 14_000)]),
    ("pass-through", "in another currency", [*PASS_THROUGH[:2], row(2, (0.5, "m", "x", 14_000), currency="USD")]),
    ("structuring", "at the threshold", [(day, "a", f"r{day}", 1_000_000) for day in range(3)]),
    ("structuring", "far below", [(day, "a", f"r{day}", 300_000) for day in range(9)]),
    ("structuring", "no threshold known", [row(n, one, currency="SEK") for n, one in enumerate(STRUCTURING)]),
    ("round-trip", "the shell has a life of its own",
     [*ONE_SHELL, *((5.0, "s1", f"shop{n}", 1) for n in range(4)), (4.0, "work", "s1", 500)]),
    ("round-trip", "half comes back", [ONE_SHELL[0], (1.0, "s1", "a", 5_000), (1.0, "s1", "b", 4_900)]),
    ("round-trip", "it comes back first", [(2.0, "a", "s1", 10_000), (1.0, "s1", "a", 9_800)]),
    ("dormant-active", "asleep for weeks only", [(60.0, "a", "x", 1_000), *DORMANT[1:]]),
    ("dormant-active", "no more than usual", [(0.0, "a", "x", 9_000), *DORMANT[1:]]),
    ("dormant-active", "a new account", DORMANT[1:]),
    ("crypto-in-out", "no crypto", [CRYPTO[0], row(1, (0.5, "m", "w", 9_500), to_currency="USD", to_amount_minor=9)]),
    ("crypto-in-out", "half of it", [CRYPTO[0], row(1, (0.5, "m", "w", 5_000), to_currency="BTC", to_amount_minor=9)]),
    ("scatter-gather", "two between", [one for one in SCATTER_GATHER if "m2" not in one]),
    ("scatter-gather", "three sinks", [(d, a, f"{a}z" if b == "z" else b, m) for d, a, b, m in SCATTER_GATHER]),
    ("scatter-gather", "gathered before", [(-day, a, b, m) for day, a, b, m in SCATTER_GATHER]),
    ("cycle", "out of order", [(-day, a, b, m) for day, a, b, m in CYCLE]),
    ("cycle", "half is lost", [*CYCLE[:2], (2.0, "c", "a", 4_000)]),
    ("cycle", "too late", [*CYCLE[:2], (40.0, "c", "a", 9_700)]),
    ("cycle", "only two accounts", [(0.0, "a", "b", 10_000), (1.0, "b", "a", 9_800)]),
    ("peel-chain", "nothing peeled off", [one for one in PEEL if not one[2].startswith("x")]),
    ("peel-chain", "three hops", PEEL[:-2]),
    ("peel-chain", "the rest stays", [(d, a, b, m // 2 if a == "p2" else m) for d, a, b, m in PEEL]),
    ("mule-ring", "two mules", [one for one in RING if "m2" not in one]),
    ("mule-ring", "they keep it", [one for one in RING if one[1] == "boss"]),
    ("mule-ring", "strangers", [(d, f"boss{b}" if a == "boss" else a, b, m) for d, a, b, m in RING]),
]  # fmt: skip


@pytest.mark.parametrize("pattern", NAMES)
def test_each_pattern_is_found_where_it_is(pattern: str) -> None:
    rows, account, transfers = HITS[pattern]
    found = alerts(typology(pattern), rows)
    assert [alert.accounts[0] for alert in found] == [account]
    assert len(found[0].transfer_ids) == found[0].transfers_in_all == transfers
    assert found[0].rule.endswith(".")
    assert 0.5 <= found[0].score <= 1


@pytest.mark.parametrize(("pattern", "missing", "rows"), NEAR, ids=[f"{one[0]}: {one[1]}" for one in NEAR])
def test_a_near_miss_is_none(pattern: str, missing: str, rows: Rows) -> None:
    assert alerts(typology(pattern), rows) == []


def test_every_pattern_has_a_near_miss() -> None:
    assert {one[0] for one in NEAR} == set(HITS) == set(NAMES)


def test_one_shell_is_enough_for_a_round_trip() -> None:
    (found,) = alerts(typology("round-trip"), ONE_SHELL)
    assert found.measured == {"left_minor": 10_000, "returned_minor": 9_800, "shells": 1}


def test_the_way_back_from_crypto_is_found_too() -> None:
    rows: Rows = [
        row(0, (0.0, "wallet", "m", 20), currency="BTC", to_currency="EUR", to_amount_minor=10_000),
        row(1, (0.5, "m", "x", 9_500)),
    ]
    (found,) = alerts(typology("crypto-in-out"), rows)
    assert found.accounts[0] == "m"


def test_a_cycle_of_ten_is_found_and_one_of_eleven_is_not() -> None:
    def ring(size: int) -> Rows:
        return [(0.1 * n, f"c{n}", f"c{(n + 1) % size}", 10_000) for n in range(size)]

    assert alerts(typology("cycle"), ring(10))[0].measured["transfers"] == 10
    assert alerts(typology("cycle"), ring(11)) == []


def test_an_alert_explains_itself_and_can_be_traced() -> None:
    book = columns(CYCLE)
    one: Any = typology("cycle")
    (finding,) = one.find(book)
    alert = alert_of(
        finding, book, pattern="cycle", rule=one.sentence(finding.measured), thresholds=asdict(one)
    )
    document = alert_document(alert)
    assert document["report"] == {"report_id": alert.alert_id, "transfers": ["T00000", "T00001", "T00002"]}
    assert document["transfer_ids"] == ["T00000", "T00001", "T00002"]
    assert document["accounts"] == ["a", "b", "c"]
    assert document["since"] == "2025-01-06T00:00:00.000000Z"
    assert "10,000 minor units left, 9,700 came back" in document["rule"]
    assert document["thresholds"]["window_days"] == 30
    assert document["measured"]["days"] == 2


def test_an_unknown_pattern_is_named() -> None:
    with pytest.raises(NotFound, match="expected one of crypto-in-out, cycle"):
        typology("smurfs")


def hub_book(size: int) -> Columns:
    """A hub that so many accounts pay, and that pays as many others the next day; amounts all match."""
    numbers = np.arange(size)
    days = np.concatenate([numbers / size, 1 + numbers / size, np.full(size // 100, 2.5)])
    payers = [*(f"s{n}" for n in range(size)), *["hub"] * size, *(f"r{n}" for n in range(0, size, 100))]
    receivers = [*["hub"] * size, *(f"r{n}" for n in range(size)), *(f"s{n}" for n in range(0, size, 100))]
    count = len(days)
    known = {
        "transfer_id": pa.array([f"T{n:06}" for n in range(count)]),
        "booked_at": pa.array((days * 86_400_000_000).astype(np.int64)).cast(pa.timestamp("us", "UTC")),
        "from_account": pa.array(payers), "to_account": pa.array(receivers),
        "amount_minor": pa.array(np.full(count, 10_000)), "currency": pa.array(["EUR"] * count),
    }  # fmt: skip
    nothing = {field.name: pa.nulls(count, field.type) for field in BOOK_SCHEMA}
    return Columns.from_table(pa.table({**nothing, **known}).cast(BOOK_SCHEMA))


def test_a_hub_does_not_explode() -> None:
    book = hub_book(100_000)
    for one, hits in find_all(book, DuckDbEngine(threads=1), [typology(name) for name in NAMES]):
        assert len(hits) <= 1_000, one.name
        assert all(len(hit.events) <= MOST_TRANSFERS for hit in hits), one.name
