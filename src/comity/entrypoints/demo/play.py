"""Play the case: report it, watch the nodes, kill one in the middle, wait until everything has come to rest."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from comity.entrypoints.demo.cast import CAST, KILLED, ORIGIN
from comity.entrypoints.demo.stage import NodeDied, Stage
from comity.errors import ComityError
from comity.ledger import cosignatures_on, read_checkpoint
from comity.model import Event
from comity.node.bootstrap import Node
from comity.node.log.prove import log_signer, witness_key
from comity.node.report import report
from comity.node.request import RUNNING
from comity.proofs.canonical import parse_strict
from comity.proofs.note import verifier_of

PATIENCE_SECONDS = 120.0
DOWN_SECONDS = 1.0
LOOK_SECONDS = 0.2


class NeverRested(ComityError):
    """The nodes did not come to rest in time."""

    code = "demo.never-rested"
    remedy = "Keep the directory with --keep and read NODE/run.log of each node."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Something that happened on one node."""

    node: str
    event: Event


@dataclass(slots=True)
class Play:
    """What the play knows so far; `on_look` is called after every look."""

    stage: Stage
    on_look: Callable[["Play"], None]
    case_id: str = ""
    reported_at: datetime | None = None
    killed_at: datetime | None = None
    back_at: datetime | None = None
    seen: list[Seen] = field(default_factory=list)
    rested: bool = False
    _counts: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Start all nodes, report, and wait for the end. Raises `NodeDied` or `NeverRested`."""
        for actor in CAST:
            self.stage.start(actor.id)
        for actor in CAST:
            self.stage.wait_until_up(actor.id)
        self._report()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.rested:
            if time.monotonic() > deadline:
                raise NeverRested(f"still at work after {PATIENCE_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
            self._look()
            self._kill_once()
            self.rested = self.back_at is not None and at_rest(self.stage.nodes, self.case_id)
            self.on_look(self)

    def _report(self) -> None:
        document = parse_strict(self.stage.report.read_bytes(), where=str(self.stage.report))
        case = report(self.stage.nodes[ORIGIN], document, actor="demo")
        self.case_id, self.reported_at = case.id, case.reported_at

    def _look(self) -> None:
        for node_id, node in self.stage.nodes.items():
            process = self.stage.processes[node_id]
            if process.poll() is not None:
                raise NodeDied(f"{node_id} ended with status {process.returncode}")
            with node.records.reading() as tx:
                fresh = tx.events.after(self._counts.get(node_id, 0))
            for seq, event in fresh:
                self._counts[node_id] = seq
                self.seen.append(Seen(node=node_id, event=event))

    def _kill_once(self) -> None:
        """Kill the node as soon as it was asked, while it is at work on the answer; start it again."""
        if self.killed_at is not None or not self._was_asked(KILLED):
            return
        node = self.stage.nodes[KILLED]
        self.stage.kill(KILLED)
        self.killed_at = node.clock()
        self.on_look(self)
        time.sleep(DOWN_SECONDS)
        self.stage.start(KILLED)
        self.stage.wait_until_up(KILLED)
        self.back_at = node.clock()

    def _was_asked(self, node_id: str) -> bool:
        return any(
            one.node == node_id
            and one.event.kind == "message.received"
            and one.event.body["type"].endswith(".request")
            for one in self.seen
        )


def at_rest(nodes: dict[str, Node], case_id: str) -> bool:
    """Nothing queued, nothing unheard, nothing to pursue, no request running, every log cosigned by all."""
    for node in nodes.values():
        with node.records.reading() as tx:
            if tx.outbox.counts().get("queued") or tx.inbox.counts().get("received"):
                return False
            if tx.cases.to_pursue():
                return False
            if any(request.state in RUNNING for request in tx.requests.all()):
                return False
    with nodes[ORIGIN].records.reading() as tx:
        if not tx.requests.of_case(case_id):
            return False
    return all(len(cosigners(node)) == len(nodes) - 1 for node in nodes.values())


def cosigners(node: Node) -> Sequence[str]:
    """Ids of the members that cosigned this node's published checkpoint, if that covers all its events."""
    published = read_checkpoint(node.log, verifier_of(log_signer(node)))
    with node.records.reading() as tx:
        size = tx.events.size()
    if published is None or published[0].size != size:
        return ()
    keys = {witness_key(member): member.id for member in node.peers().values()}
    return [keys[each.key] for each in cosignatures_on(published[1], list(keys))]
