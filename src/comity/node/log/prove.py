"""Prove what was done: have the log cosigned by the peers and by the witnesses of the policy; cosign the peers'.

The log follows the database: an event is durable with what it records, gets its place in `node.log.publish`, and only
then is a checkpoint signed. Cosigning is no event (it would never end); what a witness saw is in its database.
"""

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from comity.backends.courier import PeerCourier
from comity.backends.sql import SqlWitnessStore
from comity.backends.witness_client import HttpWitness, origin_id
from comity.errors import ComityError, InputError, NetworkError, TrustError
from comity.exchange import Member
from comity.ledger import (
    CHECKPOINT,
    Behind,
    Policy,
    TwoStories,
    WitnessAnswer,
    WitnessRefused,
    add_checkpoint,
    add_cosignatures,
    cosignatures_on,
    prove_growth,
    read_answer,
    read_checkpoint,
    request_body,
)
from comity.node.bootstrap import Node
from comity.node.log.publish import log_signer, publish_log
from comity.node.log.quorum import keep_witnessed, policy, policy_file
from comity.node.log.rollback import stop, weigh
from comity.node.log.witnesses import CosigningWitness, witness_key, witnesses_of
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.note import KeySigner, SignedNote, VerifierKey, parse_signatures, verifier_of

log = structlog.get_logger()
MAX_TRIES = 3
REST = timedelta(seconds=2)
"""How long a witness that does not answer is left alone, so that it holds up nobody else; doubled each time."""
LONGEST_REST = timedelta(minutes=2)
SLOW_SECONDS = 1.0
"""A witness that takes longer is asked last, and rests for as long as it took, ten times over."""

__all__ = ["Cosigning", "cosign_peer", "log_signer", "newest_seen", "publish_log", "witness_key"]


def witness_signer(node: Node) -> KeySigner:
    return KeySigner(name=f"{node.id}/witness", private=node.keys.witness)


