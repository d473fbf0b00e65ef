"""Bring the outbox to the peers: one queue a peer, in order, until a signed receipt, a refusal or expiry."""

from comity.backends.sql import Transaction
from comity.errors import ComityError, TrustError
from comity.exchange import (
    Answer,
    Courier,
    Member,
    Next,
    Outgoing,
    Receipt,
    Status,
    after_attempt,
    next_attempt,
    refuse_other_message,
    verify_receipt,
)
from comity.node.bootstrap import Node
from comity.node.request import lapse_unheard


def deliver(node: Node, peer: str, courier: Courier, *, random: float) -> bool:
    """Try the next message for `peer` if it is time; True if there may be more to do at once.

    Whatever happens between sending and committing, sending again is safe: the peer keeps one copy.
    """
    now = node.clock()
    with node.records.reading() as tx:
        due = tx.outbox.due(now, receiver=peer)
    if not due:
        return False
    outgoing = due[0]
    if outgoing.expires <= now:
        answer, receipt, doubt = Answer(status=None, why="expired before it was accepted"), None, ""
    elif not node.knows(peer):
        answer, receipt, doubt = Answer(status=None, why=f"{peer} is no member of the compact now"), None, ""
    else:
        member = node.compact().member(peer)
        answer = courier.deliver(member, outgoing.wire)
        receipt, doubt = _receipt(answer, outgoing, member, node.id)
    accepted = receipt is not None and receipt.status is not Status.REFUSED
    how = after_attempt(answer.status, receipt_holds=accepted, expires=outgoing.expires, now=now)
    why = "; ".join(
        part for part in (f"HTTP {answer.status}" if answer.status else "", answer.why, doubt) if part
    )
    jws = answer.body.decode("ascii").strip() if receipt is not None else None
    with node.records.transaction() as tx:
        if how is Next.RETRY:
            tx.outbox.postpone(outgoing, until=next_attempt(outgoing.attempts + 1, now, random), why=why)
            return False
        if tx.outbox.settle(outgoing, how=how, receipt=jws, why=why):
            _record(node, tx, outgoing, how, why)
    return True


def _receipt(answer: Answer, outgoing: Outgoing, member: Member, sender: str) -> tuple[Receipt | None, str]:
    """The receipt if it holds and is for this very envelope; and what the peer's answer says besides."""
    if not answer.body:
        return None, ""
    try:
        receipt = verify_receipt(answer.body.decode("ascii").strip(), member=member)
        refuse_other_message(
            receipt, message_id=outgoing.message_id, envelope_digest=outgoing.digest, sender=sender,
            receiver=member.id,
        )  # fmt: skip
    except UnicodeDecodeError:
        return None, "the answer is no receipt"
    except TrustError as error:
        return None, str(error)[:200]
    except ComityError as error:
        return None, f"the answer is no receipt: {error.problem}"[:200]
    said = f"{receipt.reason_code}: {receipt.reason_text}" if receipt.status is Status.REFUSED else ""
    return receipt, said


def _record(node: Node, tx: Transaction, outgoing: Outgoing, how: Next, why: str) -> None:
    node.record(
        tx, f"message.{how.value}", case_id=outgoing.case_id, actor="node", message=outgoing.message_id,
        type=outgoing.type, peer=outgoing.receiver, attempts=outgoing.attempts + 1, reason=why[:500],
    )  # fmt: skip
    if how is not Next.ACCEPTED:
        lapse_unheard(node, tx, outgoing, why=why[:500])
