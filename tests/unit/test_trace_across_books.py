"""spec/trace.md, "Across books": what one node makes of what others tell it, and whom it would ask."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from comity.errors import InputError
from comity.model import Crossing, Piece
from comity.tracing import Book, Question, Rule, beyond, follow, questions
from tests.unit.trace_rows import START, book, row

HERE = frozenset({"HK"})
EVERY = pytest.mark.parametrize("rule", list(Rule))
IN: dict[str, Any] = {"from_country": "CA", "to_country": "HK"}
OUT: dict[str, Any] = {"from_country": "HK", "to_country": "TH", "to_institution": "Bangkok Bank"}


def told(*pieces: tuple[int, bool], name: str = "in", **more: Any) -> Crossing:
    crossing = Crossing(
        transfer_id=name,
        booked_at=START,
        from_country="CA",
        to_account="A",
        to_institution="",
        to_country="HK",
        currency="EUR",
        pieces=tuple(Piece(amount_minor=size, tainted=tainted) for size, tainted in pieces),
    )
    return replace(crossing, **more)


@EVERY
def test_inflow_in_exit_out(rule: Rule) -> None:
    here = book(row("in", 1, "V", "A", 100, **IN), row("out", 2, "A", "B", 60, **OUT), covers=HERE)
    trace = follow(here, rule=rule, claims={}, inflows=[told((40, False), (60, True))])
    pieces = {
        Rule.FIFO: ((40, False), (20, True)),
        Rule.LIFO: ((60, True),),
        Rule.PRORATA: ((36, True), (24, False)),
        Rule.LIBR: ((20, True), (40, False)),
        Rule.POISON: ((60, True),),
    }[rule]
    (crossing,) = trace.exits
    assert tuple((piece.amount_minor, piece.tainted) for piece in crossing.pieces) == pieces
    assert (crossing.transfer_id, crossing.from_country, crossing.to_country) == ("out", "HK", "TH")
    assert (crossing.to_account, crossing.to_institution, crossing.currency) == ("B", "Bangkok Bank", "EUR")
    rests = [] if rule is Rule.LIFO else [("A", "HK", 40)]
    assert [(h.account, h.country, h.balance_minor) for h in trace.holdings] == rests
    assert (trace.unmatched, trace.gaps) == ((), ())
    assert [flow.transfer_id for flow in trace.flows] == ["out"]
    assert all(total.reported_minor == 0 for total in trace.totals)


def test_not_told_it_is_clean() -> None:
    here = book(row("in", 1, "V", "A", 100, **IN), row("out", 2, "A", "B", 60, **OUT), covers=HERE)
    trace = follow(here, rule=Rule.FIFO, claims={})
    assert (trace.holdings, trace.exits, trace.flows) == ((), (), ())


def test_exits_are_told_as_they_arrive() -> None:
    here = book(
        row("in", 1, "V", "A", 100, **IN),
        row("out", 2, "A", "B", 50, to_amount_minor=1_800, to_currency="THB", **OUT),
        covers=HERE,
    )
    trace = follow(here, rule=Rule.FIFO, claims={}, inflows=[told((10, True), (90, False))])
    assert trace.exits[0].currency == "THB"
    assert [(piece.amount_minor, piece.tainted) for piece in trace.exits[0].pieces] == [
        (360, True),
        (1440, False),
    ]


def test_tainted_money_converted_to_nothing_is_no_exit() -> None:
    here = book(
        row("in", 1, "V", "A", 100, **IN),
        row("out", 2, "A", "B", 100, to_amount_minor=1, to_currency="BTC", **OUT),
        covers=HERE,
    )
    trace = follow(here, rule=Rule.FIFO, claims={}, inflows=[told((10, True), (90, False))])
    assert trace.exits == ()
    assert [(flow.transfer_id, flow.tainted_minor) for flow in trace.flows] == [("out", 10)]


@pytest.mark.parametrize(
    "lie",
    [
        told((100, True), name="elsewhere"),
        told((99, True)),
        told((101, True)),
        told((150, True), (-50, False)),
        told((100, True), to_account="B"),
        told((100, True), currency="USD"),
        told((100, True), from_country="KH"),
        told((60, True), name="out", to_account="B"),
        told((60, True), name="out", to_account="B", from_country="HK"),
        told((100, True), name="away", to_account="W"),
        told(name="nothing"),
    ],
)
def test_inflows_that_our_book_does_not_show_are_never_credited(lie: Crossing) -> None:
    here = book(
        row("in", 1, "V", "A", 100, **IN),
        row("out", 2, "A", "B", 60, from_country="HK", to_country="HK"),
        row("away", 3, "V", "W", 100, from_country="CA", to_country="KH"),
        row("nothing", 4, "V", "A", 0, **IN),
        covers=HERE,
    )
    trace = follow(here, rule=Rule.FIFO, claims={}, inflows=[lie])
    assert trace.unmatched == (lie,)
    assert (trace.holdings, trace.flows) == ((), ())


def test_a_second_telling_is_unmatched() -> None:
    here = book(row("in", 1, "V", "A", 100, **IN), covers=HERE)
    first, second = told((100, True)), told((100, False))
    trace = follow(here, rule=Rule.FIFO, claims={}, inflows=[first, second])
    assert trace.unmatched == (second,)
    assert [held.tainted_minor for held in trace.holdings] == [100]


def test_a_report_on_money_from_elsewhere_makes_it_our_inflow() -> None:
    here = book(row("in", 1, "V", "A", 100, **IN), row("out", 2, "A", "B", 60, **OUT), covers=HERE)
    trace = follow(here, rule=Rule.FIFO, claims={"in": 30})
    assert [(h.tainted_minor, h.balance_minor) for h in trace.holdings] == []
    assert [(flow.transfer_id, flow.tainted_minor) for flow in trace.flows] == [("in", 30), ("out", 30)]
    assert trace.totals[0].reported_minor == 30
    assert trace.exits[0].tainted_minor == 30


def test_reported_and_told_is_counted_by_the_teller() -> None:
    here = book(row("in", 1, "V", "A", 100, **IN), covers=HERE)
    trace = follow(here, rule=Rule.FIFO, claims={"in": 30}, inflows=[told((30, True), (70, False))])
    assert [held.tainted_minor for held in trace.holdings] == [30]
    assert (trace.flows, trace.totals[0].reported_minor) == ((), 0)


def test_a_report_on_somebody_elses_transfer_is_refused() -> None:
    here = book(
        row("away", 3, "V", "W", 100, from_country="CA", to_country="KH"),
        row("1", 1, "A", "B", 1),
        covers=HERE,
    )
    with pytest.raises(InputError, match="away"):
        follow(here, rule=Rule.FIFO, claims={"away": None})


def test_no_country_means_ours() -> None:
    here = book(row("1", 1, "V", "A", 100), row("2", 2, "A", "B", 60, to_country="TH"), covers=HERE)
    trace = follow(here, rule=Rule.FIFO, claims={"1": None})
    assert [(c.from_country, c.tainted_minor) for c in trace.exits] == [("HK", 60)]


@pytest.mark.parametrize("country", ["HK", None])
def test_an_account_in_two_places_is_refused(country: str | None) -> None:
    with pytest.raises(InputError, match="'A'"):
        book(
            row("1", 1, "V", "A", 100, to_country=country),
            row("2", 2, "A", "B", 60, from_country="TH", to_country="HK"),
            covers=HERE,
        )


def test_a_book_that_covers_nothing() -> None:
    here = book(row("1", 1, "V", "A", 100, **IN), covers=frozenset())
    assert follow(here, rule=Rule.FIFO, claims={}).exits == ()


def test_an_empty_book() -> None:
    empty = book()
    assert len(empty) == 0
    trace = follow(empty, rule=Rule.PRORATA, claims={}, inflows=[told((1, True))])
    assert (trace.holdings, len(trace.unmatched)) == ((), 1)


def test_a_table_without_the_columns_of_a_book() -> None:

    with pytest.raises(InputError, match="booked_at"):
        Book.from_table(pa.table({"transfer_id": ["1"]}))


def test_questions_until_nothing_changes() -> None:
    first, later = told((5, True)), told((7, True), name="a later one", booked_at=START.replace(hour=5))
    exits = {"CA": (later,), "TH": (first,)}
    covered = frozenset({"CA", "HK", "TH"})
    assert questions(exits, {}, covered) == (Question(country="HK", inflows=(first, later)),)
    assert questions(exits, {"HK": (first,)}, covered) == (Question(country="HK", inflows=(first, later)),)
    assert questions(exits, {"HK": (later, first)}, covered) == ()


def test_withdrawn_inflows_are_asked_about_with_none() -> None:
    assert questions({}, {"HK": (told((5, True)),)}, HERE) == (Question(country="HK", inflows=()),)


def test_beyond_is_what_no_node_covers() -> None:
    wallet, there = told((5, True), to_country="ZZ"), told((7, True))
    exits = {"CA": (wallet, there)}
    assert beyond(exits, HERE) == (wallet,)
    assert beyond(exits, frozenset()) == (wallet, there)
