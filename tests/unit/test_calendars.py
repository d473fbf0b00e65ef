"""Working days, with answers that anybody can look up; and what nobody can know yet is said, never taken for known."""

from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from holidays import country_holidays

from comity.errors import InputError
from comity.law.calendars import Kind, calendar_of, calendars, day, days_off, due, require_calendar

STATES = [
    "CN", "HK", "MO", "MM", "TH", "LA", "KH", "VN", "MY", "SG", "ID", "PH", "BN", "IN", "CA", "US", "AE", "ES", "JP",
    "KR", "AU",
]  # fmt: skip
OFF = {
    "TH": ["2026-04-13", "2026-04-14", "2026-04-15", "2026-12-07"],
    "CN": [f"2026-10-0{one}" for one in range(1, 8)] + ["2026-02-17", "2026-05-01"],
    "JP": ["2026-04-29", "2026-05-04", "2026-05-05", "2026-05-06", "2026-12-29", "2027-01-01", "2028-01-03"],
    "US": ["2026-11-26", "2026-06-19", "2026-07-03", "2027-11-25", "2027-12-31"],
    "ES": ["2026-01-06", "2026-04-03", "2026-10-12"],
    "HK": ["2026-04-03", "2026-04-06", "2026-07-01", "2026-10-01", "2026-12-25"],
    "MO": ["2026-10-01", "2026-12-08"],
    "KR": ["2026-09-24", "2026-09-25", "2026-10-09"],
    "SG": ["2026-08-10", "2026-02-17", "2026-02-18"],
    "CA": ["2026-07-01", "2026-10-12", "2026-11-11", "2026-12-28"],
    "AU": ["2026-01-26", "2026-04-06", "2026-12-25", "2026-12-28"],
    "IN": ["2026-01-26", "2026-10-02"],
    "VN": ["2026-04-30", "2026-09-02", "2026-02-17"],
    "MY": ["2026-08-31", "2026-09-16", "2026-01-01"],
    "ID": ["2026-08-17", "2026-06-01", "2026-03-23"],
    "PH": ["2026-06-12", "2026-11-30", "2026-04-09"],
    "KH": ["2026-11-09", "2026-04-14"],
    "LA": ["2026-12-02", "2026-04-15"],
    "MM": ["2025-12-25", "2026-02-12"],
    "BN": ["2026-02-23", "2026-07-15"],
    "AE": ["2026-12-02", "2026-12-03"],
}
"""Week days on which the offices are closed."""
OPEN = {
    "CN": ["2026-10-08", "2026-10-10", "2026-09-20"],
    "VN": ["2026-08-22"],
    "TH": ["2026-05-01", "2026-04-16"],
    "JP": ["2026-04-30", "2026-05-01", "2026-12-28"],
    "BN": ["2026-03-28"],
    "AE": ["2026-02-06"],
    "US": ["2026-11-27"],
    "ES": ["2026-01-07"],
    "HK": ["2026-04-08"],
}
"""Among them weekend days that were made working days, and the Saturday of Brunei."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_every_state_has_a_calendar_that_the_library_and_the_zones_know() -> None:
    assert list(calendars()) == STATES
    for one in calendars().values():
        assert ZoneInfo(one.zone)
        assert days_off(one, 2026)
        assert one.version == f"calendar {one.jurisdiction}, holidays {version('holidays')}"


@pytest.mark.parametrize("state", STATES)
def test_days_off_that_everybody_knows(state: str) -> None:
    for text in OFF[state]:
        assert day(calendar_of(state), date.fromisoformat(text)).kind is Kind.OFF, text
    for text in OPEN.get(state, []):
        assert day(calendar_of(state), date.fromisoformat(text)).kind is Kind.WORKING, text


@pytest.mark.parametrize("state", STATES)
def test_the_weekend_is_the_librarys_but_for_hong_kongs_five_day_week(state: str) -> None:
    week = [date(2026, 11, 16) + timedelta(days=one) for one in range(7)]
    library = country_holidays(state, years=2026)
    expected = {one.weekday() for one in week if library.is_weekend(one)}
    assert calendar_of(state).weekend == expected | ({5} if state == "HK" else set())


@pytest.mark.parametrize(
    ("state", "start", "days", "at"),
    [
        ("TH", "2026-04-10T03:00", 5, "2026-04-22T17:00"),  # over Songkran
        ("TH", "2026-04-10T18:00", 1, "2026-04-16T17:00"),  # it is the 11th there
        ("CN", "2026-09-30T02:00", 1, "2026-10-08T16:00"),  # the golden week
        ("CN", "2026-10-08T02:00", 2, "2026-10-10T16:00"),  # a Saturday on which people work
        ("JP", "2026-05-01T01:00", 1, "2026-05-07T15:00"),  # Golden Week
        ("JP", "2026-12-28T01:00", 1, "2027-01-04T15:00"),  # the offices' new year
        ("US", "2026-11-25T15:00", 1, "2026-11-28T05:00"),  # Thanksgiving: Friday ends at 05:00 UTC
        ("ES", "2026-01-05T10:00", 1, "2026-01-07T23:00"),  # Epiphany
        (
            "BN",
            "2026-04-02T04:00",
            2,
            "2026-04-06T16:00",
        ),  # Thursday: Friday off, Saturday, Sunday off, Monday
        ("CA", "2026-03-06T15:00", 1, "2026-03-10T04:00"),  # clocks go forward in between
        ("AE", "2026-02-05T08:00", 2, "2026-02-09T20:00"),  # Friday is worked, Saturday and Sunday are not
        ("HK", "2026-04-02T08:00", 1, "2026-04-08T16:00"),  # Good Friday to the day after Ching Ming's
    ],
)
def test_terms_whose_end_is_known(state: str, start: str, days: int, at: str) -> None:
    found = due(utc(start), days, calendar_of(state))
    assert (found.at, found.latest, found.unknown) == (utc(at), utc(at), ())
    assert found.text == f"calendar {state}, holidays {version('holidays')}"


# --- what nobody can know ---------------------------------------------------------------------------------


def test_what_the_moon_decides_is_unknown_and_never_makes_a_term_longer() -> None:
    brunei = calendar_of("BN")
    found = due(utc("2027-03-08T03:00"), 3, brunei)
    assert [str(one.date) for one in found.unknown] == ["2027-03-09", "2027-03-10", "2027-03-11"]
    assert found.at == utc("2027-03-11T16:00")
    assert found.latest is not None
    assert found.latest > found.at
    assert "counted as working though not known: 2027-03-09 (beside Eid al-Fitr (estimated))" in found.text
    assert "days off of 2027 not announced" in found.text


def test_a_year_that_was_not_announced_is_known_only_as_far_as_the_law_names_it() -> None:
    china = calendar_of("CN")
    later = (china.announced_to or 0) + 1
    by_law, moved = (
        day(china, date(later, 10, 1)),
        [one for one in days_off(china, later) if "observed" in one.why],
    )
    assert by_law.kind == Kind.OFF
    assert moved
    assert {one.kind for one in moved} == {Kind.UNKNOWN}
    assert "weekend days may be made working days" in due(utc(f"{later}-06-01T02:00"), 3, china).text


def test_unknown_days_say_why() -> None:
    for one in calendars().values():
        for year in (2026, 2027, 2030):
            for found in days_off(one, year):
                assert found.why
                assert found.kind is not Kind.WORKING


def test_a_state_without_calendar_has_every_day_counted_and_says_so() -> None:
    found = due(utc("2026-12-24T12:00"), 5, calendar_of("XX"))
    assert found.at == utc("2026-12-30T00:00")
    assert found.latest is None
    assert found.text == "calendar of XX not known, every day counted"
    with pytest.raises(InputError, match="expected one of CN"):
        require_calendar("XX")


@pytest.mark.parametrize(
    ("start", "days"),
    [(datetime(2026, 1, 1), 1), (utc("2026-01-01T00:00"), 0), (utc("2026-01-01T00:00"), 1000)],  # noqa: DTZ001 - wrong on purpose
)
def test_a_term_that_is_none_is_refused(start: Any, days: int) -> None:
    with pytest.raises(InputError):
        due(start, days, calendar_of("TH"))
