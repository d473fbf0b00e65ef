"""Threads of one process take turns at writing, in the order in which they came.

SQLite lets one write at a time and has the others poll, at pauses of up to 100 ms: whoever is unlucky polls for a
second while others come and go. Here each is woken when it is its turn. The database's own lock still decides, for
other processes too; a turn that does not come in time is not waited for any longer.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 5.0
"""Longer than any transaction takes. A thread that waits for itself goes on then, and the database refuses it."""


class Turns:
    """`with turns.mine():` around a write transaction."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._gate = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def mine(self) -> Iterator[None]:
        has_turn = self._take()
        try:
            yield
        finally:
            if has_turn:
                self._pass_on()

    def _take(self) -> bool:
        """Wait for our turn; False if it did not come in time."""
        with self._gate:
            if not self._taken:
                self._taken = True
                return True
            called = threading.Lock()
            called.acquire()
            self._waiting.append(called)
        try:
            if called.acquire(timeout=self._patience):
                return True
        except BaseException:
            if not self._leave(called):
                self._pass_on()
            raise
        return not self._leave(called)

    def _leave(self, called: threading.Lock) -> bool:
        """Wait no longer; False if it is our turn by now."""
        with self._gate:
            if called not in self._waiting:
                return False
            self._waiting.remove(called)
            return True

    def _pass_on(self) -> None:
        with self._gate:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