@dataclass(slots=True)
class Cosigning:
    """What this process remembers of the witnesses, by the name of their key. Forgetting is harmless."""

    known_size: dict[str, int] = field(default_factory=dict)
    """The size each last cosigned."""
    rest_until: dict[str, datetime] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each last took to answer: the quick ones are asked first."""
    settled: tuple[bytes, bytes] | None = None
    """The published checkpoint and policy, once everybody has cosigned it: nothing to do until one changes."""
    looked: set[str] = field(default_factory=set)
    """Who has shown, since this process began, that the log was not put back while it was down."""
    _clients: dict[str, HttpWitness] = field(default_factory=dict)

    def gather(self, node: Node, courier: PeerCourier) -> None:
        """Ask each witness that has not cosigned the published checkpoint to do so.

        All are asked about one and the same checkpoint, however the log grows meanwhile, so that a quorum comes
        together on a log that never rests; it is kept as soon as it does.
        """
        raw = node.log.read(CHECKPOINT)
        asked = _policy_bytes(node)
        if raw is None or self.settled == (raw, asked):
            return
        published = read_checkpoint(node.log, verifier_of(log_signer(node)))
        if published is None:
            return
        checkpoint, note = published
        _keep(node, note)
        witnesses = self.look_back(node, courier)
        have = {each.key for each in cosignatures_on(note, [one.key for one in witnesses])}
        missing = [one for one in witnesses if one.key not in have]
        for witness in sorted(missing, key=lambda one: self.seconds.get(one.key.name, 0.0)):
            resting = self.rest_until.get(witness.key.name)
            if resting is None or resting <= node.clock():
                note = self._ask(node, witness, checkpoint, note)
        if not missing and len(self.looked) >= len(witnesses):
            self.settled = (raw, asked)

    def look_back(self, node: Node, courier: PeerCourier) -> Sequence[CosigningWitness]:
        """Ask each witness, once, what it saw of our log before this process began; return the witnesses."""
        witnesses = witnesses_of(node, courier, _policy_or_none(node), self._clients)
        for witness in witnesses:
            self._look_back(node, witness)
        return witnesses

    def close(self) -> None:
        """Close the connections to witnesses."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _look_back(self, node: Node, witness: CosigningWitness) -> None:
        """Once a process: what did this witness see of our log before? A backup may have been restored."""
        name = witness.key.name
        resting = self.rest_until.get(name)
        if name in self.looked or (resting is not None and resting > node.clock()):
            return
        try:
            ask_for_evidence(node, witness, "asked at the start")
        except NetworkError:
            self._rest(node, name)
        else:
            self.looked.add(name)

    def _ask(
        self, node: Node, witness: CosigningWitness, checkpoint: Checkpoint, note: SignedNote
    ) -> SignedNote:
        """The note, with this witness's cosignature if it gave one."""
        name, begun = witness.key.name, time.monotonic()
        try:
            for _ in range(MAX_TRIES):
                lines = self._ask_once(node, witness, checkpoint, note)
                if lines is not None:
                    note = _with_lines(note, lines)
                    break
            self.failures.pop(name, None)
        except WitnessRefused as error:
            self._rest(node, name)
            log.warning("not cosigned", witness=name, problem=str(error))
            with suppress(NetworkError):
                ask_for_evidence(node, witness, str(error))
        except (NetworkError, TrustError, InputError) as error:
            self._rest(node, name)
            if self.failures[name] == 1 or not isinstance(error, NetworkError):
                log.warning("not cosigned", witness=name, problem=str(error))
        self.seconds[name] = time.monotonic() - begun
        if self.seconds[name] > SLOW_SECONDS and name not in self.failures:
            self.rest_until[name] = node.clock() + timedelta(seconds=10 * self.seconds[name])
        _keep(node, note)
        return note

    def _ask_once(
        self, node: Node, witness: CosigningWitness, checkpoint: Checkpoint, note: SignedNote
    ) -> str | None:
        """tlog-witness: offer the growth since what the witness last cosigned. Lines, or None: ask again."""
        name = witness.key.name
        old = min(self.known_size.get(name, 0), checkpoint.size)
        proof = prove_growth(node.log, old, checkpoint.size)
        status, kind, body = witness.add_checkpoint(request_body(old, proof, _own_lines(note, node)))
        answer = read_answer(status, kind, body, checkpoint=checkpoint, witnesses=[witness.key])
        if isinstance(answer, Behind):
            self.known_size[name] = answer.size
            if answer.size > checkpoint.size:
                _look_ahead(node, witness, answer.size)
                return ""
            return None
        self.known_size[name] = checkpoint.size
        own = verifier_of(log_signer(node))
        add_cosignatures(node.log, answer.lines, on=checkpoint, log=own, witnesses=[witness.key])
        return answer.lines

    def _rest(self, node: Node, name: str) -> None:
        failures = self.failures[name] = self.failures.get(name, 0) + 1
        self.rest_until[name] = node.clock() + min(LONGEST_REST, REST * 2 ** min(failures - 1, 16))


def ask_for_evidence(node: Node, witness: CosigningWitness, claim: str) -> bool:
    """Let a witness show the newest checkpoint of ours that it saw. True if that proves that the log was put back.

    A checkpoint by our own key that our log does not continue proves it (or that the key was stolen): nothing is
    published any more. If the witness cannot show one, it is only its word. `NetworkError` if no answer came.
    """
    own = verifier_of(log_signer(node))
    shown = witness.newest_checkpoint(own.name)
    if shown is None:
        return False
    try:
        problem = weigh(node, shown, own)
    except (InputError, TrustError) as error:
        log.warning("the witness showed nothing that holds", witness=witness.key.name, problem=str(error))
        return False
    if problem:
        log.error("our log was put back", witness=witness.key.name, problem=problem, claim=claim)
        stop(node, shown, witness=witness.key.name, problem=problem)
    return bool(problem)


def cosign_peer(node: Node, body: bytes, *, connection: str) -> WitnessAnswer:
    """Answer a peer's `add-checkpoint` for a log of a compact that it is in too; others are not known.

    A log that tells two stories is recorded, with both signed notes.
    """
    logs = {key.name: key for key in (log_key(member) for member in _shown_to(node, connection))}
    answer = add_checkpoint(
        body, logs=logs, store=SqlWitnessStore(node.records), signer=witness_signer(node), now=node.clock()
    )
    if answer.evidence is not None:
        _record_once(node, answer.evidence, connection)
    return answer


