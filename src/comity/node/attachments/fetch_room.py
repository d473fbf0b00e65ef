"""Fetch from several peers at once: a thread for each that has something due, and none for the others.

A node that accepts no connections brings what it offers in the same way.

A peer that drags keeps its own thread and no other's; a few dozen of them at once would have to agree to.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from comity.backends.attachment_courier import AttachmentCourier
from comity.errors import ComityError
from comity.node.attachments.attach import tidy
from comity.node.attachments.fetch import Fetching
from comity.node.attachments.push import Pushing
from comity.node.bootstrap import Node

log = structlog.get_logger()
MOST_AT_ONCE = 16
TIDY_SECONDS = 600.0
TROUBLE_SECONDS = 5.0


@dataclass(slots=True)
class FetchRoom:
    """`courier` makes a connection of its own for each peer."""

    node: Node
    courier: Callable[[], AttachmentCourier]
    stopping: threading.Event
    _working: dict[str, Fetching | Pushing] = field(default_factory=dict)
    _threads: dict[str, threading.Thread] = field(default_factory=dict)
    _tidied: float | None = None

    def look(self) -> int:
        """Start what is due; return how many threads were started."""
        self._tidy()
        self._threads = {name: one for name, one in self._threads.items() if one.is_alive()}
        due = [name for name in self._names() if name not in self._threads and self._working[name].due()]
        due = due[: MOST_AT_ONCE - len(self._threads)]
        for name in due:
            thread = threading.Thread(target=self._work, args=(name,), name=name, daemon=True)
            self._threads[name] = thread
            thread.start()
        return len(due)

    def stop(self) -> None:
        """Let every thread finish the slice that it is at."""
        for thread in self._threads.values():
            thread.join(timeout=30)

    def _names(self) -> list[str]:
        """`fetch-<peer>` and `push-<peer>`, of all who have or want something."""
        with self.node.records.reading() as tx:
            fetch = tx.attachments.peers_to_fetch()
            push = () if self.node.settings.inbound else tx.attachments.peers_to_push()
        for peer in fetch:
            self._working.setdefault(f"fetch-{peer}", Fetching(self.node, peer))
        for peer in push:
            self._working.setdefault(f"push-{peer}", Pushing(self.node, peer))
        return [*(f"fetch-{peer}" for peer in fetch), *(f"push-{peer}" for peer in push)]

    def _work(self, name: str) -> None:
        courier, working = self.courier(), self._working[name]
        try:
            with self.node.records.alone(name) as mine:
                while mine and not self.stopping.is_set() and working.step(courier):
                    pass
        except ComityError as error:
            log.warning("will try again", loop=name, code=error.code, problem=str(error))
        except Exception:
            log.exception("will try again", loop=name)
            self.stopping.wait(TROUBLE_SECONDS)
        finally:
            courier.close()

    def _tidy(self) -> None:
        now = time.monotonic()
        if self._tidied is None or now - self._tidied > TIDY_SECONDS:
            self._tidied = now
            tidy(self.node)
