"""Run a node: serve peers and people, and keep its work going until it is told to stop.

Every loop is a thread that takes its work from the database, so that a killed process leaves nothing in
memory that matters: the next start goes on where the last transaction ended.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from comity.backends.courier import PeerCourier
from comity.backends.key_files import client_context
from comity.errors import ComityError
from comity.node.ask import pursue_all
from comity.node.bootstrap import Node, passphrase
from comity.node.deliver import deliver
from comity.node.hear import hear
from comity.node.prove import Cosigning, publish_log
from comity.node.sweep import sweep

log = structlog.get_logger()
BUSY_SECONDS = 0.05
IDLE_SECONDS = 0.25
"""After the last thing there was to do a loop looks again soon, then less and less often, up to this."""
TROUBLE_SECONDS = 2.0


@dataclass(slots=True)
class Runner:
    """The node's own work, in threads: hearing and pursuing, delivering to each peer, proving."""

    node: Node
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Publish what a crash may have left, then start the loops."""
        publish_log(self.node)
        self._loop("work", lambda: work(self.node))
        courier = self._courier()
        cosigning = Cosigning()
        self._loop("prove", lambda: prove(self.node, courier, cosigning))
        if self.node.in_compact():
            for member in self.node.compact().members:
                if member.id != self.node.id:
                    self._deliver_to(member.id)

    def stop(self) -> None:
        """Let every loop finish what it is doing."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _deliver_to(self, peer: str) -> None:
        courier = self._courier()
        self._loop(
            f"deliver-{peer}",
            lambda: deliver(self.node, peer, courier, random=random.SystemRandom().random()),
        )

    def _courier(self) -> PeerCourier:
        keys, secret = self.node.home.keys, passphrase(self.node.home)
        return PeerCourier(lambda member: client_context(keys, secret, member.tls_certificate))

    def _loop(self, name: str, step: Callable[[], bool]) -> None:
        thread = threading.Thread(target=self._repeat, args=(name, step), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _repeat(self, name: str, step: Callable[[], bool]) -> None:
        pause = 0.0
        while not self._stop.is_set():
            try:
                pause = 0.0 if step() else min(IDLE_SECONDS, max(BUSY_SECONDS, pause * 1.5))
            except ComityError as error:
                log.warning("will try again", loop=name, code=error.code, problem=str(error))
                pause = TROUBLE_SECONDS
            except Exception:
                log.exception("will try again", loop=name)
                pause = TROUBLE_SECONDS
            self._stop.wait(pause)


def work(node: Node) -> bool:
    """Hear messages, pursue cases, let deadlines come due; True if there was anything to do."""
    return bool(hear(node) + pursue_all(node) + sweep(node))


def prove(node: Node, courier: PeerCourier, cosigning: Cosigning) -> bool:
    """Publish what is new and have it cosigned; False: look again after a pause."""
    with node.records.reading() as tx:
        waiting = tx.events.any_waiting()
    if waiting or cosigning.unpublished:
        cosigning.unpublished = True  # until it is done: a full disk may stop it half-way
        publish_log(node)
        cosigning.unpublished = False
    if node.in_compact():
        cosigning.gather(node, courier)
    return False
