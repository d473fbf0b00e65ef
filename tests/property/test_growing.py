"""A trace that grows is the trace of everything at once; what is said anew is enough to know everything."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.errors import InputError
from comity.model import Crossing, Piece, Trace
from comity.tracing import Book, Rule, follow
from comity.tracing.growing import ADDITIVE, Changes, added, changed, changes, grown, in_order
from tests.nodes.story import BOOKED, row, table
from tests.property.test_federated_equals_pooled import COUNTRIES, federate, worlds

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@st.composite
def parts_of(draw: st.DrawFn, inflows: Sequence[Crossing]) -> tuple[Crossing, ...]:
    """Some of the inflows, some of them with less taint: what a node may have been told earlier."""
    found = [draw(_less(one)) for one in inflows if draw(st.booleans())]
    return tuple(one for one in found if one.tainted_minor)


@st.composite
def _less(draw: st.DrawFn, one: Crossing) -> Crossing:
    pieces = list[Piece]()
    for piece in one.pieces:
        kept = draw(st.integers(0, piece.amount_minor)) if piece.tainted else 0
        before = draw(st.integers(0, piece.amount_minor - kept))
        for minor, tainted in ((before, False), (kept, True), (piece.amount_minor - kept - before, False)):
            if minor:
                pieces.append(Piece(amount_minor=minor, tainted=tainted))
    return replace(one, pieces=tuple(pieces or one.pieces))


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule in ADDITIVE])
@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_grown_is_traced_at_once(rule: Rule, data: st.DataObject) -> None:
    """Holdings, flows, gaps, exits with their pieces, totals: bit-identical, in the same orders."""
    world = replace(data.draw(worlds(nodes=3)), until=None)
    federation, _ = federate(world, rule, frozenset(COUNTRIES[:3]))
    exits = [crossing for node in federation.values() for crossing in node.trace.exits]
    for country, node in federation.items():
        now = in_order([one for one in exits if one.to_country == country])
        before = data.draw(parts_of(now))
        more = added(before, now)
        assert more is not None
        known, new = (follow(node.book, rule=rule, claims={}, inflows=told) for told in (before, more))
        both = follow(node.book, rule=rule, claims={}, inflows=now)
        assert grown(known, new, place=node.book.find) == both


@st.composite
def converted_on(draw: st.DrawFn) -> tuple[Book, tuple[Crossing, ...]]:
    """A book into which a few stolen units come, to leave it converted into fewer of another currency; and what
    came. Of the part of an exit that one of two traces taints, nothing may arrive.
    """
    into = draw(st.lists(st.sampled_from(["ca-a>hk-1", "ca-a>hk-2"]), min_size=1, max_size=4))
    on = ["hk-1>th-a", "hk-1>th-a", "hk-2>th-a", "hk-1>hk-2", "hk-2>hk-1"]
    rows = []
    for turn, way in enumerate(into + draw(st.lists(st.sampled_from(on), min_size=1, max_size=5))):
        fewer = {"to_currency": "THB", "to_amount_minor": draw(st.integers(0, 3))} if ">th" in way else {}
        minute, minor = draw(st.sampled_from([turn, turn, 0])), draw(st.integers(1, 12))
        rows.append(row(f"T-{turn:02}", minute, way, minor, **fewer))
    told = [
        replace(crossing(one["transfer_id"], (one["amount_minor"], True)), booked_at=one["booked_at"],
                to_account=one["to_account"])
        for one in rows[: len(into)]
    ]  # fmt: skip
    return Book.from_table(table(rows), covers=frozenset({"HK"})), in_order(told)


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule in ADDITIVE])
@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_grown_is_traced_at_once_where_exits_are_converted(rule: Rule, data: st.DataObject) -> None:
    """What left is known to the unit, also where what arrives of a part of it rounds to nothing."""
    own, told = data.draw(converted_on())
    now = data.draw(st.one_of(st.just(told), parts_of(told)))
    before = data.draw(parts_of(now))
    more = added(before, now)
    assert more is not None
    known, new, both = (follow(own, rule=rule, claims={}, inflows=one) for one in (before, more, now))
    assert not both.unmatched
    assert grown(known, new, place=own.find) == both


def test_what_rounded_to_nothing_on_arrival_still_left() -> None:
    """6 USD become 1 THB: of the first 3, nothing arrives and no exit is told; with the other 3, 6 have left."""
    rows = [
        row("T-01", 1, "ca-a>hk-1", 3),
        row("T-02", 2, "ca-a>hk-1", 3),
        row("T-03", 3, "hk-1>th-a", 6, to_currency="THB", to_amount_minor=1),
    ]
    own = Book.from_table(table(rows), covers=frozenset({"HK"}))
    one, two = (
        replace(crossing(each["transfer_id"], (3, True)), booked_at=each["booked_at"]) for each in rows[:2]
    )
    first, second = (follow(own, rule=Rule.FIFO, claims={}, inflows=(each,)) for each in (one, two))
    assert sorted([len(first.exits), len(second.exits)]) == [0, 1]
    for known, new in ((first, second), (second, first)):
        (left,) = grown(known, new, place=own.find).exits
        assert (left.sent_minor, left.sent_currency, left.tainted_minor) == (6, "USD", 1)


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule not in ADDITIVE])
def test_the_other_rules_are_refused(rule: Rule) -> None:
    """What one inflow taints changes how another is shared: such a trace is made again."""
    empty = Trace(rule=rule, totals=(), holdings=(), flows=(), gaps=(), exits=(), unmatched=())
    with pytest.raises(InputError, match="fifo, lifo"):
        grown(empty, empty, place=lambda _: {})


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_what_is_said_anew_is_enough(data: st.DataObject) -> None:
    world = data.draw(worlds(nodes=3))
    federation, _ = federate(world, Rule.FIFO, frozenset(COUNTRIES[:3]))
    exits = in_order([crossing for node in federation.values() for crossing in node.trace.exits])
    before, now = data.draw(parts_of(exits)), data.draw(parts_of(exits))
    said = changes(before, now)
    assert changed(before, said) == now
    assert not set(said.crossings) & set(before)


def crossing(name: str, *pieces: tuple[int, bool]) -> Crossing:
    return Crossing(
        transfer_id=name, booked_at=BOOKED, from_country="CA", to_account="hk-1", to_institution="",
        to_country="HK", currency="USD",
        pieces=tuple(Piece(amount_minor=minor, tainted=tainted) for minor, tainted in pieces),
    )  # fmt: skip


def test_less_taint_or_none_is_no_growth() -> None:
    one, two = crossing("a", (5, True), (5, False)), crossing("b", (3, True))
    assert added((one, two), (one, two)) == ()
    assert added((one, two), (one,)) is None
    assert added((one,), (crossing("a", (5, False), (5, True)),)) is None
    assert added((one,), (crossing("a", (4, True), (6, False)),)) is None
    assert added((one,), (replace(one, to_account="hk-2"),)) is None
    (more,) = added((one,), (crossing("a", (7, True), (3, False)),)) or ()
    assert [(piece.amount_minor, piece.tainted) for piece in more.pieces] == [
        (5, False), (2, True), (3, False),
    ]  # fmt: skip


@pytest.mark.parametrize("withdrawn", [("b",), ("a",)])
def test_what_cannot_be_said_is_refused(withdrawn: tuple[str, ...]) -> None:
    """Withdrawn but never told; withdrawn and told at once."""
    one = crossing("a", (5, True))
    with pytest.raises(InputError, match="withdrawn"):
        changed((one,), Changes(crossings=(one,), withdrawn=withdrawn))
