"""How much one customer may ask for: so many requests a second, with a reserve for bursts. Pure; memory is bounded."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

CAPACITY = 10_000


class Allowance:
    """`rate` requests a second and key, `reserve` at once; `clock` counts seconds and never goes back.

    A rate of 0 allows everything. Past `CAPACITY` keys the one that asked longest ago starts anew.
    """

    def __init__(self, rate: float, *, reserve: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._reserve = reserve
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def allows(self, key: str) -> bool:
        """Take one request from the allowance of `key`; False if there is none left."""
        if not self._rate:
            return True
        with self._lock:
            now = self._clock()
            left, last = self._left.pop(key, (self._reserve, now))
            left = min(self._reserve, left + (now - last) * self._rate)
            allowed = left >= 1.0
            self._left[key] = (left - 1.0 if allowed else left, now)
            if len(self._left) > CAPACITY:
                self._left.popitem(last=False)
            return allowed
