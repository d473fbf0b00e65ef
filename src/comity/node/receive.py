"""Take in what a peer delivers: verify, decide, store once, give a signed receipt. Acting on it comes later.

Everything before the transaction is pure; the transaction writes inbox row, chain and event together, so a
process killed at any point has either not seen the message (the peer delivers again) or has it for good.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from comity.backends.sql import Transaction
from comity.errors import ComityError, StorageError, TrustError
from comity.exchange import (
    Decision,
    Opened,
    Status,
    Verdict,
    decide,
    digest_of_wire,
    unpack,
)
from comity.node.bootstrap import Node
from comity.node.receipts import sign_receipt

ALARMS_A_MINUTE = 30


class NotTheSender(TrustError):
    """The connection belongs to another member than the one who signed the message."""

    code = "exchange.not-the-sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """`status` is HTTP's; `receipt` is signed and says accepted, or refused with the reason."""

    status: int
    receipt: str


@dataclass(slots=True)
class Alarms:
    """At most so many alarm events a minute from each peer: none can fill our log, or drown another's alarm."""

    _peers: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self, peer: str, now: datetime) -> bool:
        with self._lock:
            since, count = self._peers.get(peer, (now, 0))
            if abs(now - since) > timedelta(minutes=1):
                since, count = now, 0
            self._peers[peer] = (since, count + 1)
            return count < ALARMS_A_MINUTE


def receive(node: Node, wire: bytes, *, connection: str, alarms: Alarms) -> Delivered:
    """Take one envelope that came over the connection of member `connection`; always give a receipt.

    Raises only `StorageError`: nothing was kept, and the peer tries again.
    """
    try:
        opened = unpack(
            wire, compact=node.compact(), own_id=node.id, sealing_key=node.keys.sealing, now=node.clock()
        )
        if opened.sender.id != connection:
            raise NotTheSender(f"expected a message signed by {connection}, got one by {opened.sender.id}")
    except StorageError:
        raise
    except ComityError as error:
        return _reject(node, wire, connection, alarms, error)
    with node.records.transaction() as tx:
        return _place(node, tx, opened, alarms)


def _place(node: Node, tx: Transaction, opened: Opened, alarms: Alarms) -> Delivered:
    sender, message = opened.sender.id, opened.message
    decision = decide(opened, tx.inbox.known(sender, message.id))
    if decision.verdict is Verdict.DUPLICATE:
        return Delivered(status=200, receipt=tx.inbox.receipt_for(sender, message.id))
    if decision.alarm and alarms.allow(sender, node.clock()):
        node.record(
            tx, "alarm.message-order", actor="node", peer=sender, message=message.id,
            sequence=opened.sequence, digest=opened.digest, code=decision.code, reason=decision.reason,
        )  # fmt: skip
    if not decision.accepted:
        return Delivered(status=409, receipt=_refusal(node, opened, decision))
    receipt = _accept(node, tx, opened)
    tx.outbox.wake(sender, node.clock())
    return Delivered(status=202, receipt=receipt)


def _accept(node: Node, tx: Transaction, opened: Opened) -> str:
    message, sender = opened.message, opened.sender.id
    receipt = sign_receipt(node, Status.ACCEPTED, message_id=message.id, digest=opened.digest, sender=sender)
    tx.inbox.take(opened, receipt=receipt, now=node.clock())
    node.record(
        tx, "message.received", actor="node", peer=sender, message=message.id, type=message.type,
        sequence=opened.sequence, digest=opened.digest, legal_basis=message.legal_basis,
        purpose=message.purpose, their_case=message.case_id,
    )  # fmt: skip
    return receipt


def _refusal(node: Node, opened: Opened, decision: Decision) -> str:
    return sign_receipt(
        node, Status.REFUSED, message_id=opened.message.id, digest=opened.digest, sender=opened.sender.id,
        code=decision.code, text=decision.reason,
    )  # fmt: skip


def _reject(node: Node, wire: bytes, connection: str, alarms: Alarms, error: ComityError) -> Delivered:
    """What we cannot read as a message to us: refused for good, under its digest, with an alarm."""
    if alarms.allow(connection, node.clock()):
        with node.records.transaction() as tx:
            node.record(
                tx, "alarm.message-rejected", actor="node", peer=connection, code=error.code,
                digest=digest_of_wire(wire), problem=str(error)[:500],
            )  # fmt: skip
    receipt = sign_receipt(
        node, Status.REFUSED, message_id="", digest=digest_of_wire(wire), sender=connection, code=error.code,
        text=str(error),
    )  # fmt: skip
    return Delivered(status=error.http_status, receipt=receipt)
