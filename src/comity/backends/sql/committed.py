"""Tell the node's own loops that something was committed, so that nothing waits for the next look.

Nothing depends on hearing it: every loop also looks by itself now and then, since another process may write too.
"""

import threading
from collections.abc import Callable, Collection

OUTBOX = "outbox"
"""A message was queued, or a queue woken."""
INBOX = "inbox"
"""A message was taken, or its sender is to be told what became of it."""
CASES = "cases"
"""A case is to be followed."""


class Committed:
    """Whom to call after a commit, by what it brought. What is called must be quick and must not raise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, list[Callable[[], object]]] = {}

    def on(self, news: str, call: Callable[[], object]) -> None:
        with self._lock:
            self._calls[news] = [*self._calls.get(news, []), call]

    def off(self, news: str, call: Callable[[], object]) -> None:
        with self._lock:
            self._calls[news] = [one for one in self._calls.get(news, []) if one != call]

    def tell(self, news: Collection[str]) -> None:
        for name in news:
            for call in self._calls.get(name, ()):
                call()
