"""What one process remembers to keep its pace: of each peer's alarms and messages, and of the next tick.

Forgetting it at a restart is harmless: what else is about one message is the database's to know.
"""

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ALARMS_A_MINUTE = 30
MESSAGES_A_MINUTE = 60_000
"""Generous: no honest member comes near. A member that floods us waits, and keeps nobody else out."""
BYTES_A_MINUTE = 1 << 30
"""The same for the bytes of their envelopes."""
MOST_REMEMBERED = 10_000
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Alarms:
    """At most so many alarm events a minute from each peer: none can fill our log, or drown another's alarm."""

    _peers: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self, peer: str, now: datetime) -> bool:
        with self._lock:
            since, count = self._peers.get(peer, (now, 0))
            if abs(now - since) > timedelta(minutes=1):
                since, count = now, 0
            self._peers[peer] = (since, count + 1)
            return count < ALARMS_A_MINUTE


@dataclass(slots=True)
class Evidence:
    """Alarms over what a peer signed and cannot deny: each piece once, whatever else the peer sends.

    They have a budget of their own for each kind of it, so that neither junk nor a lesser matter keeps one out.
    """

    _alarms: Alarms = field(default_factory=Alarms)
    _known: dict[str, None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self, peer: str, kind: str, digest: str, now: datetime) -> bool:
        """True if it is to be recorded; if that fails, `forget` it."""
        with self._lock:
            if digest in self._known or not self._alarms.allow(f"{peer} {kind}", now):
                return False
            self._known[digest] = None
            while len(self._known) > MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            return True

    def forget(self, digests: Iterable[str]) -> None:
        with self._lock:
            for digest in digests:
                self._known.pop(digest, None)


@dataclass(slots=True)
class Unread:
    """Heads of queues that their receivers answer without taking or refusing them: how often, and since when.

    A restart counts anew: then it is given up later, never too soon.
    """

    _heads: dict[tuple[str, str], tuple[str, int, datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, compact: str, peer: str, message: str, now: datetime) -> tuple[int, datetime]:
        """One more such answer: how many by now, and when the first came."""
        with self._lock:
            known, count, since = self._heads.get((compact, peer), (message, 0, now))
            if known != message:
                count, since = 0, now
            self._heads[compact, peer] = (message, count + 1, since)
            return count + 1, since


@dataclass(slots=True)
class Rates:
    """A token bucket a peer: so many messages a minute, all of them at once if it has rested for a minute."""

    a_minute: int = MESSAGES_A_MINUTE
    _peers: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, peer: str, messages: int, seconds: float) -> int:
        """0, and they are counted; or the whole seconds to wait. `seconds` is a monotonic clock's reading."""
        with self._lock:
            room, at = self._peers.get(peer, (float(self.a_minute), seconds))
            room = min(float(self.a_minute), room + (seconds - at) * self.a_minute / 60)
            short = min(messages, self.a_minute) - room
            self._peers[peer] = (room if short > 0 else room - messages, seconds)
            return math.ceil(short * 60 / self.a_minute) if short > 0 else 0


@dataclass(slots=True)
class Telling:
    """When outcomes are told: at the tick after the first of them was seen to wait, or once there are many."""

    _since: datetime | None = None

    def due(self, now: datetime, *, waiting: int, many: int, tick: timedelta) -> bool:
        if not waiting:
            self._since = None
            return False
        self._since = min(self._since or now, now)
        if waiting < many and now < next_tick(self._since, _EPOCH, tick):
            return False
        self._since = None
        return True


def next_tick(now: datetime, start: datetime, tick: timedelta) -> datetime:
    """The first of `start`, `start + tick`, … that is after `start` and not before `now`; `now` without ticks."""
    if not tick:
        return now
    return start + max(1, -(-(now - start) // tick)) * tick


@dataclass(slots=True)
class Pace:
    """All of it, for one node's process."""

    alarms: Alarms = field(default_factory=Alarms)
    evidence: Evidence = field(default_factory=Evidence)
    unread: Unread = field(default_factory=Unread)
    rates: Rates = field(default_factory=Rates)
    bytes: Rates = field(default_factory=lambda: Rates(BYTES_A_MINUTE))
    telling: Telling = field(default_factory=Telling)
