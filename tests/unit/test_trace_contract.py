"""One test for each sentence of spec/trace.md, "Meaning", "Output" and the choices on them."""

from datetime import datetime, timedelta

import pytest

from comity.errors import InputError
from comity.model import Claim, Report, Trace
from comity.tracing import Rule, claims_of, follow, law_of, trace_document
from tests.unit.trace_rows import START, book, row

EVERY = pytest.mark.parametrize("rule", list(Rule))
CONSERVING = pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.POISON])


def held(trace: Trace) -> dict[tuple[str, str], tuple[int, int]]:
    return {(h.account, h.currency): (h.tainted_minor, h.balance_minor) for h in trace.holdings}


def flows(trace: Trace) -> list[tuple[str, int]]:
    return [(flow.transfer_id, flow.tainted_minor) for flow in trace.flows]


def totals(trace: Trace) -> list[tuple[str, int, int, int]]:
    return [(t.currency, t.reported_minor, t.held_minor, t.reported_again_minor) for t in trace.totals]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule.FIFO, {("B", "EUR"): (50, 150), ("A", "EUR"): (50, 50)}),
        (Rule.LIFO, {("B", "EUR"): (100, 150)}),
        (Rule.PRORATA, {("B", "EUR"): (75, 150), ("A", "EUR"): (25, 50)}),
        (Rule.LIBR, {("B", "EUR"): (50, 150), ("A", "EUR"): (50, 50)}),
        (Rule.POISON, {("B", "EUR"): (150, 150), ("A", "EUR"): (50, 50)}),
    ],
)
def test_worked_example(rule: Rule, expected: dict[tuple[str, str], tuple[int, int]]) -> None:
    example = book(row("1", 1, "X", "A", 100), row("2", 2, "Y", "A", 100), row("3", 3, "A", "B", 150))
    assert held(follow(example, rule=rule, claims={"2": None})) == expected


def test_output_has_exactly_the_contract_keys() -> None:
    example = book(row("1", 1, "X", "A", 100), row("2", 2, "A", "B", 120))
    document = trace_document(follow(example, rule=Rule.FIFO, claims={"1": None}), report_id="R1")
    assert document == {
        "rule": "fifo",
        "report_id": "R1",
        "totals": [{"currency": "EUR", "reported_minor": 100, "held_minor": 100, "reported_again_minor": 0}],
        "holdings": [{"account": "B", "currency": "EUR", "tainted_minor": 100, "balance_minor": 120}],
        "flows": [{"transfer_id": "1", "tainted_minor": 100}, {"transfer_id": "2", "tainted_minor": 100}],
        "gaps": [{"transfer_id": "2", "account": "A", "currency": "EUR", "unexplained_minor": 20}],
    }


@EVERY
def test_order_is_time_then_id_bytewise_and_rows_mean_nothing(rule: Rule) -> None:
    """Bytewise: Z before a before é. Were "é" to pay first, it would pay with clean money only."""
    rows = [
        row("é", 1, "A", "C", 60),
        row("a", 1, "A", "B", 60),
        row("Z", 1, "X", "A", 100),
        row("0", 0, "Y", "A", 20),
    ]
    forth = follow(book(*rows), rule=rule, claims={"Z": None})
    back = follow(book(*reversed(rows)), rule=rule, claims={"Z": None})
    assert forth == back
    assert [name for name, _ in flows(forth)] == ["Z", "a", "é"]


@EVERY
def test_zero_amounts_change_nothing(rule: Rule) -> None:
    rows = [
        row("1", 1, "X", "A", 100),
        row("2", 2, "A", "B", 0),
        row("3", 3, "A", "C", 0, to_amount_minor=70, to_currency="HKD"),
    ]
    trace = follow(book(*rows), rule=rule, claims={"1": None, "2": None, "3": None})
    assert held(trace) == {("A", "EUR"): (100, 100)}
    assert flows(trace) == [("1", 100)]
    assert totals(trace) == [("EUR", 100, 100, 0)]


