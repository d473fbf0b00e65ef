"""Take in what a peer delivers: verify, decide, store once, give signed receipts. Acting on it comes later.

Everything before the transaction is pure; the transaction writes inbox rows, chain and events together, so a
process killed at any point has either not seen a message (the peer delivers again) or has it for good.

A batch is taken as far as it is good. What follows the first envelope that is not taken is not looked at (424):
the sender settles that one and sends the rest again, so that no order is lost, and one bad envelope costs us no
more than one look a request.
"""

from collections.abc import Mapping, Sequence

import structlog

from comity.backends.sql import Transaction
from comity.errors import ComityError, InputError, StorageError, TrustError
from comity.exchange import (
    Compact,
    Decision,
    Opened,
    Result,
    Status,
    Verdict,
    decide,
    digest_of_wire,
    unpack,
)
from comity.exchange.register.freshness import Tier, judged_as
from comity.node.bootstrap import Node
from comity.node.post.receipts import given_again, sign_receipt

log = structlog.get_logger()
Compacts = Mapping[str, Compact]
NOT_LOOKED_AT = Result(status=424)


class NotTheSender(TrustError):
    """The connection belongs to another member than the one who signed the message."""

    code = "exchange.not-the-sender"


class InAnothersName(TrustError):
    """Said for another member, with its mandate: no procedure of this version weighs the rights of both."""

    code = "exchange.in-anothers-name"
    remedy = "Let the member that wants it ask itself."


class Unplaceable(InputError):
    """A message that holds, but that this node cannot store, whatever the reason: the fault may be ours."""

    code = "quarantined"
    http_status = 422


def receive(node: Node, wires: Sequence[bytes], *, connection: str) -> list[Result]:
    """Take envelopes that came over the connection of member `connection`; one result for each, in order.

    Raises only `StorageError`: nothing was kept, and the peer tries again.
    """
    compacts = node.compacts()
    opened, refusal = _opened(node, compacts, wires, connection)
    results = _place_all(node, compacts, opened) if opened else []
    if refusal is not None and len(results) == len(opened) and _taken(results):
        results.append(_reject(node, compacts, wires[len(opened)], connection, refusal))
    return results + [NOT_LOOKED_AT] * (len(wires) - len(results))


def _taken(results: Sequence[Result]) -> bool:
    return not results or results[-1].status < 300


def _opened(
    node: Node, compacts: Compacts, wires: Sequence[bytes], connection: str
) -> tuple[list[Opened], ComityError | None]:
    """Those that hold, up to the first that does not, and what is wrong with that one."""
    keys, found = node.keys.openers, list[Opened]()
    for wire in wires:
        try:
            opened = unpack(wire, compacts=compacts, own_id=node.id, sealing_keys=keys, now=node.clock())
            if opened.sender.id != connection:
                raise NotTheSender(
                    f"expected a message signed by {connection}, got one by {opened.sender.id}"
                )
            if opened.message.requester.id != connection:
                raise InAnothersName(f"expected {connection} to ask in its own name")
            _refuse_stale(node, compacts[opened.compact], opened)
        except StorageError:
            raise
        except ComityError as error:
            return found, error
        except Exception as error:
            log.exception("message cannot be read", sender=connection)
            return found, Unplaceable(f"{type(error).__name__} while it was read")
        found.append(opened)
    return found, None


def _refuse_stale(node: Node, compact: Compact, opened: Opened) -> None:
    """Where our register is too old for most things: a reply is one to a message that we did send."""
    now, message = node.clock(), opened.message
    if compact.tier(now) is Tier.FULL:
        return
    with node.records.reading() as tx:
        replies = tx.outbox.sent(opened.compact, opened.sender.id, message.in_reply_to)
    compact.refuse_stale(
        now, judged_as(message.type, message.payload), in_reply_to=message.in_reply_to if replies else ""
    )


def _place_all(node: Node, compacts: Compacts, opened: Sequence[Opened]) -> list[Result]:
    """All of them in one transaction; if one of them cannot be stored, each in its own."""
    try:
        with node.records.transaction() as tx:
            return _place_until_refused(node, compacts, tx, opened)
    except Exception as error:
        node.pace.evidence.forget(one.digest for one in opened)
        if isinstance(error, StorageError):
            raise
        log.exception("placing one by one", count=len(opened))
    results: list[Result] = []
    for one in opened:
        results.append(_place_alone(node, compacts, one))
        if not _taken(results):
            break
    return results


