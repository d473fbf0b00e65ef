"""The truth of an exercise against tracing written here from the contract, over all books pooled."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.exercise import World, build_world

Pot = tuple[str, str]
SEEDS = (0, 1, 2, 3, 2_025)
START = "2025-06-18T00:05:00+00:00"


class Row(NamedTuple):
    id: str
    at: str
    source: Pot
    target: Pot
    paid: int
    received: int
    countries: tuple[str, str]


def rows_of(table: pa.Table) -> list[Row]:
    """Rows in the order of the contract."""
    columns = {name: table[name].to_pylist() for name in table.column_names}
    rows = [
        Row(
            id=columns["transfer_id"][index],
            at=columns["booked_at"][index].isoformat(),
            source=(columns["from_account"][index], columns["currency"][index]),
            target=(
                columns["to_account"][index],
                columns["to_currency"][index] or columns["currency"][index],
            ),
            paid=columns["amount_minor"][index],
            received=(
                columns["amount_minor"][index]
                if columns["to_amount_minor"][index] is None
                else columns["to_amount_minor"][index]
            ),
            countries=(columns["from_country"][index], columns["to_country"][index]),
        )
        for index in range(table.num_rows)
    ]
    return sorted(rows, key=lambda row: (table_time(row.at), row.id))


def table_time(at: str) -> str:
    """Microseconds written out, so that text sorts as time does."""
    return at if "." in at else at.replace("+00:00", ".000000+00:00")


def pool(world: World, *, since: str | None = None) -> list[Row]:
    parts = []
    for country, book in world.books.items():
        own = book.table.filter(pc.equal(book.table["from_country"], country))
        if since:
            moment = pa.scalar(since).cast(pa.timestamp("us", "UTC"))
            own = own.filter(pc.greater_equal(own["booked_at"], moment))
        parts.append(own)
    return rows_of(pa.concat_tables(parts))


def opening(world: World) -> dict[Pot, int]:
    return {pot: held for book in world.books.values() for pot, held in book.balances.items()}


def held_at_start(world: World) -> dict[Pot, int]:
    """What every pot holds when the scheme starts: until then all money is clean."""
    held = opening(world)
    moment = pa.scalar(START).cast(pa.timestamp("us", "UTC"))
    for country, book in world.books.items():
        table = book.table.filter(pc.less(book.table["booked_at"], moment))
        own = table.filter(pc.equal(table["from_country"], country))
        for sign, account, currency, amount in (
            (-1, own["from_account"], own["currency"], own["amount_minor"]),
            (
                1,
                own["to_account"],
                pc.fill_null(own["to_currency"], own["currency"]),
                pc.fill_null(own["to_amount_minor"], own["amount_minor"]),
            ),
        ):
            sums = pa.table({"a": account, "c": currency, "m": amount}).group_by(["a", "c"])
            for pot_account, pot_currency, total in zip(
                *(sums.aggregate([("m", "sum")])[name].to_pylist() for name in ("a", "c", "m_sum")),
                strict=True,
            ):
                pot = (pot_account, pot_currency)
                held[pot] = held.get(pot, 0) + sign * total
    return held


def plain_fifo(
    rows: Iterable[Row], held: dict[Pot, int], stolen: Sequence[str]
) -> tuple[dict[Pot, int], dict[str, int]]:
    """First in, first out, as the contract words it, with nothing clever."""
    queues: dict[Pot, deque[list[int]]] = {
        pot: deque([[amount, 0]]) for pot, amount in held.items() if amount
    }
    carried: dict[str, int] = {}
    for row in rows:
        if row.source == row.target or not row.paid:
            continue
        queue, left, pieces = queues.setdefault(row.source, deque()), row.paid, []
        while left and queue:
            piece = queue[0]
            part = min(left, piece[0])
            pieces.append((part, piece[1]))
            piece[0] -= part
            left -= part
            if not piece[0]:
                queue.popleft()
        assert not left, f"{row} goes short"
        if row.id in stolen:
            assert not any(tainted for _, tainted in pieces)
            pieces = [(row.paid, 1)]
        tainted_sum = sum(amount for amount, tainted in pieces if tainted)
        if tainted_sum:
            carried[row.id] = tainted_sum
        gone, arrived = 0, 0
        for amount, tainted in pieces:
            gone += amount
            now = gone * row.received // row.paid
            if now > arrived:
                queues.setdefault(row.target, deque()).append([now - arrived, tainted])
            arrived = now
    resting = {pot: sum(amount for amount, tainted in queue if tainted) for pot, queue in queues.items()}
    return {pot: amount for pot, amount in resting.items() if amount}, carried


def plain_prorata(
    rows: Iterable[Row], held: dict[Pot, int], stolen: Sequence[str]
) -> tuple[dict[Pot, int], dict[str, int]]:
    """Rateable sharing; nobody goes short in an exercise, so k = a."""
    balance, tainted = dict(held), dict.fromkeys(held, 0)
    carried: dict[str, int] = {}
    for row in rows:
        if row.source == row.target or not row.paid:
            continue
        b, x, a = balance.get(row.source, 0), tainted.get(row.source, 0), row.paid
        assert a <= b
        t = x if a == b else min(max((2 * a * x + b) // (2 * b), x - (b - a)), x, a)
        balance[row.source], tainted[row.source] = b - a, x - t
        if row.id in stolen:
            t = a
        if t:
            carried[row.id] = t
        balance[row.target] = balance.get(row.target, 0) + row.received
        tainted[row.target] = tainted.get(row.target, 0) + t * row.received // a
    return {pot: amount for pot, amount in tainted.items() if amount}, carried


Rule = Callable[[Iterable[Row], dict[Pot, int], Sequence[str]], tuple[dict[Pot, int], dict[str, int]]]


def resting_of(world: World) -> dict[Pot, int]:
    return {(rest.account, rest.currency): rest.amount_minor for rest in world.truth.resting}


@pytest.fixture(scope="module")
def worlds() -> dict[int, World]:
    return {seed: build_world(seed=seed, transfers=5_000) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_truth_is_what_a_plain_fifo_finds_over_all_books(worlds: dict[int, World], seed: int) -> None:
    world = worlds[seed]
    resting, carried = plain_fifo(pool(world), opening(world), world.report["transfers"])
    assert resting == resting_of(world)
    assert carried == dict(world.truth.carried)
    assert set(carried) == set(world.truth.scheme_transfers)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**64), transfers=st.integers(2_000, 4_000))
def test_truth_holds_for_any_seed_and_size(seed: int, transfers: int) -> None:
    world = build_world(seed=seed, transfers=transfers)
    resting, carried = plain_fifo(pool(world), opening(world), world.report["transfers"])
    assert resting == resting_of(world)
    assert list(carried.items()) == list(world.truth.carried.items())


def test_truth_of_a_full_world_is_what_a_plain_fifo_finds() -> None:
    world = build_world(seed=42)
    resting, carried = plain_fifo(pool(world, since=START), held_at_start(world), world.report["transfers"])
    assert resting == resting_of(world)
    assert carried == dict(world.truth.carried)


def test_the_fifo_of_this_test_notices_a_missing_transfer(worlds: dict[int, World]) -> None:
    world = worlds[0]
    last = world.truth.scheme_transfers[-1]
    rows = [row for row in pool(world) if row.id != last]
    assert plain_fifo(rows, opening(world), world.report["transfers"])[0] != resting_of(world)


@pytest.mark.parametrize("rule", [plain_fifo, plain_prorata])
@pytest.mark.parametrize("seed", SEEDS)
def test_money_crosses_and_comes_back_under_either_rule(
    worlds: dict[int, World], seed: int, rule: Rule
) -> None:
    """CA → HK → TH → HK, TH → KH → ZZ, and nothing leaves the cast of the scheme."""
    world = worlds[seed]
    resting, carried = rule(pool(world), opening(world), world.report["transfers"])
    rows = {row.id: row for row in pool(world, since=START)}
    crossings = [rows[id].countries for id in carried if rows[id].countries[0] != rows[id].countries[1]]
    assert set(crossings) == {("CA", "HK"), ("HK", "TH"), ("TH", "HK"), ("TH", "KH"), ("KH", "ZZ")}
    moments: dict[tuple[str, str], list[str]] = {}
    for id in carried:
        moments.setdefault(rows[id].countries, []).append(rows[id].at)
    assert min(moments["TH", "HK"]) > max(moments["HK", "TH"])  # Hong Kong is asked again, with more
    assert any(at > min(moments["TH", "HK"]) for at in moments["HK", "HK"])
    assert {account for account, _ in resting} <= set(world.truth.roles)
    assert set(carried) >= set(world.truth.scheme_transfers)


def test_money_reaches_two_banks_in_thailand(worlds: dict[int, World]) -> None:
    world = worlds[1]
    table = world.books["TH"].table
    table = table.filter(pc.is_in(table["transfer_id"], pa.array(world.truth.scheme_transfers)))
    arriving = table.filter(pc.equal(table["from_country"], "HK"))
    assert len(set(arriving["to_institution"].to_pylist())) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_size_and_time_of_the_scheme(worlds: dict[int, World], seed: int) -> None:
    world = worlds[seed]
    rows = {row.id: row for row in pool(world, since=START)}
    moments = [rows[id].at for id in world.truth.scheme_transfers]
    assert len(moments) in (103, 104)  # one may carry only the honest wage on
    assert sorted(set(moments)) == moments
    assert moments[0] >= START
    assert moments[-1] < "2025-06-18T00:45:00+00:00"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_report_names_two_payments_of_the_trust_account(worlds: dict[int, World], seed: int) -> None:
    world = worlds[seed]
    rows = {row.id: row for row in pool(world, since=START)}
    straight, at_home = (rows[id] for id in world.report["transfers"])
    assert straight.source == at_home.source
    assert (straight.countries, at_home.countries) == (("CA", "HK"), ("CA", "CA"))
    assert straight.paid + at_home.paid == 2_300_000_00
    assert list(world.report["amounts"].values()) == ["1650000.00", "650000.00"]
    assert list(world.report["amounts"]) == world.report["transfers"]
    assert world.report["offence"] == "0701"
    for number in (straight.source[0], straight.target[0], at_home.target[0]):
        assert number in world.report["victim_statement"]
    assert straight.source not in resting_of(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_mules_have_lives_small_clean_balances_and_then_only_the_scheme(
    worlds: dict[int, World], seed: int
) -> None:
    world = worlds[seed]
    mules, scheme = set(world.truth.mules), set(world.truth.scheme_transfers)
    everything = pool(world)
    before = [row for row in everything if row.at < START]
    lived = {account for row in before for account in (row.source[0], row.target[0])} & mules
    assert lived == mules
    held = held_at_start(world)
    clean = [amount for pot, amount in held.items() if pot[0] in mules]
    assert min(clean) > 0
    stray = [
        row
        for row in everything
        if row.at >= START and row.id not in scheme and mules & {row.source[0], row.target[0]}
    ]
    assert len(stray) == 1  # the honest wage
    assert stray[0].target[0] in mules
    assert stray[0].paid == 18_400_00


@pytest.mark.parametrize("seed", SEEDS)
def test_clean_money_really_mixes_with_stolen(worlds: dict[int, World], seed: int) -> None:
    """Some transfers carry both, also across borders, and clean money crosses behind stolen."""
    world = worlds[seed]
    rows = {row.id: row for row in pool(world, since=START)}
    mixed = [id for id, carried in world.truth.carried.items() if carried < rows[id].paid]
    assert len(mixed) >= 30
    assert {("CA", "HK"), ("HK", "TH"), ("TH", "HK"), ("TH", "KH"), ("KH", "ZZ")} <= {
        rows[id].countries for id in mixed
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_the_only_innocents_are_those_meant(worlds: dict[int, World], seed: int) -> None:
    world = worlds[seed]
    truth = world.truth
    holders = {rest.account for rest in truth.resting}
    others = holders - set(truth.mules) - set(truth.innocents)
    assert {truth.roles[account] for account in others} == {"cash machines of a bank", "the thieves' wallet"}
    assert len(truth.innocents) == 3
    assert set(truth.innocents) <= holders
    shop = truth.innocents[2]
    assert next(rest.amount_minor for rest in truth.resting if rest.account == shop) <= 6_280_00
    assert not [row for row in pool(world, since=START) if row.source[0] == shop]


@pytest.mark.parametrize("seed", SEEDS)
def test_stolen_money_rests_in_every_country_and_outside(worlds: dict[int, World], seed: int) -> None:
    truth = worlds[seed].truth
    assert {rest.country for rest in truth.resting} == {"CA", "HK", "TH", "KH", "ZZ"}
    assert all(rest.amount_minor > 0 for rest in truth.resting)
    assert [rest.currency for rest in truth.resting if rest.country == "ZZ"] == ["USDT"]
    assert len({(rest.account, rest.currency) for rest in truth.resting}) == len(truth.resting)