@EVERY
def test_a_pot_to_itself_changes_nothing_not_even_when_reported(rule: Rule) -> None:
    rows = [
        row("1", 1, "X", "A", 100),
        row("2", 2, "A", "A", 500),
        row("3", 3, "A", "A", 50, to_amount_minor=7, to_currency="EUR"),
    ]
    trace = follow(book(*rows), rule=rule, claims={"1": None, "2": None, "3": None})
    assert held(trace) == {("A", "EUR"): (100, 100)}
    assert (flows(trace), trace.gaps, totals(trace)) == ([("1", 100)], (), [("EUR", 100, 100, 0)])


@EVERY
def test_one_account_in_two_currencies_is_two_pots(rule: Rule) -> None:
    rows = [
        row("1", 1, "X", "A", 100),
        row("2", 2, "A", "A", 100, to_amount_minor=850, to_currency="HKD"),
    ]
    trace = follow(book(*rows), rule=rule, claims={"1": None})
    assert held(trace) == {("A", "HKD"): (850, 850)}
    assert totals(trace) == [("EUR", 100, 0, 0), ("HKD", 0, 850, 0)]


@EVERY
def test_shortfall_is_clean_spent_last_and_a_gap(rule: Rule) -> None:
    rows = [row("1", 1, "X", "A", 100), row("2", 2, "A", "B", 130), row("3", 3, "B", "C", 100)]
    trace = follow(book(*rows), rule=rule, claims={"1": None})
    assert [(g.transfer_id, g.account, g.currency, g.unexplained_minor) for g in trace.gaps] == [
        ("2", "A", "EUR", 30)
    ]
    newest_first = {("C", "EUR"): (70, 100), ("B", "EUR"): (30, 30)}
    expected = {
        Rule.FIFO: {("C", "EUR"): (100, 100)},
        Rule.LIFO: newest_first,
        Rule.PRORATA: {("C", "EUR"): (77, 100), ("B", "EUR"): (23, 30)},
        Rule.LIBR: newest_first,
        Rule.POISON: {("C", "EUR"): (100, 100), ("B", "EUR"): (30, 30)},
    }
    assert held(trace) == expected[rule]


@CONSERVING
def test_no_gap_where_no_tainted_money_was(rule: Rule) -> None:
    rows = [
        row("0", 0, "A", "Q", 999),
        row("1", 1, "X", "A", 100),
        row("2", 2, "A", "B", 100),
        row("3", 3, "A", "B", 1),
    ]
    trace = follow(book(*rows), rule=rule, claims={"1": None})
    assert trace.gaps == ()
    assert held(trace) == {("B", "EUR"): (100, 101)}


@CONSERVING
def test_a_balance_never_falls_below_zero_before_the_money_comes(rule: Rule) -> None:
    rows = [row("0", 0, "A", "Q", 999), row("1", 1, "P", "A", 10), row("2", 2, "X", "A", 90)]
    assert held(follow(book(*rows), rule=rule, claims={"2": None})) == {("A", "EUR"): (90, 100)}


@CONSERVING
def test_a_pot_that_was_emptied_and_is_tainted_again(rule: Rule) -> None:
    """What it held, paid and received in between counts: 0 after the gap, 50, then nothing again, then 7."""
    rows = [
        row("1", 1, "X", "A", 100),
        row("2", 2, "A", "B", 130),
        row("3", 3, "P", "A", 50),
        row("4", 4, "A", "Q", 60),
        row("5", 5, "P", "A", 7),
        row("6", 6, "Y", "A", 20),
    ]
    trace = follow(book(*rows), rule=rule, claims={"1": None, "6": None})
    assert held(trace) == {("B", "EUR"): (100, 130), ("A", "EUR"): (20, 27)}
    at_once = [*rows[:2], row("3", 3, "Y", "A", 20)]
    trace = follow(book(*at_once), rule=rule, claims={"1": None, "3": None})
    assert held(trace) == {("B", "EUR"): (100, 130), ("A", "EUR"): (20, 20)}


def test_reported_part_arrives_first_and_the_rest_is_clean() -> None:
    rows = [row("1", 1, "X", "A", 100), row("2", 2, "A", "B", 40), row("3", 3, "A", "C", 60)]
    trace = follow(book(*rows), rule=Rule.FIFO, claims={"1": 50})
    assert held(trace) == {("B", "EUR"): (40, 40), ("C", "EUR"): (10, 60)}
    assert flows(trace) == [("1", 50), ("2", 40), ("3", 10)]