def newest_seen(node: Node, log_id: str, *, caller: str) -> bytes | None:
    """The signed checkpoint that this node saw last of the log with that `origin_id`: what backs its word.

    None for a log of another compact than the caller's: who is in that is its members' business alone.
    """
    for member in _shown_to(node, caller):
        origin = log_key(member).name
        if origin_id(origin) == log_id:
            seen = SqlWitnessStore(node.records).newest(origin)
            return seen.note if seen else None
    return None


def _shown_to(node: Node, caller: str) -> list[Member]:
    """The other members of the compacts that `caller` is in, itself among them."""
    return [
        member
        for compact in node.compacts().values()
        if any(one.id == caller for one in compact.members)
        for member in compact.members
        if member.id != node.id
    ]


def log_key(member: Member) -> VerifierKey:
    return VerifierKey.parse(member.log_key)


def _look_ahead(node: Node, witness: CosigningWitness, seen: int) -> None:
    """A witness says that it cosigned a larger tree than we have: `TrustError`, unless we grew meanwhile."""
    published = read_checkpoint(node.log, verifier_of(log_signer(node)))
    have = published[0].size if published else 0
    if have >= seen:
        return
    claim = f"{witness.name} cosigned a tree of {seen} entries, ours has {have}"
    if not ask_for_evidence(node, witness, claim):
        _record_claim(node, witness, claim)
    raise TrustError(claim)


def _record_claim(node: Node, witness: CosigningWitness, claim: str) -> None:
    """Once for each witness and size: people must find out which of the two was put back."""
    with node.records.transaction() as tx:
        known = [one.body for one in tx.events.of_kinds(["alarm.log-rolled-back"])]
        if not any(one["problem"] == claim for one in known):
            node.record(tx, "alarm.log-rolled-back", actor="node", witness=witness.name, problem=claim)


def _keep(node: Node, note: SignedNote) -> None:
    """Keep the note if it meets the quorum. What is wrong with the policy is said by those who ask for it."""
    try:
        keep_witnessed(node, note)
    except (InputError, TrustError) as error:
        log.warning("no quorum can be kept", problem=str(error))


def _with_lines(note: SignedNote, lines: str) -> SignedNote:
    added = parse_signatures(lines) if lines else ()
    return SignedNote(text=note.text, signatures=(*note.signatures, *added))


def _own_lines(note: SignedNote, node: Node) -> bytes:
    """The note as the log alone signed it: who else did is not the witness's business."""
    name = log_signer(node).name
    own = tuple(line for line in note.signatures if line.name == name)
    return SignedNote(text=note.text, signatures=own).encode()


def _policy_or_none(node: Node) -> Policy | None:
    try:
        return policy(node)
    except ComityError:
        return None


def _policy_bytes(node: Node) -> bytes:
    try:
        return policy_file(node).read_bytes()
    except OSError:
        return b""


def _record_once(node: Node, evidence: TwoStories, connection: str) -> None:
    """Outside the budget of what is merely wrong: no junk keeps a proof out."""
    digest = hashlib.sha256(evidence.trusted + b"\0" + evidence.offered).hexdigest()
    kind = "two-stories" if evidence.conclusive else "doubt"
    if not node.pace.evidence.allow(connection, kind, digest, node.clock()):
        return
    try:
        _record_two_stories(node, evidence)
    except BaseException:
        node.pace.evidence.forget([digest])
        raise


def _record_two_stories(node: Node, evidence: TwoStories) -> None:
    with node.records.transaction() as tx:
        node.record(
            tx, "alarm.log-two-stories" if evidence.conclusive else "alarm.log-doubt", actor="node",
            origin=evidence.origin,
            trusted=evidence.trusted.decode("utf-8", "replace"),
            offered=evidence.offered.decode("utf-8", "replace"),
        )  # fmt: skip
