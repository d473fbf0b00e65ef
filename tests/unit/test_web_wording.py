"""How amounts, times and shares read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from comity.entrypoints.plain_text import plain
from comity.entrypoints.web import wording
from comity.entrypoints.web.countries import country_name
from comity.node.pages.views import Amount

REPORT = datetime(2025, 6, 18, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (372, "6 min 12 s"), (3600, "1 h"), (3661, "1 h 1 min"),
        (86_399, "23 h 59 min"), (86_400, "1 d"), (273_600, "3 d 4 h"), (-372, "6 min 12 s"),
    ],
)  # fmt: skip
def test_lasted_cuts_to_two_units(seconds: float, expected: str) -> None:
    assert wording.lasted(timedelta(seconds=seconds)) == expected


def test_times_are_said_against_the_report_and_against_now() -> None:
    assert wording.since_report(REPORT + timedelta(seconds=372), REPORT) == "6 min 12 s after the report"
    assert wording.since_report(REPORT - timedelta(minutes=41), REPORT) == "41 min before the report"
    assert wording.since_report(REPORT, REPORT) == "at the report"
    assert wording.from_now(REPORT + timedelta(hours=48), REPORT) == "in 2 d"
    assert wording.from_now(REPORT - timedelta(minutes=2), REPORT) == "2 min ago"


def test_moments_are_utc_whatever_the_zone_they_came_in() -> None:
    bangkok = datetime(2025, 6, 18, 20, 0, 4, tzinfo=timezone(timedelta(hours=7)))
    assert wording.moment(bangkok) == "18 Jun 2025, 13:00:04 UTC"
    assert wording.machine_time(bangkok) == "2025-06-18T13:00:04Z"


@pytest.mark.parametrize(
    ("amount", "exact", "brief"),
    [
        (Amount(minor=230_000_000, currency="CAD"), "CAD 2,300,000.00", "CAD 2.3 M"),
        (Amount(minor=99_999, currency="CAD"), "CAD 999.99", "CAD 999.99"),
        (Amount(minor=999_999_999, currency="CAD"), "CAD 9,999,999.99", "CAD 9.99 M"),
        (Amount(minor=23_000_000_000, currency="VND"), "VND 23,000,000,000", "VND 23 bn"),
        (Amount(minor=1_500, currency="BHD"), "BHD 1.500", "BHD 1.500"),
        (Amount(minor=61_250_000_000, currency="USDT", digits=6), "USDT 61,250.000000", "USDT 61.2 k"),
        (Amount(minor=5, currency="MYTOKEN", digits=2), "MYTOKEN 0.05", "MYTOKEN 0.05"),
        (Amount(minor=1_234, currency="NOBODYKNOWS"), "NOBODYKNOWS 1,234 (minor units)",
         "NOBODYKNOWS 1,234 (minor units)"),
    ],
)  # fmt: skip
def test_money_is_exact_and_brief_money_never_overstates(amount: Amount, exact: str, brief: str) -> None:
    assert wording.money(amount) == exact
    assert wording.brief_money(amount) == brief


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, "0 %"), (0.001, "under 1 %"), (0.5, "50 %"), (0.997, "over 99 %"), (1.0, "100 %")],
)
def test_percent_never_rounds_to_nothing_or_all(share: float, expected: str) -> None:
    assert wording.percent(share) == expected


@pytest.mark.parametrize(
    "shares", [(1 / 3, 1 / 3, 1 / 3), (0.706, 0.197, 0.097), (0.005, 0.995), (0.125,) * 8]
)
def test_percents_add_up(shares: tuple[float, ...]) -> None:
    written = wording.percents(shares)
    assert sum(int(text.split()[0]) for text in written if text[0].isdigit()) == 100


def test_plain_marks_what_deceives_and_keeps_what_reads() -> None:
    assert plain("a\u202eb\x00c\ud800\u200fd\ufeff") == "a\ufffdb\ufffdc\ufffd\ufffdd\ufffd"
    assert plain("ธนาคาร 銀行 ធនាគារ é\n\t") == "ธนาคาร 銀行 ធនាគារ é\n\t"


def test_countries_of_the_region_have_names_and_unknown_codes_stay() -> None:
    assert [country_name(code) for code in ("HK", "KH", "SG", "XX")] == [
        "Hong Kong",
        "Cambodia",
        "Singapore",
        "XX",
    ]


def test_codes_read_as_words() -> None:
    assert wording.worded("central-authority") == "Central authority"
    assert wording.rule_name("fifo").startswith("first in, first out")
    assert wording.rule_name("new-rule") == "new-rule"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("List them: `comity case list DIR`.", "List them: <code>comity case list DIR</code>."),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
        ("one ` alone <b>", "one ` alone &lt;b&gt;"),
        ("`a\u202eb`", "<code>a\ufffdb</code>"),
    ],
)
def test_commands_in_advice_are_set_as_code_and_markup_never_gets_through(text: str, shown: str) -> None:
    assert wording.coded(text) == shown