@CONSERVING
def test_reported_again_is_dropped_and_counted(rule: Rule) -> None:
    rows = [row("1", 1, "X", "A", 100), row("2", 2, "A", "B", 100)]
    trace = follow(book(*rows), rule=rule, claims={"1": None, "2": 30})
    assert held(trace) == {("B", "EUR"): (30, 100)}
    assert flows(trace) == [("1", 100), ("2", 30)]
    assert totals(trace) == [("EUR", 130, 30, 100)]


@EVERY
def test_reported_transfer_leaves_its_sender_like_any_other(rule: Rule) -> None:
    """With a gap where the sender held tainted money, and without one where it did not."""
    rows = [row("1", 1, "X", "A", 100), row("2", 2, "A", "B", 120)]
    trace = follow(book(*rows), rule=rule, claims={"1": None, "2": None})
    assert [gap.unexplained_minor for gap in trace.gaps] == [20]
    assert held(trace) == {("B", "EUR"): (120, 120)}


@CONSERVING
def test_a_claim_of_zero_makes_all_that_arrives_clean(rule: Rule) -> None:
    rows = [row("1", 1, "X", "A", 100), row("2", 2, "A", "B", 100)]
    trace = follow(book(*rows), rule=rule, claims={"1": None, "2": 0})
    assert (trace.holdings, flows(trace)) == ((), [("1", 100)])
    assert totals(trace) == [("EUR", 100, 0, 100)]


@pytest.mark.parametrize(
    ("balance", "tainted", "paid", "carried"),
    [
        (200, 100, 150, 75),
        (3, 1, 1, 0),  # a third: down
        (2, 1, 1, 1),  # a half: up
        (5, 5, 3, 3),  # all tainted: all that leaves is
        (10, 9, 9, 8),  # 8.1 rounds to 8, which is also the least: 9 − (10 − 9)
        (4, 3, 3, 2),  # 2.25
        (7, 7, 7, 7),
    ],
)
def test_prorata_shares(balance: int, tainted: int, paid: int, carried: int) -> None:
    opening = {("A", "EUR"): balance - tainted}
    rows = [row("1", 1, "X", "A", tainted), row("2", 2, "A", "B", paid)]
    trace = follow(book(*rows, balances=opening), rule=Rule.PRORATA, claims={"1": None})
    assert dict(flows(trace)).get("2", 0) == carried


def test_fifo_keeps_the_order_across_pots() -> None:
    """Clean, tainted, clean arrive at B in that order, so that B's first payment is clean."""
    rows = [
        row("1", 1, "P", "A", 10),
        row("2", 2, "X", "A", 10),
        row("3", 3, "P", "A", 10),
        row("4", 4, "A", "B", 25),
        row("5", 5, "B", "C", 10),
        row("6", 6, "B", "D", 12),
    ]
    trace = follow(book(*rows), rule=Rule.FIFO, claims={"2": None})
    assert flows(trace) == [("2", 10), ("4", 10), ("6", 10)]


@EVERY
def test_opening_balance_is_the_oldest_clean_piece(rule: Rule) -> None:
    rows = [row("1", 1, "X", "A", 100), row("2", 2, "A", "B", 100)]
    trace = follow(book(*rows, balances={("A", "EUR"): 100, ("Z", "EUR"): 5}), rule=rule, claims={"1": None})
    expected = {
        Rule.FIFO: {("A", "EUR"): (100, 100)},
        Rule.LIFO: {("B", "EUR"): (100, 100)},
        Rule.PRORATA: {("A", "EUR"): (50, 100), ("B", "EUR"): (50, 100)},
        Rule.LIBR: {("A", "EUR"): (100, 100)},
        Rule.POISON: {("A", "EUR"): (100, 100), ("B", "EUR"): (100, 100)},
    }
    assert held(trace) == expected[rule]


