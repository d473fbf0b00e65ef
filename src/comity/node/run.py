"""Run a node: serve peers and people, and keep its work going until it is told to stop.

Every loop is a thread that takes its work from the database, so that a killed process leaves nothing in
memory that matters: the next start goes on where the last transaction ended. A commit that brings work wakes the
loop it is for (`Records.committed`); each loop also looks by itself, since another process may write too.
"""

import random
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import structlog

from comity.backends.attachment_courier import AttachmentCourier
from comity.backends.courier import PeerCourier
from comity.backends.sql.committed import CASES, INBOX, OUTBOX
from comity.errors import ComityError, Conflict, NetworkError
from comity.exchange import DEFAULT_BACKOFF
from comity.node.ask import pursue_all
from comity.node.attachments.fetch_room import FetchRoom
from comity.node.bootstrap import Node
from comity.node.hear import hear
from comity.node.log.prove import Cosigning
from comity.node.log.publish import Publishing
from comity.node.post.mailbox import Mailbox
from comity.node.post.room import TROUBLE_SECONDS, PostRoom
from comity.node.post.tell import tell
from comity.node.registers.mirrors import Upkeep, pinned_context, pins
from comity.node.registers.publish import make_good
from comity.node.sweep import sweep

log = structlog.get_logger()
PACE_SECONDS = 0.01
"""Between two looks of one loop: what comes in the meantime is done together."""
BUSY_SECONDS = 0.05
SWEEP_SECONDS = 0.25
"""Between two looks at what has come due."""
IDLE_SECONDS = 0.25
"""After the last thing there was to do a loop looks again soon, then less and less often, up to this."""


@dataclass(slots=True)
class Runner:
    """The node's own work, in threads: hearing and pursuing, delivering, fetching, proving."""

    node: Node
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _wakers: list[threading.Event] = field(default_factory=list)
    _collecting: set[str] = field(default_factory=set)
    _sweep_at: float = 0.0
    _post: PostRoom | None = None
    _fetch: FetchRoom | None = None
    _proving: "Proving | None" = None
    _upkeep: Upkeep | None = None

    def start(self) -> None:
        """Start the loops.

        Several processes may run on a PostgreSQL database, each loop in one of them at a time.
        """
        with self.node.records.alone("start") as mine:
            if not (mine or self.node.records.shared):
                raise Conflict.because(
                    expected="no other process that runs this node", got="one", where=str(self.node.home.path),
                    remedy="Stop the other one first; it may have been started with other ports.",
                )  # fmt: skip
        make_good(self.node)
        courier = self._courier()
        self._post = post = PostRoom(self.node, courier, self._stop)
        self._loop("work", self._work, wake_on=[INBOX, CASES])
        self._loop("post", post.look, wake_on=[OUTBOX])
        self._fetch = fetch = FetchRoom(self.node, self._attachment_courier, self._stop)
        self._loop("fetch", lambda: bool(fetch.look()), wake_on=[INBOX])
        self._proving = proving = Proving(self.node, courier)
        self._loop("prove", proving.step)
        self._upkeep = upkeep = Upkeep(self.node)
        self._loop("registers", upkeep.step)
        self._loop("cosign", proving.gather)
        if not self.node.settings.inbound:
            self._loop("collect", lambda: self._collect_from_new(courier))

    def stop(self) -> None:
        """Let every loop finish what it is doing."""
        self._stop.set()
        for waker in self._wakers:
            waker.set()
        for thread in self._threads:
            thread.join(timeout=30)
        if self._post is not None:
            self._post.stop()
        if self._fetch is not None:
            self._fetch.stop()
        if self._proving is not None:
            self._proving.close()
        if self._upkeep is not None:
            self._upkeep.close()

    def _work(self) -> bool:
        """`work`, but what comes due is looked at now and then only."""
        due = time.monotonic() >= self._sweep_at
        if due:
            self._sweep_at = time.monotonic() + SWEEP_SECONDS
        return work(self.node, sweeping=due)

    def _collect_from_new(self, courier: PeerCourier) -> bool:
        """A loop for each peer that has none yet: members join while we run. Those that left are not asked."""
        for peer_id in self.node.peers():
            if peer_id not in self._collecting:
                self._collecting.add(peer_id)
                collecting = Collecting(self.node, peer_id, courier, self._stop)
                self._loop(f"collect-{peer_id}", collecting.step, wait=False)
        return False

    def _courier(self) -> PeerCourier:
        node = self.node
        return PeerCourier(lambda one: pinned_context(node, one), version=lambda one: pins(node, one))

    def _attachment_courier(self) -> AttachmentCourier:
        return AttachmentCourier(lambda member: pinned_context(self.node, member))

    def _loop(
        self, name: str, step: Callable[[], bool], *, wake_on: Collection[str] = (), wait: bool = True
    ) -> None:
        waker = threading.Event()
        self._wakers.append(waker)
        for news in wake_on:
            self.node.records.committed.on(news, waker.set)
        thread = threading.Thread(target=self._repeat, args=(name, step, waker), name=name, daemon=True)
        if wait:
            self._threads.append(thread)
        thread.start()

    def _repeat(self, name: str, step: Callable[[], bool], waker: threading.Event) -> None:
        pause = 0.0
        while not self._stop.is_set():
            waker.clear()
            try:
                with self.node.records.alone(name) as mine:
                    busy = mine and step()
                pause = 0.0 if busy else min(IDLE_SECONDS, max(BUSY_SECONDS, pause * 1.5))
            except ComityError as error:
                log.warning("will try again", loop=name, code=error.code, problem=str(error))
                pause = self._rest()
            except Exception:
                log.exception("will try again", loop=name)
                pause = self._rest()
            self._stop.wait(PACE_SECONDS)
            waker.wait(max(0.0, pause - PACE_SECONDS))

    def _rest(self) -> float:
        """After trouble nothing wakes a loop but the end."""
        self._stop.wait(TROUBLE_SECONDS)
        return 0.0


