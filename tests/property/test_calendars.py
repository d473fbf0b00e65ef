"""Terms in working days: what holds in every state, from whatever moment, however long."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.law.calendars import Calendar, Kind, calendar_of, calendars, day, due

CALENDARS = st.sampled_from([*calendars().values(), calendar_of("XX")])
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2031, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
DAYS = st.integers(1, 40)


@settings(deadline=None)
@given(CALENDARS, MOMENTS, DAYS)
def test_a_term_ends_after_it_began_and_with_the_end_of_a_day_that_may_be_worked(
    calendar: Calendar, start: datetime, days: int
) -> None:
    found = due(start, days, calendar)
    local = found.at.astimezone(ZoneInfo(calendar.zone))
    assert found.at > start
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    assert day(calendar, local.date() - timedelta(days=1)).kind is not Kind.OFF
    assert found.latest is None or found.latest >= found.at


@settings(deadline=None)
@given(CALENDARS, MOMENTS, DAYS)
def test_a_longer_term_ends_later(calendar: Calendar, start: datetime, days: int) -> None:
    shorter, longer = due(start, days, calendar), due(start, days + 1, calendar)
    assert longer.at > shorter.at
    assert longer.at - shorter.at >= timedelta(hours=23)


@settings(deadline=None)
@given(CALENDARS, MOMENTS, MOMENTS, DAYS)
def test_what_begins_later_ends_no_sooner(
    calendar: Calendar, one: datetime, other: datetime, days: int
) -> None:
    first, second = sorted((one, other))
    assert due(first, days, calendar).at <= due(second, days, calendar).at


@settings(deadline=None)
@given(CALENDARS, MOMENTS, DAYS)
def test_the_days_of_a_term_are_counted_one_by_one(calendar: Calendar, start: datetime, days: int) -> None:
    """Against the plainest count there is."""
    zone = ZoneInfo(calendar.zone)
    when, left = start.astimezone(zone).date(), days
    while left:
        when += timedelta(days=1)
        left -= day(calendar, when).kind is not Kind.OFF
    assert due(start, days, calendar).at.astimezone(zone).date() == when + timedelta(days=1)
