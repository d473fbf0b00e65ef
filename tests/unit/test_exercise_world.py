"""The books of an exercise: their size, shape and honesty, and that a seed gives one world everywhere."""

import dataclasses
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from comity.errors import InputError
from comity.exercise import NationalBook, World, build_world

COLUMNS = {
    "transfer_id": "string",
    "booked_at": "timestamp[us, tz=UTC]",
    "from_account": "string",
    "to_account": "string",
    "amount_minor": "int64",
    "currency": "string",
    "to_amount_minor": "int64",
    "to_currency": "string",
    "from_institution": "string",
    "to_institution": "string",
    "from_country": "string",
    "to_country": "string",
    "channel": "string",
    "reference": "string",
}
NUMBERS = {
    "CA": r"\d{5}-97\d-\d{7}",
    "HK": r"96\d-\d{3}-\d{6}",
    "TH": r"\d{3}-\d-\d{5}-\d",
    "KH": r"\d{9}|PKX-\d{8}",
    "ZZ": r"T[1-9A-HJ-NP-Za-km-z]{33}",
}


@pytest.fixture(scope="module")
def full() -> World:
    return build_world(seed=7)


@pytest.fixture(scope="module")
def small() -> World:
    return build_world(seed=7, transfers=5_000)


def pooled(world: World) -> pa.Table:
    """Every transfer once: from each book what its own country's accounts sent (ZZ never sends)."""
    parts = []
    for country, book in world.books.items():
        parts.append(book.table.filter(pc.equal(book.table["from_country"], country)))
    return pa.concat_tables(parts)


def digest(world: World) -> str:
    """One value that changes if anything about a world does."""
    whole = hashlib.sha256()
    for book in world.books.values():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, book.table.schema) as writer:
            writer.write_table(book.table.combine_chunks())
        whole.update(sink.getvalue())
        whole.update(repr(sorted(book.balances.items())).encode())
    whole.update(json.dumps(world.report).encode())
    truth = world.truth
    whole.update(repr((truth.scheme_transfers, dict(truth.carried), truth.resting, truth.mules)).encode())
    whole.update(repr((truth.innocents, dict(truth.roles))).encode())
    return whole.hexdigest()


def each_book(world: World) -> Iterator[tuple[str, NationalBook]]:
    yield from world.books.items()


def test_four_books_of_at_least_the_size_asked_for(full: World) -> None:
    assert set(full.books) == {"CA", "HK", "TH", "KH"}
    for country, book in each_book(full):
        assert book.country == country
        assert 200_000 <= book.table.num_rows < 202_000


@pytest.mark.parametrize("transfers", [2_000, 2_001, 31_337])
def test_any_size_is_reached(transfers: int) -> None:
    for _, book in each_book(build_world(seed=1, transfers=transfers)):
        assert book.table.num_rows >= transfers


def test_columns_are_those_of_the_contract(full: World) -> None:
    for _, book in each_book(full):
        assert {field.name: str(field.type) for field in book.table.schema} == COLUMNS
        for name in COLUMNS.keys() - {"to_amount_minor", "to_currency"}:
            assert book.table[name].null_count == 0, name
        assert 0 < book.table["to_amount_minor"].null_count < book.table.num_rows
        assert book.table["to_amount_minor"].is_null().equals(book.table["to_currency"].is_null())
        book.table.validate(full=True)


def test_ids_are_unique_uuids(full: World) -> None:
    ids = pooled(full)["transfer_id"]
    assert pc.count_distinct(ids).as_py() == len(ids)
    shape = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
    assert pc.all(pc.match_substring_regex(ids, shape)).as_py()


def test_a_cross_border_transfer_is_the_same_in_both_books(full: World) -> None:
    for here, there in itertools.combinations(full.books, 2):
        both = pa.array([here, there])
        rows = []
        for book in (full.books[here], full.books[there]):
            table = book.table.filter(pc.not_equal(book.table["from_country"], book.table["to_country"]))
            table = table.filter(pc.is_in(table["from_country"], both))
            rows.append(table.filter(pc.is_in(table["to_country"], both)).sort_by("transfer_id"))
        assert rows[0].equals(rows[1])
        assert rows[0].num_rows >= 400, (here, there)


