"""Later imports: late rows in their place, a file twice, corrections, accounts that would be two."""

from pathlib import Path

import pyarrow as pa
import pytest

from comity.errors import Conflict, InputError
from comity.node.import_book import import_transfers
from comity.tracing import BOOK_SCHEMA, Book, Rule, extend, follow
from tests.nodes.story import CA
from tests.nodes.town import Town
from tests.unit.trace_rows import book, row


def table(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=BOOK_SCHEMA)


OLD = (row("1", 1, "X", "A", 100), row("3", 3, "A", "B", 60))


def test_a_late_row_is_put_in_its_place_and_named() -> None:
    grown, later = extend(
        book(*OLD), table(row("2", 2, "P", "A", 9), row("0", 0, "Q", "A", 50), row("4", 4, "B", "C", 5))
    )
    assert (later.added, later.late, later.late_transfers) == (3, 2, ("0", "2"))
    trace = follow(grown, rule=Rule.FIFO, claims={"1": None})
    assert [(flow.transfer_id, flow.tainted_minor) for flow in trace.flows] == [("1", 100), ("3", 10)]


def test_a_file_twice_changes_nothing_and_is_told() -> None:
    grown, later = extend(book(*OLD), table(*OLD))
    assert (later.added, later.again, later.again_transfers) == (0, 2, ("1", "3"))
    assert len(grown) == 2


def test_a_correction_is_refused_unless_allowed() -> None:
    """A reversal by the bank: the same transfer again, with nothing in it."""
    reversal = table(row("3", 3, "A", "B", 0))
    with pytest.raises(Conflict, match="'3'"):
        extend(book(*OLD), reversal)
    grown, later = extend(book(*OLD), reversal, corrections=True)
    assert (later.corrected, later.corrected_transfers) == (1, ("3",))
    trace = follow(grown, rule=Rule.FIFO, claims={"1": None})
    assert [(held.account, held.tainted_minor) for held in trace.holdings] == [("A", 100)]


def test_an_opening_balance_that_comes_later_counts_from_the_start() -> None:
    grown, _ = extend(book(*OLD), table(row("4", 4, "B", "C", 5)), balances={("A", "EUR"): 60})
    assert follow(grown, rule=Rule.FIFO, claims={"1": None}).holdings[0].account == "A"


def test_an_account_in_two_places_is_refused_across_imports() -> None:
    here = book(row("1", 1, "X", "A", 100, from_country="CA", to_country="HK"), covers=frozenset({"HK"}))
    with pytest.raises(InputError, match="'A'"):
        extend(here, table(row("2", 2, "A", "B", 60, from_country="TH", to_country="HK")))
    with pytest.raises(InputError, match="'X'"):
        extend(here, table(row("2", 2, "A", "X", 60, from_country="HK", to_country="HK")))


def test_a_nodes_book_is_extended_by_an_import_not_made_anew(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = town[CA]
    before = node.book.standing()
    header = "transfer_id,booked_at,from_account,to_account,amount,currency,from_country,to_country\n"
    rows = (
        "L-2,2026-03-05T10:00:00Z,l-b,l-c,6.00,USD,CA,CA\nL-1,2020-01-01T00:00:00Z,l-a,l-b,10.00,USD,CA,CA\n"
    )
    file = tmp_path / "later.csv"
    file.write_text(header + rows)
    import_transfers(node, [file], actor="clerk")
    with monkeypatch.context() as patched:
        patched.setattr("comity.node.book.Book", None)
        after = node.book.standing()
    assert len(after.book) == len(before.book) + 2
    anew = Book.from_table(after.table, covers=after.book.covers)
    for rule in Rule:
        trace = follow(after.book, rule=rule, claims={"L-1": None})
        assert trace == follow(anew, rule=rule, claims={"L-1": None})
        assert [flow.transfer_id for flow in trace.flows] == ["L-1", "L-2"]
