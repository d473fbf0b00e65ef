"""When to try again, and what an attempt's outcome means. Pure.

A message leaves the queue by a receipt that its receiver signed for this very envelope, accepting it or refusing
it for good, or by expiring, or as unreadable: after many answers over hours that neither take nor refuse it
(`unread`), since it would hold up all that is behind it. Nothing is dropped before that, and each is told.
Waiting grows exponentially to a ceiling with full jitter (each wait uniform between 0 and the bound), so that a
peer that wakes is not met by everybody at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comity.exchange.receipt import Receipt, Status

PERMANENT = frozenset({400, 403, 409, 413, 415, 422})
"""With a signed refusal: the peer read it and will say the same again. It is quarantined, and blocks no queue."""
DAMAGED = frozenset({"sealing.digest"})
"""Refusals that a change on the way explains as well as a fault of ours: tried again, `MOST_DAMAGED` times."""
MOST_DAMAGED = 5
PASSING = frozenset({401, 408, 421, 424, 425, 429, 502, 503, 504, 507})
"""Statuses that say: not now, or not yet. Whatever else without a signed receipt says that it cannot be read."""
UNREAD_ALARM = 10
"""After so many such answers to one message people are told: it holds up all that is behind it."""
UNREAD_MOST = 30
UNREAD_FOR = timedelta(hours=2)
"""After so many of them, and not sooner than this, it is given up, so that what is behind it may go."""
LONGEST_WAIT = timedelta(minutes=5)
"""Between two attempts."""
LONGEST_TICK = timedelta(minutes=1)
"""Before the first: a reply leaves at a tick."""
LIFETIME = timedelta(days=30)
"""How long a message waits for a peer that is away before it is given up as undelivered."""
LIFETIMES: Mapping[str, timedelta] = {"trace_and_hold.request": timedelta(hours=72)}
"""Where it is less: who asks must hear in good time that nobody will answer, and ask elsewhere."""


def lifetime(message_type: str) -> timedelta:
    return LIFETIMES.get(message_type, LIFETIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Bounds of waiting: `first` doubles with each attempt up to `ceiling`."""

    first: timedelta = timedelta(milliseconds=200)
    ceiling: timedelta = LONGEST_WAIT

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


def wait_as_told(seconds: str, now: datetime) -> datetime | None:
    """When a peer that answered with `Retry-After: seconds` wants to be asked again; at most `LONGEST_WAIT`."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 9):
        return None
    return now + min(timedelta(seconds=int(seconds)), LONGEST_WAIT)


def after_attempt(
    status: int | None, receipt: Receipt | None, *, attempts: int, expires: datetime, now: datetime
) -> Next:
    """Decide what follows one attempt, answered with `status` for this envelope (None: no answer).

    `receipt` is None unless it verified and is for this very envelope. A status alone may come from anything in
    between, so it is tried again: the receiver answers a duplicate with the receipt it gave first. So are 401,
    421 and 425 (`refusals`: the peer may come to know our key, or its clock catch up) and 424 (it stopped
    before this one). `attempts` counts those before this one.
    """
    if receipt is not None and receipt.status is Status.REFUSED:
        damaged = receipt.reason_code in DAMAGED and attempts < MOST_DAMAGED
        if status in PERMANENT and not damaged:
            return Next.REFUSED
    elif receipt is not None and status is not None and 200 <= status < 300:
        return Next.ACCEPTED
    return Next.UNDELIVERED if expires <= now else Next.RETRY


def unread(status: int | None) -> bool:
    """Whether an answer without a receipt that counts says that this message cannot be read, now or later."""
    return status is not None and status >= 400 and status not in PASSING


def given_up(count: int, since: datetime, now: datetime) -> bool:
    """Whether a message that was answered so (`unread`) `count` times, first at `since`, is given up."""
    return count >= UNREAD_MOST and now - since >= UNREAD_FOR
