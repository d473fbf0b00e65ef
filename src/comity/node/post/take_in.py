"""Before a message is acted on: do its own obligations let us? If not yet, it waits while its originators are asked."""

from comity.backends.sql import Received, Transaction
from comity.exchange import Status
from comity.exchange.notice import NOTICE
from comity.model import Permission
from comity.node.bootstrap import Node
from comity.node.handling.consent import ask_for, refused
from comity.node.handling.gate import PURPOSE, Barred, HandlingForbids, barred, record_barred
from comity.node.handling.items import as_received, keep_received
from comity.node.handling.sending import CONTROL
from comity.node.post.receipts import conclude

WAITING = "waiting"
SAY_WHAT_FOR = ("deconflict.", "joint.", "matter.")
"""Types of message that say themselves what they are for: joint work, and what runs a procedure of its own."""


def waits(node: Node, received: Received) -> bool:
    """True if the message waits for a consent; raises `HandlingForbids` where none is to be had.

    What may be read and worked with, as is usual, costs one look.
    """
    with node.records.reading() as tx:
        found = stands_against(node, tx, received)
    if not found:
        return False
    with node.records.transaction() as tx:
        final = [one for one in found if one.permitted.permission is Permission.DENY or refused(tx, one)]
        for one in found:
            record_barred(node, tx, "", one, actor="node")
        if not final:
            keep_received(node, tx, received, _our_case(node, tx, received))
            for one in found:
                ask_for(node, tx, one, actor="node")
            tx.inbox.settle(received, state=WAITING)
    if final:
        raise HandlingForbids(final[0], where=received.id)
    return True


def stands_against(node: Node, tx: Transaction, received: Received) -> list[Barred]:
    """What does not let us act on a message now; nothing if it waits for nobody."""
    if received.type in CONTROL:
        return []
    known = tx.items.find(received.compact, received.sender, received.id)
    item = known or as_received(node, received, "")
    uses, purpose = (
        (("read",), received.purpose) if received.type == NOTICE else (("read", "derive"), PURPOSE)
    )
    if received.type.startswith(SAY_WHAT_FOR):
        purpose = received.purpose
    return [one for use in uses for one in barred(node, tx, use, [item], recipient=node.id, purpose=purpose)]


def give_up(node: Node) -> int:
    """End what waits for a consent that nobody is asked for any more: the questions ran out, or nobody could be asked.

    Its sender is told; it may send it anew. Return how many.
    """
    with node.records.reading() as tx:
        if not tx.items.unanswered(node.clock()):
            return 0
    with node.records.transaction() as tx:
        over = [one for one in tx.items.unanswered(node.clock()) if tx.items.refuse_waiting(one)]
        for item in over:
            conclude(
                node, tx, item.compact, item.originator, item.id, Status.REFUSED, code=HandlingForbids.code,
                text="nobody who must consent to its use did so in time",
            )  # fmt: skip
            node.record(
                tx,
                "consent.unanswered",
                case_id=item.case_id,
                actor="node",
                peer=item.originator,
                item=item.id,
            )
    return len(over)


def _our_case(node: Node, tx: Transaction, received: Received) -> str:
    """The case of the request of ours that it answers, if it answers one."""
    for request in tx.requests.sent_in(received.in_reply_to):
        if request.peer == received.sender:
            return request.case_id
    return ""
