"""Long lists on a case's page: a group a country, with sums that count as the figures do."""

from dataclasses import replace

import pytest

from comity.entrypoints.web.by_country import FEW, by_country
from comity.model.hold_states import COUNTED_AS_HELD
from comity.node.pages.case_page import _HOLD_STATES
from comity.node.pages.views import Amount, HoldRow, HoldState
from tests.browser.sample_case import HOLDINGS, HOLDS, cad, hkd, thb, usdt


def holds(*rows: tuple[str, Amount, HoldState]) -> list[HoldRow]:
    return [replace(HOLDS[0], country=country, amount=one, state=state) for country, one, state in rows]


def test_few_rows_stay_one_table() -> None:
    assert by_country([HOLDS[0]] * FEW) == ()
    assert by_country([]) == ()


def test_many_rows_are_grouped_in_the_order_in_which_countries_come() -> None:
    rows = holds(
        ("HK", hkd(100), HoldState.PLACED), ("CA", cad(7), HoldState.CONFIRMED), ("HK", usdt(5), HoldState.PLACED),
        *[("HK", hkd(1), HoldState.PLACED)] * FEW,
    )  # fmt: skip
    groups = by_country(rows)
    assert [(one.country, len(one.rows), one.sums) for one in groups] == [
        ("HK", FEW + 2, (hkd(100 + FEW), usdt(5))),
        ("CA", 1, (cad(7),)),
    ]
    assert sorted(map(id, rows)) == sorted(id(row) for one in groups for row in one.rows), "a row was lost"


@pytest.mark.parametrize("state", [HoldState.LAPSED, HoldState.RELEASED, HoldState.ASKED])
def test_what_is_not_held_is_listed_and_not_counted(state: HoldState) -> None:
    (group,) = by_country(holds(("TH", thb(9), HoldState.PLACED), *[("TH", thb(1), state)] * FEW))
    assert (len(group.rows), group.sums) == (FEW + 1, (thb(9),))


def test_accounts_are_summed_by_the_stolen_money_in_them() -> None:
    (group,) = by_country([replace(HOLDINGS[0], tainted=hkd(2))] * (FEW + 1))
    assert group.sums == (hkd(2 * (FEW + 1)),)


@pytest.mark.parametrize(("state", "shown"), _HOLD_STATES.items())
def test_pages_count_the_states_that_the_figures_count(state: str, shown: HoldState) -> None:
    assert shown.counted == (state in COUNTED_AS_HELD)
