"""Several victims of one fund: followed as one, shared in proportion, to the last minor unit."""

import pytest

from comity.errors import InputError
from comity.tracing import Rule
from comity.tracing.victims import divide, share_out
from tests.unit.trace_rows import book, row


def test_the_last_to_pay_in_takes_no_more_than_the_first() -> None:
    """Under Clayton's case Khan, who paid last, would take all 100 that is left; the fund is shared 2 : 1."""
    fund = book(
        row("1", 1, "Lee", "Fund", 200),
        row("2", 2, "Fund", "Spent", 200),
        row("3", 3, "Khan", "Fund", 100),
    )
    reports = [("LEE", {"1": None}), ("KHAN", {"3": None})]
    shared = share_out(fund, rule=Rule.FIFO, reports=reports)
    shares = {(one.account, one.report_id): one.share_minor for one in shared.shares}
    assert shares == {("Fund", "LEE"): 67, ("Fund", "KHAN"): 33, ("Spent", "LEE"): 200}
    assert [(one.report_id, one.lost_minor) for one in shared.losses] == [("LEE", 200), ("KHAN", 100)]
    assert shared.unshared == ()


def test_losses_in_different_currencies_are_not_compared() -> None:
    fund = book(
        row("1", 1, "Lee", "Fund", 200),
        row("2", 2, "Khan", "Fund", 100, currency="USD", to_amount_minor=90, to_currency="EUR"),
    )
    shared = share_out(fund, rule=Rule.PRORATA, reports=[("LEE", {"1": None}), ("KHAN", {"2": None})])
    assert (shared.shares, shared.unshared) == ((), (("Fund", "EUR"),))


def test_a_transfer_is_one_victims_loss() -> None:
    fund = book(row("1", 1, "Lee", "Fund", 200))
    with pytest.raises(InputError, match="claimed twice"):
        share_out(fund, rule=Rule.FIFO, reports=[("A", {"1": None}), ("B", {"1": 5})])


def test_shares_sum_to_the_whole() -> None:
    assert divide(100, {"a": 1, "b": 1, "c": 1}) == {"a": 34, "b": 33, "c": 33}
    assert divide(2, {"a": 1, "b": 8, "c": 8}) == {"a": 0, "b": 1, "c": 1}
    assert divide(2**80, {"a": 2**70, "b": 1}) == {"a": 2**80 - 1024, "b": 1024}
