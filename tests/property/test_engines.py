"""Every way to follow money (index, heap, sweep, payment by payment) gives what the contract read aloud gives."""

from dataclasses import replace
from functools import partial
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from comity.tracing import BOOK_SCHEMA, Book, Rule, engine, extend, follow
from comity.tracing.kernels.exact import times_over
from tests.property.plain_reference import trace_plainly
from tests.property.test_federated_equals_pooled import World, book, crowded_world, same, worlds

MAX = 2**63 - 1
EVERY = pytest.mark.parametrize("rule", list(Rule))
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def check(world: World, rule: Rule) -> Book:
    """Compare all engines with the plain reference; return the book."""
    one = book(world.rows, world.balances)
    plain = trace_plainly(
        world.rows, rule=rule, claims=world.claims, balances=world.balances, until=world.until
    )
    same(follow(one, rule=rule, claims=world.claims, until=world.until), plain)
    with patch.object(engine, "FEWEST", 0), patch.object(engine, "SWEEP_FROM", 0.0):
        same(follow(one, rule=rule, claims=world.claims, until=world.until), plain)
    with patch.object(engine, "FEWEST", 3), patch.object(engine, "SWEEP_FROM", 0.0):
        same(follow(one, rule=rule, claims=world.claims, until=world.until), plain)
    long_way = replace(one, positions=None, made={})
    same(follow(long_way, rule=rule, claims=world.claims, until=world.until), plain)
    return one


@EVERY
@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(world=worlds())
def test_random_worlds(rule: Rule, world: World) -> None:
    check(world, rule)


@EVERY
def test_crowded_worlds_and_amounts_whose_products_do_not_fit(rule: Rule) -> None:
    """Amounts to 2^54, so that hundreds of them fit 64 bits and no product of two does."""
    by_index = 0
    for seed in range(80):
        world, _ = crowded_world(seed, bigs=[3, 50, 10**5, 2**54])
        by_index += check(world, rule).positions is not None
    assert by_index == 80


@given(a=st.integers(0, MAX), b=st.integers(0, MAX), c=st.integers(1, MAX))
@example(a=MAX, b=MAX, c=MAX)
@example(a=MAX - 1, b=MAX - 2, c=MAX)
@example(a=3_037_000_500, b=3_037_000_500, c=3_037_000_501)
def test_products_divided_again_are_exact(a: int, b: int, c: int) -> None:
    if a * b // c <= MAX:
        quotient, rest = times_over(np.int64(a), np.int64(b), np.int64(c))
        assert (int(quotient), int(rest)) == divmod(a * b, c)


def test_sums_that_do_not_fit_64_bits_go_the_long_way() -> None:
    world, _ = crowded_world(3, bigs=[MAX])
    assert book(world.rows, world.balances).positions is None


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(world=worlds(), data=st.data())
def test_a_book_extended_by_later_imports_is_the_book_built_at_once(
    world: World, data: st.DataObject
) -> None:
    """Rows in any order of arrival, some of them twice, some first with other contents."""
    parts = [data.draw(st.integers(0, 2)) for _ in world.rows]
    batches = [
        [row for row, part in zip(world.rows, parts, strict=True) if part == batch] for batch in range(3)
    ]
    repeated = data.draw(
        st.lists(st.sampled_from(world.rows), max_size=3, unique_by=lambda row: row["transfer_id"])
    )
    batches[2] += [row for row in repeated if row not in batches[2]]
    wrong = data.draw(
        st.lists(st.sampled_from(world.rows), max_size=3, unique_by=lambda row: row["transfer_id"])
    )
    early = [row for row in wrong if row not in batches[0] and row["amount_minor"] < MAX]
    batches[0] += [{**row, "amount_minor": row["amount_minor"] + 1} for row in early]
    grown = book(batches[0], world.balances)
    at_once = book(world.rows, world.balances)
    corrected = 0
    for batch in batches[1:]:
        table = pa.Table.from_pylist(batch, schema=BOOK_SCHEMA)
        grown, later = extend(grown, table, balances=world.balances, corrections=True)
        assert later.added + later.again + later.corrected == len(batch)
        corrected += later.corrected
    assert corrected == len(early)
    assert len(grown) == len(at_once)
    for rule in Rule:
        asked = partial(follow, rule=rule, claims=world.claims, until=world.until)
        assert asked(grown) == asked(at_once)
