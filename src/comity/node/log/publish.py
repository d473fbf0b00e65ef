"""Publish this node's log: the events of the database, under the log's own key, at ticks that tell little.

The log is public, its events are not. Published event by event, size and time of its checkpoints would still
tell when this node works and how much. So a running node signs at the ticks of a cadence only, each time growing
the log by a multiple of a pad; what is missing is filled up with events that stand for nothing (`log.padding`).
They are genuine: stored and committed to like all others, so that the log holds nothing that could not be opened,
and no reader of events is shown them. What this hides and what not: spec/log.md §5.1.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from comity.backends.sql import SqlEventStore
from comity.backends.sql.events import PADDING, sealed
from comity.ledger import Publisher
from comity.ledger.publish import GROWTH_LIMIT
from comity.model import Event
from comity.node.bootstrap import Node
from comity.node.log.rollback import refuse_contradicted
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.note import KeySigner, verifier_of


def log_signer(node: Node) -> KeySigner:
    """The log's own key; its name is the log's origin."""
    return KeySigner(name=f"{node.id}/log", private=node.keys.log)


def publish_log(node: Node) -> Checkpoint | None:
    """Publish all there is, now and without padding: at the start, and when somebody asks for it.

    Heals whatever a crash left of the files.
    """
    signer = log_signer(node)
    refuse_contradicted(node, verifier_of(signer))
    publisher, store = Publisher(SqlEventStore(node.records), node.log, signer), SqlEventStore(node.records)
    size = store.size()
    checkpoint = publisher.publish(now=node.clock())
    while checkpoint is not None and checkpoint.size < size:
        checkpoint = publisher.publish(now=node.clock())
    return checkpoint


def heal_log(node: Node) -> None:
    """Make the files what the published checkpoint says, and publish nothing: before anybody is served."""
    signer = log_signer(node)
    refuse_contradicted(node, verifier_of(signer))
    Publisher(SqlEventStore(node.records), node.log, signer).publish(now=node.clock(), limit=0)


@dataclass(slots=True)
class Publishing:
    """The log of a running node: `step` as often as you like, it publishes at ticks. For one thread.

    Cadence and pad are settings (`log_cadence_ms`, `log_padding`). `log_heartbeat`: after so many ticks without
    an event the log grows by one pad all the same, so that silence does not show either; 0 for never.
    """

    node: Node
    monotonic: Callable[[], float] = time.monotonic
    _publisher: Publisher = field(init=False)
    _tick: int = field(default=-1, init=False)
    _silent: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._publisher = Publisher(SqlEventStore(self.node.records), self.node.log, log_signer(self.node))

    def step(self) -> bool:
        """Publish what is new if a tick has passed since the last; True if the log grew.

        The ticks are those of a steady clock: neither events nor a clock that is set moves them.
        """
        tick = int(self.monotonic() * 1000) // self.node.settings.log_cadence_ms
        if tick == self._tick:
            return False
        grew = self._grow(beat=0 < self.node.settings.log_heartbeat <= self._silent + 1)
        self._tick = tick  # only now: what failed is tried again at once, as often as the caller steps
        self._silent = 0 if grew else self._silent + 1
        return grew

    def _grow(self, *, beat: bool) -> bool:
        refuse_contradicted(self.node, verifier_of(log_signer(self.node)))
        before = self._publisher.size
        if before is None:
            found = self._publisher.publish(now=self.node.clock(), limit=0)
            before = found.size if found is not None else 0
        target = self._filled_up(before, beat=beat)
        if target == before:
            return False
        pad = self.node.settings.log_padding
        limit = min(target - before, GROWTH_LIMIT - GROWTH_LIMIT % pad)
        self._publisher.publish(now=self.node.clock(), limit=limit)
        return True

    def _filled_up(self, published: int, *, beat: bool) -> int:
        """The size to publish: a multiple of the pad beyond what is published, made up with padding if need be."""
        pad = self.node.settings.log_padding
        with self.node.records.reading() as tx:
            fresh = tx.events.size() - published
        if fresh <= 0 and not beat:
            return published
        if fresh > 0 and fresh % pad == 0:
            return published + fresh
        with self.node.records.transaction() as tx:
            fresh = tx.events.size() - published
            missing = -fresh % pad or (pad if fresh == 0 else 0)
            return tx.events.append_all([sealed(self._padding()) for _ in range(missing)])

    def _padding(self) -> Event:
        node = self.node
        return Event(
            id=node.new_id("event"), at=node.clock(), kind=PADDING, case_id="", actor="node", body={}
        )
