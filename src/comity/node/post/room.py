"""The post room of a running node: a thread for each queue that has something to deliver, and none for the others.

Which queues have work is read from the database, after each commit that may concern them and now and then. A
queue is in one thread at a time, also where several processes share a database (`Records.alone`).
"""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from comity.errors import ComityError
from comity.exchange import Courier, Queue
from comity.node.bootstrap import Node
from comity.node.post.deliver import deliver

log = structlog.get_logger()
MOST_THREADS = 1024
"""More than any node has queues: a peer that hangs never keeps another's queue waiting for a thread."""
TROUBLE_SECONDS = 2.0


@dataclass(slots=True)
class PostRoom:
    """`look` starts what may start; `stop` waits for what runs."""

    node: Node
    courier: Courier
    stopping: threading.Event
    _running: dict[Queue, bool] = field(default_factory=dict)
    """Queues in a thread; True if there was news while it ran, so that it looks once more before it ends."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="deliver")
    )

    def look(self) -> bool:
        """Give every queue whose time has come to a thread; False: look again later. Raises what the database
        raises.
        """
        with self.node.records.reading() as tx:
            queues = tx.outbox.queues(self.node.clock())
        for queue in queues:
            with self._lock:
                if queue in self._running:
                    self._running[queue] = True
                    continue
                self._running[queue] = False
            self._pool.submit(self._work, queue)
        return False

    def stop(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, queue: Queue) -> None:
        while not self.stopping.is_set():
            self._deliver_all(queue)
            with self._lock:
                if not self._running[queue]:
                    del self._running[queue]
                    return
                self._running[queue] = False
        with self._lock:
            self._running.pop(queue, None)

    def _deliver_all(self, queue: Queue) -> None:
        name = f"deliver-{queue.compact}-{queue.receiver}"
        try:
            with self.node.records.alone(name) as mine:
                while mine and not self.stopping.is_set() and self._deliver(queue):
                    pass
        except ComityError as error:
            log.warning("will try again", loop=name, code=error.code, problem=str(error))
            self.stopping.wait(TROUBLE_SECONDS)
        except Exception:
            log.exception("will try again", loop=name)
            self.stopping.wait(TROUBLE_SECONDS)

    def _deliver(self, queue: Queue) -> bool:
        return deliver(self.node, queue, self.courier, random=random.SystemRandom().random())
