"""Time and names under a test's control."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=50)


class Clock:
    """Moves by a tick at every look, and further when told. A node may be given a clock that goes wrong."""

    def __init__(self) -> None:
        self._now = START
        self._wrong: dict[str, timedelta] = {}

    def __call__(self) -> datetime:
        self._now += TICK
        return self._now

    def of(self, node_id: str) -> Callable[[], datetime]:
        return lambda: self() + self._wrong.get(node_id, timedelta())

    def advance(self, **more: float) -> None:
        self._now += timedelta(**more)

    def set_wrong(self, node_id: str, **by: float) -> None:
        self._wrong[node_id] = timedelta(**by)


class Ids:
    """`hold-hk-unit-0003`: the same run gives the same names, also when a node was started again."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def of(self, node_id: str) -> Callable[[str], str]:
        def new_id(kind: str) -> str:
            name = f"{kind}-{node_id}"
            self._counts[name] += 1
            return f"{name}-{self._counts[name]:04d}"

        return new_id