def test_a_book_has_all_and_only_what_touches_its_country(full: World) -> None:
    everything = pooled(full)
    for country, book in each_book(full):
        touches = pc.or_(
            pc.equal(everything["from_country"], country), pc.equal(everything["to_country"], country)
        )
        expected = everything.filter(touches)["transfer_id"].to_pylist()
        assert sorted(book.table["transfer_id"].to_pylist()) == sorted(expected)


def test_an_account_has_one_country_institution_and_style(full: World) -> None:
    homes: dict[str, tuple[str, str]] = {}
    for _, book in each_book(full):
        for side in ("from", "to"):
            names = [f"{side}_account", f"{side}_country", f"{side}_institution"]
            distinct = book.table.group_by(names).aggregate([])
            for account, country, institution in zip(
                *(distinct[name].to_pylist() for name in names), strict=True
            ):
                assert homes.setdefault(account, (country, institution)) == (country, institution)
                assert re.fullmatch(NUMBERS[country], account), account
    assert {country for country, _ in homes.values()} == {"CA", "HK", "TH", "KH", "ZZ"}


def test_balances_are_the_countrys_own_and_complete(full: World) -> None:
    for country, book in each_book(full):
        table = book.table
        mine = table.filter(pc.equal(table["from_country"], country))
        paying = set(zip(mine["from_account"].to_pylist(), mine["currency"].to_pylist(), strict=True))
        assert paying <= set(book.balances)
        foreign = table.filter(pc.not_equal(table["from_country"], country))
        assert not set(foreign["from_account"].to_pylist()) & {account for account, _ in book.balances}
        assert min(book.balances.values()) >= 0


@pytest.mark.parametrize("world", ["full", "small"])
def test_nobody_ever_goes_short(world: str, request: pytest.FixtureRequest) -> None:
    """In the order of the contract (time, then id) no pot falls below zero."""
    built: World = request.getfixturevalue(world)
    table = pooled(built).sort_by([("booked_at", "ascending"), ("transfer_id", "ascending")])
    received = pc.fill_null(table["to_amount_minor"], table["amount_minor"])
    into = pc.fill_null(table["to_currency"], table["currency"])
    opening = {pot: held for _, book in each_book(built) for pot, held in book.balances.items()}

    def names(accounts: pa.ChunkedArray, currencies: pa.ChunkedArray) -> npt.NDArray[np.str_]:
        joined = pc.binary_join_element_wise(accounts, currencies, "|")
        return np.asarray(joined.to_numpy(), dtype=str)

    rows = table.num_rows
    pots = np.concatenate([names(table["from_account"], table["currency"]), names(table["to_account"], into)])
    values, codes = np.unique(pots, return_inverse=True)
    moments = np.concatenate([2 * np.arange(rows), 2 * np.arange(rows) + 1])
    change = np.concatenate([-table["amount_minor"].to_numpy(), received.to_numpy()])
    order = np.lexsort((moments, codes))
    codes, change = codes[order], change[order]
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    split = (value.split("|") for value in values)
    held = np.array([opening.get((account, currency), 0) for account, currency in split])
    change[first] += held
    running = np.cumsum(change)
    base = np.concatenate([[0], running])[first]
    assert (np.minimum.reduceat(running, first) - base).min() >= 0


def test_no_money_comes_back_from_outside(full: World) -> None:
    everything = pa.concat_tables([book.table for book in full.books.values()])
    assert "ZZ" not in set(everything["from_country"].to_pylist())
    outside = everything.filter(pc.equal(everything["to_country"], "ZZ"))
    assert set(outside["from_country"].to_pylist()) == {"KH"}
    assert set(outside["currency"].to_pylist()) == {"USDT"}
    assert outside.num_rows > 500


