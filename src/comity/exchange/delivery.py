"""When to try again, and what an attempt's outcome means. Pure.

A message leaves the queue only by a signed receipt, by a refusal that no repetition can change, or by
expiring: nothing is dropped before that, whatever a proxy in between may answer. Waiting grows exponentially
to a ceiling with full jitter (each wait uniform between 0 and the bound), so that a peer that wakes is not
met by everybody at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

PERMANENT = frozenset({400, 403, 409, 413, 415, 422})
"""The peer read it and will say the same again: quarantined with an alarm, so that it blocks no queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Bounds of waiting: `first` doubles with each attempt up to `ceiling`."""

    first: timedelta = timedelta(milliseconds=200)
    ceiling: timedelta = timedelta(minutes=5)

    def bound(self, attempts: int) -> timedelta:
        """The longest wait after `attempts` failed attempts (1 or more)."""
        doublings = min(max(attempts, 1) - 1, 60)
        seconds = self.first.total_seconds() * 2**doublings
        return min(self.ceiling, timedelta(seconds=min(seconds, self.ceiling.total_seconds())))


DEFAULT_BACKOFF = Backoff()


class Next(StrEnum):
    """What becomes of a queued message."""

    ACCEPTED = "accepted"
    """The receiver signed that it has it."""
    RETRY = "retry"
    REFUSED = "refused"
    """For good: keep the reason, raise an alarm, go on with the next message."""
    UNDELIVERED = "undelivered"
    """Expired on our side: sign an undelivered receipt for our own record."""


def next_attempt(
    attempts: int, now: datetime, random: float, *, backoff: Backoff = DEFAULT_BACKOFF
) -> datetime:
    """When to try again after `attempts` failures; `random` is a fresh number in [0, 1)."""
    return now + backoff.bound(attempts) * random


def after_attempt(
    status: int | None,
    *,
    receipt_holds: bool,
    expires: datetime,
    now: datetime,
    permanent: frozenset[int] = PERMANENT,
) -> Next:
    """Decide what follows one attempt, answered with HTTP `status` (None: no answer).

    `receipt_holds`: the answer carried a receipt that verified, was for this very envelope, and says that the
    peer has it (not `refused`). A 2xx without one may come from anything in between, so it is tried again:
    the receiver answers a duplicate with the receipt it gave first. So are 401, 421 and 425 (`refusals`: the
    peer may join our key, or its clock catch up), 404 (a proxy without its node), 429 and 5xx.
    """
    if status is not None and 200 <= status < 300 and receipt_holds:
        return Next.ACCEPTED
    if status in permanent:
        return Next.REFUSED
    return Next.UNDELIVERED if expires <= now else Next.RETRY
