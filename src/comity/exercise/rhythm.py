"""When people pay: hours of the local day and days of the local week, over the ninety days before the report.

The dates are fixed: the exercise has no clock. All moments are microseconds since 1970 in UTC, whole
milliseconds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

MILLISECOND = 1_000
SECOND = 1_000 * MILLISECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

REPORTED_AT = datetime(2025, 6, 18, 0, 45, tzinfo=UTC)
"""A Tuesday, quarter to six in the afternoon in Vancouver; Wednesday morning in Asia."""
REPORTED = int(REPORTED_AT.timestamp()) * SECOND
SCHEME_STARTS = REPORTED - 40 * MINUTE
BEGINS = REPORTED - 45 * MINUTE - 90 * DAY
_SLOTS = (REPORTED - BEGINS + HOUR - 1) // HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Weights of the 24 local hours and of the days Monday to Sunday."""

    hours: tuple[int, ...]
    weekdays: tuple[int, ...]


SHOPPING = Pattern(
    hours=(1, 1, 0, 0, 0, 1, 4, 10, 16, 14, 15, 20, 30, 26, 18, 17, 20, 28, 34, 32, 24, 16, 8, 3),
    weekdays=(9, 9, 9, 10, 12, 14, 12),
)
OFFICE = Pattern(
    hours=(0, 0, 0, 0, 0, 0, 0, 1, 6, 14, 18, 16, 8, 12, 16, 15, 10, 4, 1, 0, 0, 0, 0, 0),
    weekdays=(10, 10, 10, 10, 11, 1, 0),
)
PRIVATE = Pattern(
    hours=(3, 1, 1, 0, 0, 1, 3, 6, 9, 10, 11, 12, 14, 12, 11, 11, 12, 14, 17, 19, 19, 16, 11, 6),
    weekdays=(10, 10, 10, 10, 12, 12, 11),
)


def moments(
    rng: np.random.Generator, count: int, pattern: Pattern, *, utc_offset_hours: int, spare_hours: int = 0
) -> Ints:
    """Draw `count` moments in the local rhythm, none in the last `spare_hours` before the report."""
    starts = BEGINS + HOUR * np.arange(_SLOTS, dtype=np.int64)
    lengths = np.minimum(starts + HOUR, REPORTED) - starts
    local_hours = starts // HOUR + utc_offset_hours
    weekdays = (local_hours // 24 + 3) % 7  # 1970-01-01 was a Thursday
    weights = (
        np.array(pattern.hours)[local_hours % 24] * np.array(pattern.weekdays)[weekdays] * (lengths / HOUR)
    )
    if spare_hours:
        weights[starts + HOUR > REPORTED - spare_hours * HOUR] = 0.0
    edges = np.cumsum(weights)
    slots = np.searchsorted(edges, rng.random(count) * edges[-1], side="right")
    inside = (rng.random(count) * (lengths[slots] // MILLISECOND)).astype(np.int64)
    return np.asarray(starts[slots] + inside * MILLISECOND, dtype=np.int64)


def paydays(day_of_month: int, *, utc_offset_hours: int) -> tuple[int, ...]:
    """Return eight in the local morning of each payday of the ninety days; a weekend pays on its Friday."""
    first = datetime.fromtimestamp(BEGINS // SECOND, tz=UTC)
    found = []
    for month in range(first.month, REPORTED_AT.month + 1):
        date = datetime(REPORTED_AT.year, month, day_of_month, tzinfo=UTC)
        date -= timedelta(days=max(0, date.weekday() - 4))
        moment = int(date.timestamp()) * SECOND + (8 - utc_offset_hours) * HOUR
        if BEGINS <= moment < REPORTED - DAY:
            found.append(moment)
    return tuple(found)


def soon(rng: np.random.Generator, after: Ints, *, within_minutes: int) -> Ints:
    """Draw a moment after each given one, at least a second and at most `within_minutes` later."""
    wait = rng.integers(SECOND, within_minutes * MINUTE, size=after.size) // MILLISECOND * MILLISECOND
    return np.asarray(after + wait, dtype=np.int64)
