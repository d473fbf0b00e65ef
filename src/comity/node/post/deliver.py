"""Bring the outbox to the peers: one queue a compact and peer, in order, until a signed receipt or expiry.

A batch goes out whole and is settled in one transaction. Whatever happens between sending and committing, sending
again is safe: the peer keeps one copy and gives the same receipt.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from comity.backends.sql import Transaction
from comity.errors import ComityError, TrustError
from comity.exchange import (
    MOST_ENVELOPES,
    Answer,
    Compact,
    Courier,
    Member,
    Next,
    Outgoing,
    Queue,
    Receipt,
    Result,
    Status,
    after_attempt,
    next_attempt,
    read_results,
    refuse_other_message,
    wait_as_told,
)
from comity.exchange.delivery import UNREAD_ALARM, given_up, unread
from comity.node.bootstrap import Node
from comity.node.log.quorum import witnessed
from comity.node.post.receipts import sign_undelivered, verified
from comity.node.request import lapse_unheard
from comity.tracing import time_text

BATCH_BYTES = 4 * 1024 * 1024
NOT_LOOKED_AT = 424
_LONGEST = 500


def deliver(node: Node, queue: Queue, courier: Courier, *, random: float) -> bool:
    """Try the next messages of a queue if it is time; True if there may be more to do at once.

    Nobody connects to a member that fetches its messages itself (`node.post.mailbox`).
    """
    compact = node.compacts().get(queue.compact)
    member = _member(compact, queue.receiver)
    if member is not None and member.pull:
        with node.records.reading() as tx:
            due = _due(node, tx, queue)
        return _end_expired(node, due)
    ready, ended = next_batch(node, queue)
    if member is None or not ready:
        if not ended:
            _postpone_held_back(node, compact, queue, random)
        return ended
    answer = courier.deliver(member, [one.wire for one in ready])
    results, why = _results(answer, len(ready))
    return settle(
        node, compact, list(zip(ready, results, strict=True)), why=why, wait=_wait(node, answer, random)
    )


def next_batch(node: Node, queue: Queue) -> tuple[list[Outgoing], bool]:
    """The messages that may go now, in order; and whether any were ended because they had expired.

    A head that failed before goes alone, so that whatever is wrong with it holds up no others. What waits for its
    witnesses, or may not go now, waits, and everything behind it: of that not even the bytes are read.
    """
    compact = node.compacts().get(queue.compact)
    with node.records.reading() as tx:
        due = _due(node, tx, queue)
        ready = tx.outbox.with_wires(_ready(node, compact, tx, due))
    return ready, _end_expired(node, due)


def _ready(node: Node, compact: Compact | None, tx: Transaction, due: Sequence[Outgoing]) -> list[Outgoing]:
    now, ready = node.clock(), list[Outgoing]()
    for one in due:
        if one.expires <= now:
            continue
        if one.witness_event and not witnessed(node, tx, one.witness_event):
            break
        if (ready and ready[0].attempts) or _held_back(node, compact, one):
            break
        ready.append(one)
    return ready


def _due(node: Node, tx: Transaction, queue: Queue) -> Sequence[Outgoing]:
    return tx.outbox.due(node.clock(), queue, most=MOST_ENVELOPES, most_bytes=BATCH_BYTES)


def _end_expired(node: Node, due: Sequence[Outgoing]) -> bool:
    """Give up what has expired; True if there was any."""
    expired = [one for one in due if one.expires <= node.clock()]
    if expired:
        with node.records.transaction() as tx:
            for one in expired:
                _end(node, tx, one, Next.UNDELIVERED, receipt=None, why="expired before it was accepted")
    return bool(expired)


def _postpone_held_back(node: Node, compact: Compact | None, queue: Queue, random: float) -> None:
    """A look at a head that may not go to that member now counts as an attempt that failed."""
    with node.records.reading() as tx:
        head = next(iter(_due(node, tx, queue)), None)
        if head is None or (head.witness_event and not witnessed(node, tx, head.witness_event)):
            return
    why = _held_back(node, compact, head)
    if why:
        with node.records.transaction() as tx:
            until = next_attempt(head.attempts + 1, node.clock(), random)
            tx.outbox.postpone(head, until=until, why=why)


def settle(
    node: Node, compact: Compact | None, tried: Sequence[tuple[Outgoing, Result]], *, why: str,
    wait: Callable[[Outgoing], datetime],
) -> bool:  # fmt: skip
    """Settle a batch in one transaction, in order, up to the first message that must be tried again.

    True if something was settled and what follows may go at once.
    """
    settled = 0
    judged = [
        (outgoing, result, *_receipt(node, compact, outgoing, result.receipt)) for outgoing, result in tried
    ]  # signatures are checked before anybody has to wait for the database
    with node.records.transaction() as tx:
        for outgoing, result, receipt, doubt in judged:
            how = after_attempt(
                result.status or None, receipt, attempts=outgoing.attempts, expires=outgoing.expires,
                now=node.clock(),
            )  # fmt: skip
            reason = "; ".join(
                one for one in (f"HTTP {result.status}" if result.status else "", why, doubt) if one
            )
            if how is Next.RETRY and settled and result.status == NOT_LOOKED_AT:
                return True
            if how is Next.RETRY and unread(result.status or None):
                how = _unread(node, tx, outgoing, reason)
            if how is Next.RETRY:
                tx.outbox.postpone(outgoing, until=wait(outgoing), why=reason)
                return False
            _end(node, tx, outgoing, how, receipt=result.receipt if receipt else None, why=reason)
            settled += 1
    return True


def _results(answer: Answer, count: int) -> tuple[list[Result], str]:
    """What became of each, and why nothing is known where nothing is."""
    try:
        if answer.status == 200:
            return read_results(answer.body, count=count), answer.why
        why = answer.why
    except ComityError as error:
        why = f"the answer is no answer to a batch: {error.problem}"[:200]
    return [Result(status=answer.status if answer.status not in (None, 200) else 0)] * count, why


def _wait(node: Node, answer: Answer, random: float) -> Callable[[Outgoing], datetime]:
    now = node.clock()

    def until(outgoing: Outgoing) -> datetime:
        told = wait_as_told(answer.retry_after, now)
        return told or next_attempt(outgoing.attempts + 1, now, random)

    return until


def _member(compact: Compact | None, member_id: str) -> Member | None:
    members = compact.members if compact is not None else ()
    return next((one for one in members if one.id == member_id), None)


def _held_back(node: Node, compact: Compact | None, outgoing: Outgoing) -> str:
    """Why this may not go to that member now, or empty: it has left, we refuse it, or our register is too old."""
    if compact is None or _member(compact, outgoing.receiver) is None:
        return f"{outgoing.receiver} is no member of {outgoing.compact} for us now"
    try:
        compact.refuse_stale(node.clock(), outgoing.type, in_reply_to=outgoing.in_reply_to)
    except TrustError as error:
        return str(error)
    return ""


def _receipt(node: Node, compact: Compact | None, outgoing: Outgoing, jws: str) -> tuple[Receipt | None, str]:
    """The receipt if it holds and is for this very envelope; and what the peer's answer says besides."""
    if not jws or compact is None:
        return None, ""
    try:
        receipt = verified(compact, outgoing.receiver, jws, logged_at=node.clock())
        refuse_other_message(
            receipt, message_id=outgoing.message_id, envelope_digest=outgoing.digest, sender=node.id,
            receiver=outgoing.receiver,
        )  # fmt: skip
    except TrustError as error:
        return None, str(error)[:200]
    except ComityError as error:
        return None, f"the answer is no receipt: {error.problem}"[:200]
    said = f"{receipt.reason_code}: {receipt.reason_text}" if receipt.status is Status.REFUSED else ""
    return receipt, said