def test_people_sleep_at_night_and_offices_on_sundays(full: World) -> None:
    for (country, book), offset in zip(each_book(full), (-7, 8, 7, 7), strict=True):
        table = book.table.filter(pc.equal(book.table["reference"], "purchase"))
        local = pc.add(table["booked_at"].cast(pa.int64()), offset * 3_600_000_000).cast(pa.timestamp("us"))
        hours = np.bincount(pc.hour(local).to_numpy(), minlength=24)
        assert hours[1:5].sum() < 0.02 * hours.sum() < hours[12], country
        business = book.table.filter(pc.starts_with(book.table["reference"], "invoice"))
        business = business.filter(pc.equal(business["from_country"], country))
        local = pc.add(business["booked_at"].cast(pa.int64()), offset * 3_600_000_000).cast(
            pa.timestamp("us")
        )
        weekdays = np.bincount(pc.day_of_week(local).to_numpy(), minlength=7)
        assert weekdays[6] == 0 < weekdays[5] < weekdays[0] / 4, country


def test_wages_come_monthly_and_the_same(full: World) -> None:
    for _, book in each_book(full):
        table = book.table.filter(pc.equal(book.table["reference"], "salary"))
        table = table.filter(pc.equal(table["channel"], "batch"))
        paid = table.group_by(["to_account", "amount_minor"]).aggregate([("amount_minor", "count")])
        counts = np.bincount(paid["amount_minor_count"].to_numpy())
        assert counts[3] >= 7_900
        assert counts[:3].sum() <= 1  # the wage in the middle of the scheme


def test_traffic_in_all_currencies_with_drifting_rates(full: World) -> None:
    everything = pooled(full)
    assert set(everything["currency"].to_pylist()) == {"CAD", "HKD", "THB", "KHR", "USD", "USDT"}
    converted = everything.filter(pc.is_valid(everything["to_currency"]))
    pairs = set(zip(converted["currency"].to_pylist(), converted["to_currency"].to_pylist(), strict=True))
    assert {
        ("CAD", "HKD"),
        ("HKD", "THB"),
        ("THB", "HKD"),
        ("THB", "USD"),
        ("USD", "KHR"),
        ("USD", "USDT"),
    } <= pairs
    assert all(one != other for one, other in pairs)
    baht = converted.filter(
        pc.and_(pc.equal(converted["currency"], "HKD"), pc.equal(converted["to_currency"], "THB"))
    )
    rates = baht["to_amount_minor"].to_numpy() / baht["amount_minor"].to_numpy()
    assert 3.4 < rates.min() < rates.max() < 5.0
    drift = rates.max() / rates.min()
    assert drift > 1.01


def test_the_exercise_is_ninety_days_long_and_ends_with_the_report(full: World) -> None:
    for _, book in each_book(full):
        moments = pc.min_max(book.table["booked_at"]).as_py()
        assert moments["min"].isoformat() >= "2025-03-20T00:00:00+00:00"
        assert moments["min"].isoformat() < "2025-03-21"
        assert moments["max"].isoformat() < full.report["reported_at"].replace("Z", "+00:00")


def test_the_same_seed_gives_the_same_world_in_another_process(small: World) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_exercise_world as t\n"
        "print(t.digest(t.build_world(seed=7, transfers=5_000)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, os.path.dirname(__file__)],
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONDONTWRITEBYTECODE": "1", "TZ": "Asia/Bangkok"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == digest(small)


def test_other_seeds_give_other_worlds(small: World) -> None:
    other = build_world(seed=8, transfers=5_000)
    assert digest(other) != digest(small)
    assert not set(other.truth.scheme_transfers) & set(small.truth.scheme_transfers)
    assert other.truth.mules != small.truth.mules


def test_a_world_cannot_be_changed(small: World) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        small.seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        small.books["CA"].balances["x", "CAD"] = 1  # type: ignore[index]


@pytest.mark.parametrize(("seed", "transfers"), [(-1, 5_000), (0, 1_999), (0, 0), (0, -5), (0, 5_000_001)])
def test_impossible_worlds_are_refused(seed: int, transfers: int) -> None:
    with pytest.raises(InputError, match="expected"):
        build_world(seed=seed, transfers=transfers)