def test_conversion_floors_cumulative_amounts() -> None:
    """Pieces 1 clean, 1 tainted, 1 clean at 3 → 5: cumulative 1.67, 3.33, 5 floor to 1, 3, 5."""
    rows = [
        row("1", 1, "X", "A", 1),
        row("2", 2, "A", "B", 3, to_amount_minor=5, to_currency="HKD"),
    ]
    fifo = follow(book(*rows, balances={("A", "EUR"): 1}), rule=Rule.FIFO, claims={"1": None})
    assert held(fifo) == {("B", "HKD"): (2, 5)}
    prorata = follow(book(*rows, balances={("A", "EUR"): 1}), rule=Rule.PRORATA, claims={"1": None})
    assert held(prorata) == {("B", "HKD"): (1, 5)}
    assert flows(fifo) == flows(prorata) == [("1", 1), ("2", 1)]


@CONSERVING
def test_conversion_applies_to_reported_transfers(rule: Rule) -> None:
    example = book(row("1", 1, "X", "A", 30, to_amount_minor=100, to_currency="JPY"))
    trace = follow(example, rule=rule, claims={"1": 20})
    assert held(trace) == {("A", "JPY"): (66, 100)}
    assert totals(trace) == [("EUR", 20, 0, 0), ("JPY", 0, 66, 0)]


@EVERY
def test_converted_to_nothing_the_sender_is_debited_and_nothing_arrives(rule: Rule) -> None:
    rows = [row("1", 1, "X", "A", 30), row("2", 2, "A", "B", 30, to_amount_minor=0, to_currency="BTC")]
    trace = follow(book(*rows), rule=rule, claims={"1": None})
    assert (trace.holdings, flows(trace)) == ((), [("1", 30), ("2", 30)])


def test_holdings_by_tainted_amount_then_account_then_currency() -> None:
    rows = [
        row("1", 1, "X", "b", 10),
        row("2", 1, "X", "a", 10, currency="USD"),
        row("3", 1, "X", "a", 10),
        row("4", 1, "X", "Z", 10),
        row("5", 1, "X", "y", 11),
    ]
    trace = follow(book(*rows), rule=Rule.FIFO, claims=dict.fromkeys("12345"))
    assert [(h.account, h.currency) for h in trace.holdings] == [
        ("y", "EUR"), ("Z", "EUR"), ("a", "EUR"), ("a", "USD"), ("b", "EUR"),
    ]  # fmt: skip
    assert [total.currency for total in trace.totals] == ["EUR", "USD"]


@CONSERVING
def test_until_is_inclusive_and_stops_everything(rule: Rule) -> None:
    rows = [row("1", 1, "X", "A", 100), row("2", 2, "A", "B", 150), row("3", 3, "Y", "A", 7)]
    example = book(*rows)
    claims = {"1": None, "3": None}
    before = follow(example, rule=rule, claims=claims, until=START + timedelta(seconds=2, microseconds=-1))
    assert (held(before), before.gaps) == ({("A", "EUR"): (100, 100)}, ())
    at = follow(example, rule=rule, claims=claims, until=START + timedelta(seconds=2))
    assert held(at) == {("B", "EUR"): (100, 150)}
    assert totals(at) == [("EUR", 100, 100, 0)]
    none = follow(example, rule=rule, claims=claims, until=START)
    assert (none.holdings, none.flows, none.totals) == ((), (), ())


def test_until_counts_clean_money_up_to_it_only() -> None:
    rows = [row(str(second), second, "P", "A", 1) for second in range(1, 40)]
    trace = follow(
        book(row("x", 0, "X", "A", 5), *rows),
        rule=Rule.FIFO,
        claims={"x": None},
        until=START + timedelta(seconds=20),
    )
    assert held(trace) == {("A", "EUR"): (5, 25)}


def test_until_needs_its_offset() -> None:
    with pytest.raises(InputError, match="offset"):
        follow(
            book(row("1", 1, "X", "A", 1)),
            rule=Rule.FIFO,
            claims={},
            until=datetime(2025, 6, 1),  # noqa: DTZ001
        )


