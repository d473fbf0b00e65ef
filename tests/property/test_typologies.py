"""Typologies against plain references on random books; and neither names nor the order of rows change what is found."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from comity.backends.analysis import DuckDbEngine
from comity.tracing.typologies.catalogue import NAMES, RELATIONAL, find_all, typology
from comity.tracing.typologies.columns import Columns
from comity.tracing.typologies.cycles import Cycles
from comity.tracing.typologies.scatter_gather import ScatterGather
from tests.property.typology_reference import REFERENCES, cycle_starts, scattered
from tests.unit.typology_world import ALIKE, random_book

BOOKS: list[dict[str, Any]] = [
    {"accounts": 6, "transfers": 60, "days": 12.0},
    {"accounts": 30, "transfers": 150, "days": 20.0},
    {"accounts": 12, "transfers": 80, "days": 40.0, "currencies": 3},
    {"accounts": 9, "transfers": 40, "days": 500.0, "bursts": 3},
    {"accounts": 14, "transfers": 20, "days": 20.0, "amounts": ALIKE},
]


def found(table: Any, names: list[str]) -> dict[str, list[Any]]:
    columns = Columns.from_table(table)
    every = find_all(columns, DuckDbEngine(threads=1), [typology(name) for name in names])
    return {
        one.name: [
            (
                columns.name(hit.accounts[0]),
                columns.ids(np.array(hit.events)),
                hit.measured,
                round(hit.strength, 9),
            )
            for hit in hits
        ]
        for one, hits in every
    }


def sane(measured: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if float(value).is_integer() else round(float(value), 6)
        for name, value in measured.items()
    }


def side_by_side(books: list[Any]) -> Any:
    """Books as one: every account and transfer gets its book's number in front, so that none meets another's."""
    rows = [
        {
            **row,
            **{name: f"{number:02}:{row[name]}" for name in ("transfer_id", "from_account", "to_account")},
        }
        for number, book in enumerate(books)
        for row in book.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=books[0].schema)


def test_relational_patterns_are_their_plain_references() -> None:
    assert set(REFERENCES) == set(RELATIONAL)
    books = [random_book(seed, **BOOKS[seed % len(BOOKS)]) for seed in range(40)]
    columns = Columns.from_table(side_by_side(books))
    for one, hits in find_all(columns, DuckDbEngine(threads=1), [typology(name) for name in REFERENCES]):
        plain = [
            (f"{number:02}:{account}", sorted(sane(measured).items()))
            for number, book in enumerate(books)
            for (account, _), measured in REFERENCES[one.name](book.to_pylist()).items()
        ]
        assert sorted(
            (columns.name(hit.accounts[0]), sorted(hit.measured.items())) for hit in hits
        ) == sorted(plain)
        assert hits, one.name


def test_cycles_begin_where_trying_every_path_says() -> None:
    begun = 0
    for seed in range(40):
        table = random_book(seed, accounts=9, transfers=45, days=40, amounts=ALIKE)
        columns = Columns.from_table(table)
        _, begins = Cycles(most_steps=10**7).search(columns, each_start=True)
        assert set(columns.ids(np.flatnonzero(begins))) == cycle_starts(table.to_pylist()), f"seed {seed}"
        begun += int(begins.sum())
        rows, _ = Cycles().search(columns)
        used = rows[rows >= 0]
        assert len(set(used.tolist())) == len(used)
    assert begun > 100


def test_scatter_gather_finds_what_comparing_all_pairs_finds() -> None:
    count = 0
    for seed in range(40):
        table = random_book(seed, accounts=7, transfers=70, days=60, amounts=ALIKE)
        columns = Columns.from_table(table)
        hits = {
            (columns.name(hit.accounts[0]), columns.name(hit.accounts[1])): hit.measured["between"]
            for hit in ScatterGather().find(columns)
        }
        assert hits == scattered(table.to_pylist()), f"seed {seed}"
        count += len(hits)
    assert count > 20


@pytest.mark.parametrize("seed", range(3))
def test_names_and_the_order_of_rows_change_nothing(seed: int) -> None:
    table = random_book(seed, **BOOKS[seed % len(BOOKS)])
    plain = found(table, list(NAMES))
    shuffled = table.take(pa.array(np.random.default_rng(seed).permutation(table.num_rows)))
    assert {name: sorted(map(str, hits)) for name, hits in found(shuffled, list(NAMES)).items()} == {
        name: sorted(map(str, hits)) for name, hits in plain.items()
    }
    renamed = shuffled
    for side in ("from_account", "to_account"):
        name = pc.binary_join_element_wise("zz", pc.utf8_reverse(renamed[side]), "")
        renamed = renamed.set_column(renamed.schema.get_field_index(side), side, name)
    again = found(renamed.cast(table.schema), list(NAMES))
    for name in NAMES:
        named = [(f"zz{account[::-1]}", *rest) for account, *rest in plain[name]]
        assert sorted(map(str, again[name])) == sorted(map(str, named)), name
