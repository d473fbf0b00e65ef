"""Tell peers what became of their messages, and hear what became of ours: messages of type `receipts`.

Many receipts travel in one, at a tick, so that the moment tells nothing of how long the work took. Receipts are
never answered with receipts: that would not end.
"""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from comity.backends.sql import Received, Transaction
from comity.errors import ComityError, InputError, NotFound, StorageError
from comity.exchange import Receipt, Status
from comity.exchange.receipt import LATER, RECEIPTS
from comity.node.bootstrap import Node
from comity.node.post.receipts import given_again, verified
from comity.node.post.send import Letter, send
from comity.node.request import lapse_unheard

MOST_TOGETHER = 64


def tell(node: Node) -> int:
    """Send the outcomes that wait, as one message to each sender, if their tick has come; return how many.

    Nobody is told who is no member now, or refused: what is theirs to know waits until they are one again.
    """
    with node.records.reading() as tx:
        waiting = len(tx.inbox.to_tell(MOST_TOGETHER, readers(node)))
    tick = timedelta(milliseconds=node.settings.reply_tick_ms)
    if not node.pace.telling.due(node.clock(), waiting=waiting, many=MOST_TOGETHER, tick=tick):
        return 0
    with node.records.transaction() as tx:
        letters: dict[tuple[str, str], list[str]] = defaultdict(list)
        for outcome in tx.inbox.to_tell(MOST_TOGETHER, readers(node)):
            if tx.inbox.told(outcome):
                receipt = given_again(node, node.compact(outcome.compact), outcome.receipt)
                letters[outcome.compact, outcome.sender].append(receipt)
        for (compact, peer), receipts in letters.items():
            letter = Letter(
                compact=compact, peer=peer, type=RECEIPTS, case_id="", purpose=RECEIPTS, legal_basis="",
                payload={"receipts": receipts},
            )  # fmt: skip
            send(node, tx, letter, actor="node")
    return waiting


def readers(node: Node) -> frozenset[tuple[str, str]]:
    """Compact and member of everybody who can be told something now."""
    return frozenset(
        (name, member.id) for name, compact in node.compacts().items() for member in compact.members
    )


def hear_receipts(node: Node, tx: Transaction, received: Received) -> None:
    """Note what a peer says became of messages of ours. One that does not hold changes nothing, and is an alarm."""
    payload: Any = received.payload
    texts = payload.get("receipts")
    if not isinstance(texts, list) or not 0 < len(texts) <= MOST_TOGETHER:
        raise InputError.because(
            expected=f"1 to {MOST_TOGETHER} receipts", got=type(texts).__name__, where=received.id
        )
    for text in texts:
        try:
            _note(node, tx, received, _verified(node, received, text), text)
        except StorageError:
            raise
        except ComityError as error:
            _wrong(node, tx, received, error)


def _verified(node: Node, received: Received, text: object) -> Receipt:
    if not isinstance(text, str):
        raise InputError.because(expected="a signed receipt", got=type(text).__name__)
    compact = node.compact(received.compact)
    receipt = verified(compact, received.sender, text, logged_at=received.received_at)
    if receipt.status not in LATER:
        raise InputError.because(expected=f"one of {', '.join(LATER)}", got=receipt.status)
    return receipt


def _note(node: Node, tx: Transaction, received: Received, receipt: Receipt, text: str) -> None:
    outgoing = tx.outbox.of_receipt(receipt)
    if outgoing is None or outgoing.compact != received.compact:
        raise NotFound.because(
            expected="a receipt for a message of ours to its giver", got=receipt.message_id
        )
    why = f"{receipt.reason_code}: {receipt.reason_text}".strip(": ")
    if not tx.outbox.note_receipt(outgoing, status=receipt.status, receipt=text, why=why):
        return
    node.record(
        tx, f"message.{receipt.status.value}", case_id=outgoing.case_id, actor=received.sender,
        message=outgoing.message_id, type=outgoing.type, peer=received.sender, reason=why[:500],
    )  # fmt: skip
    if receipt.status is Status.REFUSED:
        lapse_unheard(node, tx, outgoing, why=why[:500])


def _wrong(node: Node, tx: Transaction, received: Received, error: ComityError) -> None:
    if node.pace.alarms.allow(received.sender, node.clock()):
        node.record(
            tx, "alarm.receipt-wrong", actor="node", peer=received.sender, message=received.id, code=error.code,
            problem=str(error)[:500],
        )  # fmt: skip
