"""Prove what was done: publish the log, have the peers cosign it, cosign theirs.

The log follows the database: an event is durable with what it records, gets its place here, and only then
is a checkpoint signed. Cosigning is no event (it would never end); what a witness saw is in its database.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from comity.backends.courier import PeerCourier
from comity.backends.sql import SqlEventStore, SqlWitnessStore
from comity.errors import NetworkError, TrustError
from comity.exchange import Member
from comity.ledger import (
    CHECKPOINT,
    Behind,
    LogRolledBack,
    TwoStories,
    WitnessAnswer,
    add_checkpoint,
    add_cosignatures,
    cosignatures_on,
    prove_growth,
    publish,
    read_answer,
    read_checkpoint,
    request_body,
)
from comity.node.bootstrap import Node
from comity.node.receive import Alarms
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.note import KeySigner, SignedNote, VerifierKey, verifier_of

log = structlog.get_logger()
MAX_TRIES = 3
REST = timedelta(seconds=2)
"""How long a witness that does not answer is left alone, so that it holds up nobody else."""


def log_signer(node: Node) -> KeySigner:
    """The log's own key; its name is the log's origin."""
    return KeySigner(name=f"{node.id}/log", private=node.keys.log)


def witness_signer(node: Node) -> KeySigner:
    return KeySigner(name=f"{node.id}/witness", private=node.keys.witness)


def publish_log(node: Node) -> Checkpoint | None:
    """Give new events their place and sign the tree. Heals whatever a crash left between the two."""
    return publish(SqlEventStore(node.records), node.log, log_signer(node), now=node.clock())


@dataclass(slots=True)
class Cosigning:
    """What this process remembers of the witnesses: the size each last cosigned. Forgetting is harmless."""

    known_size: dict[str, int] = field(default_factory=dict)
    rest_until: dict[str, datetime] = field(default_factory=dict)
    unpublished: bool = True
    settled: bytes | None = None
    """The published checkpoint, once everybody has cosigned it: there is nothing to do until it changes."""

    def gather(self, node: Node, courier: PeerCourier) -> None:
        """Ask each member that has not cosigned the published checkpoint to do so."""
        raw = node.log.read(CHECKPOINT)
        if raw is None or raw == self.settled:
            return
        published = read_checkpoint(node.log, verifier_of(log_signer(node)))
        if published is None:
            return
        checkpoint, note = published
        members = [member for member in node.compact().members if member.id != node.id]
        have = {each.key.name for each in cosignatures_on(note, [witness_key(one) for one in members])}
        missing = [member for member in members if witness_key(member).name not in have]
        for member in missing:
            resting = self.rest_until.get(member.id)
            if resting is None or resting <= node.clock():
                self._ask(node, courier, member, checkpoint, note)
        if not missing:
            self.settled = raw

    def _ask(
        self, node: Node, courier: PeerCourier, member: Member, checkpoint: Checkpoint, note: SignedNote
    ) -> None:
        try:
            for _ in range(MAX_TRIES):
                if self._ask_once(node, courier, member, checkpoint, note):
                    return
        except NetworkError:
            self.rest_until[member.id] = node.clock() + REST
        except LogRolledBack as error:
            self.rest_until[member.id] = node.clock() + REST
            record_rolled_back(node, member, error)
        except TrustError as error:
            self.rest_until[member.id] = node.clock() + REST
            log.warning("not cosigned", witness=member.id, problem=str(error))

    def _ask_once(
        self, node: Node, courier: PeerCourier, member: Member, checkpoint: Checkpoint, note: SignedNote
    ) -> bool:
        """tlog-witness: offer the growth since what the witness last cosigned; True when it is settled."""
        old = min(self.known_size.get(member.id, 0), checkpoint.size)
        proof = prove_growth(node.log, old, checkpoint.size)
        status, kind, body = courier.add_checkpoint(member, request_body(old, proof, note.encode()))
        witness = witness_key(member)
        answer = read_answer(status, kind, body, checkpoint=checkpoint, witnesses=[witness])
        if isinstance(answer, Behind):
            self.known_size[member.id] = answer.size
            if answer.size > checkpoint.size:
                raise_if_rolled_back(node, member, answer.size)
                return True
            return False
        self.known_size[member.id] = checkpoint.size
        add_cosignatures(
            node.log, answer.lines, on=checkpoint, log=verifier_of(log_signer(node)), witnesses=[witness]
        )
        return True


def raise_if_rolled_back(node: Node, member: Member, seen: int) -> None:
    """`LogRolledBack` if a witness cosigned a larger tree than we have: our log was put back (spec/log.md §7)."""
    published = read_checkpoint(node.log, verifier_of(log_signer(node)))
    if published is None or published[0].size < seen:
        have = published[0].size if published else 0
        raise LogRolledBack(f"{member.id} cosigned a tree of {seen} entries, ours has {have}")


def record_rolled_back(node: Node, member: Member, error: LogRolledBack) -> None:
    """Once for each witness and size: people must find out which of the two was put back."""
    with node.records.transaction() as tx:
        known = [one.body for one in tx.events.of_kinds(["alarm.log-rolled-back"])]
        if not any(one["witness"] == member.id and one["problem"] == str(error) for one in known):
            node.record(tx, "alarm.log-rolled-back", actor="node", witness=member.id, problem=str(error))


def cosign_peer(node: Node, body: bytes, *, connection: str, alarms: Alarms) -> WitnessAnswer:
    """Answer a peer's `add-checkpoint`. A log that tells two stories is recorded, with both signed notes."""
    logs = {key.name: key for key in (log_key(member) for member in node.compact().members)}
    answer = add_checkpoint(
        body, logs=logs, store=SqlWitnessStore(node.records), signer=witness_signer(node), now=node.clock()
    )
    if answer.evidence is not None and alarms.allow(connection, node.clock()):
        _record_two_stories(node, answer.evidence)
    return answer


def witness_key(member: Member) -> VerifierKey:
    return VerifierKey.parse(member.witness_key)


def log_key(member: Member) -> VerifierKey:
    return VerifierKey.parse(member.log_key)


def _record_two_stories(node: Node, evidence: TwoStories) -> None:
    with node.records.transaction() as tx:
        node.record(
            tx, "alarm.log-two-stories" if evidence.conclusive else "alarm.log-doubt", actor="node",
            origin=evidence.origin,
            trusted=evidence.trusted.decode("utf-8", "replace"),
            offered=evidence.offered.decode("utf-8", "replace"),
        )  # fmt: skip