@dataclass(slots=True)
class Collecting:
    """One mailbox of ours, polled for ever: at once while things come, less often while its keeper is away."""

    node: Node
    keeper_id: str
    courier: PeerCourier
    stopping: threading.Event
    _mailbox: Mailbox | None = None
    _failures: int = 0

    def step(self) -> bool:
        """False: the keeper is no member now, as its card says now; True: poll again."""
        keeper = self.node.peers().get(self.keeper_id)
        if keeper is None:
            return False
        if self._mailbox is None:
            self._mailbox = Mailbox(self.node, keeper)
        self._mailbox.keeper = keeper
        self._poll(self._mailbox)
        return True

    def _poll(self, mailbox: Mailbox) -> None:
        try:
            good = mailbox.collect(self.courier)
            self._failures = 0 if good or not mailbox.results else self._failures + 1
        except NetworkError as error:
            self._failures += 1
            if self._failures == 1:
                log.warning("will try again", loop=f"collect-{self.keeper_id}", problem=str(error))
        if self._failures:
            wait = DEFAULT_BACKOFF.bound(self._failures) * random.SystemRandom().random()
            self.stopping.wait(wait.total_seconds())


class Proving:
    """Publish what is new, at ticks, and have it cosigned: two loops, so that no witness moves a tick.

    First of all the witnesses are asked what they saw of our log: one that was put back to an older state must
    not grow again before that is found out. Who cannot be reached then is asked later (`Cosigning.gather`).
    """

    def __init__(self, node: Node, courier: PeerCourier) -> None:
        self._node = node
        self._courier = courier
        self._publishing = Publishing(node)
        self._cosigning = Cosigning()
        self._begun = False
        self._beginning = threading.Lock()

    def close(self) -> None:
        self._cosigning.close()

    def step(self) -> bool:
        """Publish if a tick has passed. False: look again after a pause."""
        self._begin()
        self._publishing.step()
        return False

    def gather(self) -> bool:
        """Ask the witnesses to cosign what is published. False: look again after a pause."""
        self._begin()
        self._cosigning.gather(self._node, self._courier)
        return False

    def _begin(self) -> None:
        """Whichever loop comes first; another process may have the other one."""
        with self._beginning:
            if not self._begun:
                self._cosigning.look_back(self._node, self._courier)
                self._begun = True


def work(node: Node, *, sweeping: bool = True) -> bool:
    """Hear messages, tell their senders, pursue cases, let deadlines come due; True if there was anything to do."""
    return bool(hear(node) + tell(node) + pursue_all(node) + (sweep(node) if sweeping else 0))
