"""Times that a file writes without an offset: they count only in a zone that somebody named. Nothing is guessed.

A local time that the zone's clocks showed twice or never is refused. A date without a time is the first moment of
that day, and as many microseconds later as there were entries of that day before it, so that a statement's order
stays.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from comity.errors import InputError

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)?", re.ASCII)
_SAYS_OFFSET = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)\Z", re.ASCII)
_NEEDS_ZONE = "a time with its offset, or the zone of such times (--zone Europe/Berlin)"


@dataclass(frozen=True, slots=True)
class Zone:
    """Where local times of a file are from."""

    tz: tzinfo

    @classmethod
    def named(cls, name: str) -> "Zone":
        """From a name of the IANA time zone database (`Asia/Bangkok`) or an offset (`+07:00`, `Z`)."""
        if name == "Z":
            return cls(UTC)
        offset = _OFFSET.fullmatch(name)
        if offset and int(offset[2]) <= 14 and int(offset[3]) <= 59:
            span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
            return cls(timezone(-span if offset[1] == "-" else span))
        try:
            return cls(ZoneInfo(name))
        except (ValueError, OSError, KeyError) as error:
            raise InputError.because(
                expected="a time zone such as Europe/Berlin, +07:00 or Z", got=repr(name[:60]), where="--zone"
            ) from error


def instant(text: str, zone: Zone | None) -> str:
    """A date with a time, as the contract writes it; one with an offset is left as it is."""
    if _SAYS_OFFSET.search(text[16:]):
        return text
    if not _LOCAL.fullmatch(text):
        raise InputError.because(expected="a date and time such as 2025-06-01T10:00:00", got=repr(text[:40]))
    if zone is None:
        raise InputError.because(expected=_NEEDS_ZONE, got=repr(text))
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError.because(expected="a date and time that there is", got=repr(text)) from error
    return in_zone(local, zone)


def in_zone(local: datetime, zone: Zone | None) -> str:
    """A local time (without an offset) of that zone."""
    if zone is None:
        raise InputError.because(expected=_NEEDS_ZONE, got=local.isoformat())
    first, second = local.replace(tzinfo=zone.tz), local.replace(tzinfo=zone.tz, fold=1)
    if first.utcoffset() != second.utcoffset():
        raise InputError.because(
            expected=f"a time that clocks in {zone.tz} showed once",
            got=f"{local.isoformat()}, shown twice or never",
        )
    return _utc(first)


def day(text: str, zone: Zone | None, order: int = 0) -> str:
    """The first moment of a date, in the offset it has or in `zone`, and `order` microseconds."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise InputError.because(expected="a date such as 2025-06-01", got=repr(text[:40]))
    in_force = Zone.named(found[2]) if found[2] else zone
    if in_force is None:
        raise InputError.because(
            expected="the zone of dates without a time (--zone Europe/Berlin)", got=repr(text)
        )
    try:
        midnight = datetime.fromisoformat(found[1]).replace(tzinfo=in_force.tz)
    except ValueError as error:
        raise InputError.because(expected="a date that there is", got=repr(text[:40])) from error
    return _utc(midnight, order)


def day_of(text: str) -> date | None:
    """The date with which a date or a time begins; None if there is none."""
    try:
        return date.fromisoformat(text[:10]) if _DAY.fullmatch(text[:10]) else None
    except ValueError:
        return None


def _utc(local: datetime, microseconds: int = 0) -> str:
    try:
        found = local.astimezone(UTC) + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise InputError.because(expected="a year from 1 to 9999", got=local.isoformat()) from error
    return found.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