@CONSERVING
def test_sums_beyond_64_bits_are_exact(rule: Rule) -> None:
    most = 2**63 - 1
    rows = [row(str(number), number, f"X{number}", "A", most) for number in range(1, 5)]
    rows += [row(f"p{number}", 0, "P", "A", most) for number in range(20)]
    trace = follow(book(*rows, balances={("A", "EUR"): most}), rule=rule, claims=dict.fromkeys("1234"))
    assert held(trace) == {("A", "EUR"): (4 * most, 25 * most)}
    assert totals(trace) == [("EUR", 4 * most, 4 * most, 0)]


@pytest.mark.parametrize(
    ("claims", "says"),
    [({"9": None}, "'9'"), ({"1": 101}, "at most"), ({"1": -1}, "at most")],
)
def test_claims_the_book_does_not_bear_out(claims: dict[str, int | None], says: str) -> None:
    with pytest.raises(InputError, match=says):
        follow(book(row("1", 1, "X", "A", 100)), rule=Rule.FIFO, claims=claims)


def test_claims_in_major_units() -> None:
    rows = [row("1", 1, "X", "A", 100), row("2", 1, "X", "A", 100, currency="JPY"), row("3", 1, "X", "A", 5)]
    report = Report(
        report_id="R",
        claims=(
            Claim(transfer_id="1", amount="0.5"),
            Claim(transfer_id="2", amount="50"),
            Claim(transfer_id="3", amount=None),
        ),
    )
    assert claims_of(report, book(*rows)) == {"1": 50, "2": 50, "3": None}


@pytest.mark.parametrize("amount", ["0.505", "-1", "1e2", "", "5,0", "9" * 5000])
def test_claims_that_are_no_amount(amount: str) -> None:
    report = Report(report_id="R", claims=(Claim(transfer_id="1", amount=amount),))
    with pytest.raises(InputError, match="'1'"):
        claims_of(report, book(row("1", 1, "X", "A", 100)))


def test_claims_of_unknown_transfers() -> None:
    report = Report(report_id="R", claims=(Claim(transfer_id="nope", amount=None),))
    with pytest.raises(InputError, match="nope"):
        claims_of(report, book(row("1", 1, "X", "A", 100)))


@pytest.mark.parametrize("name", ["last-in", "FIFO", ""])
def test_rules_that_are_not_built_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="fifo, lifo, prorata, libr, poison"):
        Rule.named(name)


def test_a_poisoned_pot_stays_poisoned_and_nothing_is_conserved() -> None:
    """Emptied, overdrawn, filled with clean money: what leaves is tainted. No gap where nothing was held."""
    rows = [
        row("0", 0, "A", "Q", 5),
        row("1", 1, "X", "A", 1),
        row("2", 2, "A", "B", 3),
        row("3", 3, "A", "B", 4),
        row("4", 4, "P", "A", 9),
        row("5", 5, "A", "C", 10, to_amount_minor=70, to_currency="HKD"),
        row("6", 6, "A", "D", 10),
    ]
    trace = follow(book(*rows), rule=Rule.POISON, claims={"1": None, "6": 0})
    assert flows(trace) == [("1", 1), ("2", 3), ("3", 4), ("5", 10)]
    assert held(trace) == {("C", "HKD"): (70, 70), ("B", "EUR"): (7, 7)}
    assert [(gap.transfer_id, gap.unexplained_minor) for gap in trace.gaps] == [("2", 2), ("5", 1)]
    assert totals(trace) == [("EUR", 1, 7, 0), ("HKD", 0, 70, 0)]


def test_lifo_pieces_arrive_in_the_order_in_which_they_left() -> None:
    """A pays newest first: clean 5, tainted 10, clean 3. At B the clean 3 are the newest."""
    rows = [
        row("1", 1, "P", "A", 10),
        row("2", 2, "X", "A", 10),
        row("3", 3, "P", "A", 5),
        row("4", 4, "A", "B", 18),
        row("5", 5, "B", "C", 4),
        row("6", 6, "B", "D", 10),
    ]
    trace = follow(book(*rows), rule=Rule.LIFO, claims={"2": None})
    assert flows(trace) == [("2", 10), ("4", 10), ("5", 1), ("6", 9)]


@EVERY
def test_every_rule_names_its_law(rule: Rule) -> None:
    assert Rule.named(str(rule)) is rule
    assert law_of(rule).citation
