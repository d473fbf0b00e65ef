"""Working days of the states: which days are days off, which nobody can know yet, and when a term in them ends.

A term of n working days counts from the next working day and ends with the last hour of the n-th, in that state's
local time: the day of the event is not counted (Regulation (EEC, Euratom) 1182/71 art. 3(1) and 3(2)(b); Civil Code of
the PRC art. 201 and 203; Fed. R. Crim. P. 45(a)(1)(A)). Fixed terms (hours, days) run through: where a statute moves
an end that is no working day, the procedure's rule has to say so.

A day is working, off or *unknown*: the moon was not sighted yet, or the year's days off were not announced. An unknown
day is counted as a working day: so no hold on a person or their property lasts longer because of a holiday that
nobody confirmed. `Due.latest` is the other reading, for a term within which a person may act. Both, and why, are in
the answer. What is counted stays counted: a weekend day that is made a working day later shortens no term.

Weekends, zone and how far ahead a state announces: `data/calendars.csv`. Days off: the library `holidays`, whose
version is part of every answer. What a government declares after that version is not known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from zoneinfo import ZoneInfo

from comity.errors import InputError
from comity.law.cells import Confidence, confidence, one_of, yes_no
from comity.law.files import read_rows, read_text

MOST = 999
"""Working days that a term may have, as in the procedures' files."""
_COLUMNS = (
    "jurisdiction", "zone", "weekend", "holidays", "part", "announced_to", "named_by_law", "make_up", "also",
    "offices_open", "note", "source", "confidence", "verified",
)  # fmt: skip
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIXED_YEARS = 5
"""A date that was a day off in so many announced years stays one."""
_MOVED = ("observed", "in lieu", "substituted", "Compensatory", "Bridge", "additional")
"""Words in the names of days off that somebody has to announce: they make up for others."""
_WEEKEND = "weekend"
_ESTIMATED = "estimated"
"""So the library marks what the sighting of the moon decides: it may be a day earlier or later."""
_DAY = timedelta(days=1)
_SHOWN = 4


class Kind(StrEnum):
    WORKING = "working"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One state's. `holidays` and `part` name the library's lists; `weekend` has 0 for Monday to 6 for Sunday.

    `announced_to` is the last year whose days off the government had announced, None where all of them follow from
    standing law. In later years those stand that the law names (`named_by_law`), and fixed dates. `make_up`: weekend
    days are made working days for days off. `also` are further days off (month, day), `offices_open` holidays that
    state offices do not keep.
    """

    jurisdiction: str
    zone: str
    weekend: frozenset[int]
    holidays: tuple[str, ...]
    part: str
    announced_to: int | None
    named_by_law: bool
    make_up: bool
    also: frozenset[tuple[int, int]]
    offices_open: frozenset[str]
    note: str
    source: str
    confidence: Confidence
    known: bool = True

    @property
    def version(self) -> str:
        """What is frozen in a deadline that was counted with it."""
        if not self.known:
            return f"calendar of {self.jurisdiction or 'no state'} not known, every day counted"
        return f"calendar {self.jurisdiction}, holidays {library_version()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """`why` says in words what it is, empty for an ordinary working day."""

    date: date
    kind: Kind
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a term ends, in UTC: `at` counts unknown days as working, `latest` as days off (None: not to be said).

    `unknown` are those on the way to `at`; `text` is for the deadline's source.
    """

    at: datetime
    latest: datetime | None
    unknown: tuple[Day, ...]
    text: str


def library_version() -> str:
    return version("holidays")


@cache
def calendars() -> Mapping[str, Calendar]:
    """All calendars there are, by ISO 3166-1 code."""
    name = "calendars.csv"
    rows = read_rows(read_text(name), _COLUMNS, where=name)
    return {row["jurisdiction"]: _calendar(row, place) for place, row in rows}


def calendar_of(jurisdiction: str) -> Calendar:
    """The calendar of a state. Of one that is not in the data every day is unknown, and counted."""
    found = calendars().get(jurisdiction)
    return found if found is not None else _no_calendar(jurisdiction)


def require_calendar(jurisdiction: str) -> Calendar:
    """The same for people who ask: `InputError` where there is none."""
    one_of(jurisdiction, calendars(), "calendar")
    return calendars()[jurisdiction]


def day(calendar: Calendar, when: date) -> Day:
    """What is known of that day."""
    kind, why = _judge(calendar, when)
    return Day(date=when, kind=kind, why=why)


def days_off(calendar: Calendar, year: int) -> tuple[Day, ...]:
    """The days of a year, without ordinary weekends, that are off or unknown."""
    first = date(year, 1, 1)
    length = (date(year + 1, 1, 1) - first).days if year < date.max.year else 365
    every = (day(calendar, first + number * _DAY) for number in range(length))
    return tuple(one for one in every if one.kind is not Kind.WORKING and one.why != _WEEKEND)


def due(start: datetime, working_days: int, calendar: Calendar) -> Due:
    """When `working_days` that begin to run at `start` have run out.

    `InputError` for a time without zone, or not 1 to 999 working days.
    """
    if start.tzinfo is None:
        raise InputError.because(expected="a time with its zone", got=start.isoformat(), where="start")
    if not 1 <= working_days <= MOST:
        raise InputError.because(expected=f"1 to {MOST} working days", got=str(working_days), where="term")
    first = start.astimezone(ZoneInfo(calendar.zone)).date()
    unknown, counted, certain = list[Day](), 0, 0
    end = latest = None
    for one in _after(calendar, first, most=working_days):
        counted += one.kind != Kind.OFF
        certain += one.kind == Kind.WORKING
        if end is None and one.kind == Kind.UNKNOWN:
            unknown.append(one)
        if end is None and counted == working_days:
            end = one.date
        if certain == working_days:
            latest = one.date
            break
    if end is None:
        raise InputError.because(expected="a term that ends", got=f"{working_days} wd from {start}")
    return Due(
        at=_end_of(end, calendar), latest=_end_of(latest, calendar) if latest else None,
        unknown=tuple(unknown), text=_text(calendar, end, unknown),
    )  # fmt: skip