def _unread(node: Node, tx: Transaction, outgoing: Outgoing, why: str) -> Next:
    """The receiver answered, and neither took it nor refused it: an alarm, and after hours of that it is given up."""
    count, since = node.pace.unread.count(
        outgoing.compact, outgoing.receiver, outgoing.message_id, node.clock()
    )
    given = given_up(count, since, node.clock())
    if count == UNREAD_ALARM or given:
        node.record(
            tx, "alarm.message-unread", case_id=outgoing.case_id, actor="node", compact=outgoing.compact,
            peer=outgoing.receiver, message=outgoing.message_id, type=outgoing.type, attempts=count,
            since=time_text(since), given_up=given, problem=why[:_LONGEST],
        )  # fmt: skip
    return Next.UNDELIVERED if given else Next.RETRY


def _end(
    node: Node, tx: Transaction, outgoing: Outgoing, how: Next, *, receipt: str | None, why: str
) -> None:
    why = why[:_LONGEST]
    if how is Next.UNDELIVERED:
        code = "expired" if outgoing.expires <= node.clock() else "unread"
        receipt = sign_undelivered(node, outgoing, code=code, text=why)
    if not tx.outbox.settle(outgoing, how=how, receipt=receipt, why=why):
        return
    node.record(
        tx, f"message.{how.value}", case_id=outgoing.case_id, actor="node", message=outgoing.message_id,
        type=outgoing.type, compact=outgoing.compact, peer=outgoing.receiver, attempts=outgoing.attempts + 1,
        reason=why,
    )  # fmt: skip
    if how is not Next.ACCEPTED:
        lapse_unheard(node, tx, outgoing, why=why)