def _place_until_refused(
    node: Node, compacts: Compacts, tx: Transaction, opened: Sequence[Opened]
) -> list[Result]:
    results: list[Result] = []
    for one in opened:
        results.append(_place(node, compacts[one.compact], tx, one))
        if not _taken(results):
            break
    if any(result.status == 202 for result in results):
        tx.outbox.wake(opened[0].sender.id, node.clock())
    return results


def _place_alone(node: Node, compacts: Compacts, opened: Opened) -> Result:
    """Trouble with the database itself passes; a message that cannot be stored is refused and blocks nothing."""
    begun = False
    try:
        with node.records.transaction() as tx:
            begun = True
            return _place_until_refused(node, compacts, tx, [opened])[0]
    except Exception as error:
        node.pace.evidence.forget([opened.digest])
        if isinstance(error, StorageError) or not begun:
            raise
        log.exception("message cannot be stored", message=opened.message.id, sender=opened.sender.id)
        problem = Unplaceable(f"{type(error).__name__} while it was stored")
    _alarm(node, opened.sender.id, opened.digest, problem)
    receipt = sign_receipt(
        node, Status.REFUSED, compact=compacts[opened.compact], message_id=opened.message.id,
        digest=opened.digest, sender=opened.sender.id, code=problem.code, text=problem.problem,
    )  # fmt: skip
    return Result(status=problem.http_status, receipt=receipt)


def _place(node: Node, compact: Compact, tx: Transaction, opened: Opened) -> Result:
    sender, message = opened.sender.id, opened.message
    decision = decide(opened, tx.inbox.known(opened.compact, sender, message.id))
    if decision.verdict is Verdict.DUPLICATE:
        given = tx.inbox.receipt_for(opened.compact, sender, message.id)
        return Result(status=200, receipt=given_again(node, compact, given))
    if decision.alarm and node.pace.evidence.allow(sender, decision.code, opened.digest, node.clock()):
        node.record(
            tx, "alarm.message-order", actor="node", compact=opened.compact, peer=sender, message=message.id,
            sequence=opened.sequence, digest=opened.digest, code=decision.code, reason=decision.reason,
        )  # fmt: skip
    if not decision.accepted:
        return Result(status=409, receipt=_refusal(node, compact, opened, decision))
    return Result(status=202, receipt=_accept(node, compact, tx, opened))


def _accept(node: Node, compact: Compact, tx: Transaction, opened: Opened) -> str:
    message, sender = opened.message, opened.sender.id
    receipt = sign_receipt(
        node, Status.ACCEPTED, compact=compact, message_id=message.id, digest=opened.digest, sender=sender
    )
    tx.inbox.take(opened, receipt=receipt, now=node.clock())
    node.record(
        tx, "message.received", actor="node", compact=opened.compact, peer=sender, message=message.id,
        type=message.type, sequence=opened.sequence, digest=opened.digest, legal_basis=message.legal_basis,
        purpose=message.purpose, their_case=message.case_id, decided_by=message.requester.actor,
    )  # fmt: skip
    return receipt


def _refusal(node: Node, compact: Compact, opened: Opened, decision: Decision) -> str:
    return sign_receipt(
        node, Status.REFUSED, compact=compact, message_id=opened.message.id, digest=opened.digest,
        sender=opened.sender.id, code=decision.code, text=decision.reason,
    )  # fmt: skip


def _reject(node: Node, compacts: Compacts, wire: bytes, connection: str, error: ComityError) -> Result:
    """What we cannot read as a message to us: refused under its digest, with an alarm."""
    digest = digest_of_wire(wire)
    _alarm(node, connection, digest, error)
    receipt = sign_receipt(
        node, Status.REFUSED, compact=_shared_with(compacts, connection), message_id="", digest=digest,
        sender=connection, code=error.code, text=str(error),
    )  # fmt: skip
    return Result(status=error.http_status, receipt=receipt)


def _alarm(node: Node, peer: str, digest: str, error: ComityError) -> None:
    if node.pace.alarms.allow(peer, node.clock()):
        with node.records.transaction() as tx:
            node.record(
                tx, "alarm.message-rejected", actor="node", peer=peer, code=error.code, digest=digest,
                problem=str(error)[:500],
            )  # fmt: skip


def _shared_with(compacts: Compacts, peer: str) -> Compact | None:
    """A compact in which that peer can read a receipt of ours: what it sent did not say which, believably."""
    return next((one for one in compacts.values() if any(member.id == peer for member in one.members)), None)