def _after(calendar: Calendar, first: date, *, most: int) -> Iterator[Day]:
    """The days after `first`: enough of them for any calendar that rests a third of the time."""
    for number in range(1, 3 * most + 60):
        yield day(calendar, first + number * _DAY)


def _end_of(when: date, calendar: Calendar) -> datetime:
    return datetime.combine(when + _DAY, time.min, tzinfo=ZoneInfo(calendar.zone)).astimezone(UTC)


def _text(calendar: Calendar, end: date, unknown: list[Day]) -> str:
    """Frozen with the deadline: by which calendar, and what of it was not known."""
    said = [calendar.version]
    if calendar.known and _unannounced(calendar, end.year):
        more = ", weekend days may be made working days" if calendar.make_up else ""
        said.append(f"days off of {end.year} not announced{more}")
    if calendar.known and unknown:
        named = ", ".join(f"{one.date} ({one.why})" for one in unknown[:_SHOWN])
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        said.append(f"counted as working though not known: {named}{more}")
    return "; ".join(said)


def _judge(calendar: Calendar, when: date) -> tuple[Kind, str]:
    if not calendar.known:
        return Kind.UNKNOWN, "no calendar of this state"
    off, make_up = _library(calendar, when.year)
    if when in make_up:
        return Kind.WORKING, "a weekend day made a working day"
    if when.weekday() in calendar.weekend:
        return Kind.OFF, _WEEKEND
    if (when.month, when.day) in calendar.also:
        return Kind.OFF, off.get(when, "offices are closed by law")
    if when in off:
        doubt = _doubt(calendar, when, off[when])
        return (Kind.UNKNOWN, doubt) if doubt else (Kind.OFF, off[when])
    for beside in (when - _DAY, when + _DAY):
        name = _library(calendar, beside.year)[0].get(beside, "")
        if _ESTIMATED in name:
            return Kind.UNKNOWN, f"beside {name}"
    return Kind.WORKING, ""


def _doubt(calendar: Calendar, when: date, name: str) -> str:
    """Why this day off may be on another day in the end, or ""."""
    if _ESTIMATED in name:
        return name
    if not _unannounced(calendar, when.year) or _fixed(calendar, when):
        return ""
    by_law = calendar.named_by_law and not any(word in name for word in _MOVED)
    return "" if by_law else f"{name}, not announced"


def _unannounced(calendar: Calendar, year: int) -> bool:
    return calendar.announced_to is not None and year > calendar.announced_to


def _fixed(calendar: Calendar, when: date) -> bool:
    last = calendar.announced_to or when.year
    if (when.month, when.day) == (2, 29):
        return False
    years = range(last - _FIXED_YEARS + 1, last + 1)
    return all(when.replace(year=year) in _library(calendar, year)[0] for year in years)


@cache
def _library(calendar: Calendar, year: int) -> tuple[Mapping[date, str], frozenset[date]]:
    """Days off of a year by name, and weekend days made working days, as the library has them."""
    from holidays import country_holidays  # 0.2 s, which few commands need

    found = country_holidays(
        calendar.jurisdiction, subdiv=calendar.part or None, years=(year - 1, year, year + 1), expand=False,
        categories=calendar.holidays, language="en_US",
    )  # fmt: skip
    off = {
        when: name for when, name in found.items() if when.year == year and not _offices_open(calendar, name)
    }
    return off, frozenset(when for when in found.weekend_workdays if when.year == year)


def _offices_open(calendar: Calendar, name: str) -> bool:
    """A half day is a working day; some holidays are not the offices'."""
    each = [one.removesuffix(" (in lieu)") for one in name.split("; ")]
    return all(one.endswith("(Afternoon)") or one in calendar.offices_open for one in each)


def _calendar(row: Mapping[str, str], place: str) -> Calendar:
    year = row["announced_to"]
    yes_no(row["verified"], place)
    return Calendar(
        jurisdiction=row["jurisdiction"], zone=row["zone"],
        weekend=frozenset(_WEEKDAYS.index(one_of(one, _WEEKDAYS, place)) for one in row["weekend"].split()),
        holidays=tuple(row["holidays"].split()), part=row["part"], announced_to=int(year) if year else None,
        named_by_law=yes_no(row["named_by_law"], place), make_up=yes_no(row["make_up"], place),
        also=frozenset((int(one[:2]), int(one[3:])) for one in row["also"].split()),
        offices_open=frozenset(one for one in (row["offices_open"],) if one), note=row["note"],
        source=row["source"], confidence=confidence(row["confidence"], place),
    )  # fmt: skip


def _no_calendar(jurisdiction: str) -> Calendar:
    return Calendar(
        jurisdiction=jurisdiction, zone="UTC", weekend=frozenset(), holidays=(), part="", announced_to=None,
        named_by_law=False, make_up=False, also=frozenset(), offices_open=frozenset(), note="", source="",
        confidence=Confidence.LOW, known=False,
    )  # fmt: skip
