"""Slow down guessing at the door: every failed attempt on a key doubles the wait before the next. Pure.

Bounded memory: past `capacity` keys the one with the fewest failures is forgotten, so that a flood of new
names cannot make us forget the one that is being guessed. The limit: somebody can keep another person out for
up to `ceiling` at a time by guessing at their name; that person's open sessions are not touched.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

FREE_ATTEMPTS = 4
FIRST_WAIT = 2.0
CEILING = 300.0
FORGET_AFTER = 3600.0
CAPACITY = 4096


@dataclass(slots=True)
class _Count:
    failures: int
    last: float


class Throttle:
    """`clock` counts seconds and never goes back (`time.monotonic`)."""

    def __init__(self, clock: Callable[[], float], *, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._counts: dict[str, _Count] = {}
        self._lock = Lock()

    def charge(self, *keys: str) -> float:
        """Count an attempt on every key and return 0, or return the seconds still to wait and count nothing.

        Counted before the password is looked at: attempts made at the same moment do not slip through.
        """
        with self._lock:
            now = self._clock()
            waiting = max((self._left(key, now) for key in keys), default=0.0)
            if waiting <= 0:
                for key in keys:
                    self._count(key, now)
            return waiting

    def refund(self, key: str) -> None:
        """Take back one attempt: it was a success, but earlier failures from there still count."""
        with self._lock:
            count = self._counts.get(key)
            if count is not None:
                count.failures -= 1
                if count.failures <= 0:
                    del self._counts[key]

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)

    def __len__(self) -> int:
        return len(self._counts)

    def _left(self, key: str, now: float) -> float:
        count = self._counts.get(key)
        if count is None or now - count.last > FORGET_AFTER or count.failures < FREE_ATTEMPTS:
            return 0.0
        wait = min(CEILING, FIRST_WAIT * 2.0 ** min(count.failures - FREE_ATTEMPTS, 30))
        return max(0.0, count.last + wait - now)

    def _count(self, key: str, now: float) -> None:
        count = self._counts.get(key)
        if count is not None and now - count.last <= FORGET_AFTER:
            count.failures, count.last = count.failures + 1, now
            return
        if count is None and len(self._counts) >= self._capacity:
            self._make_room(now)
        self._counts[key] = _Count(failures=1, last=now)

    def _make_room(self, now: float) -> None:
        stale = [key for key, count in self._counts.items() if now - count.last > FORGET_AFTER]
        for key in stale or [min(self._counts, key=self._worth)]:
            del self._counts[key]

    def _worth(self, key: str) -> tuple[int, float]:
        return self._counts[key].failures, self._counts[key].last


def address_key(host: str | None) -> str:
    """One key for one customer's line: an IPv4 address, or the /64 an IPv6 address is in."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return f"address {host or 'unknown'}"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return f"address {address.ipv4_mapped}"
        return f"address {ipaddress.ip_network((address, 64), strict=False)}"
    return f"address {address}"
