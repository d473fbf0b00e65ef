"""Comply when a peer takes back what it shared, or its time is over (spec/handling.md §4).

What a peer takes back is out of sight in the transaction that hears of it. Complying (its text erased unless a
legal hold keeps it, whoever we told of it told too, what was done signed) is a deadline that is due at once, so that
it happens however often the node is killed on the way. What was made from it in our case stays, withheld, as the
record of what we did; what is signed says so.
"""

from collections.abc import Collection
from dataclasses import replace

import structlog

from comity.backends.sql import Received, Transaction
from comity.backends.sql.items import Item
from comity.backends.sql.retractions import RetractionRow
from comity.casework import Deadline
from comity.errors import NotFound, StorageError
from comity.exchange import Status
from comity.exchange.fields import Fields
from comity.exchange.notice import NOTICE
from comity.exchange.retraction import (
    MAX_DOCUMENT,
    Compliance,
    How,
    make_compliance,
    name_of,
    verify_retraction,
)
from comity.model.handling import retract as retracted
from comity.model.handling import shrink as shrunk
from comity.node.bootstrap import Node
from comity.node.handling.consent import keys_of, signing_key
from comity.node.handling.gate import HandlingForbids
from comity.node.handling.items import ended
from comity.node.handling.retract import SUBJECT, WITHIN, alarm_not_complied, deadline, take_back_in
from comity.node.increment import answers_behind
from comity.node.post.receipts import conclude
from comity.node.post.send import Letter, send
from comity.node.post.take_in import give_up

log = structlog.get_logger()
COMPLY = "handling/1/comply"
GROUND = "retracted"
"""The ground of a request whose answer was taken back: it is not asked again."""


def hear_retraction(node: Node, tx: Transaction, received: Received) -> None:
    """Out of sight at once; complied with by the sweeper. Only the sender's own message can be meant."""
    text = Fields(received.payload, "retraction").text("retraction", longest=2 * MAX_DOCUMENT)
    retraction = verify_retraction(text, keys=keys_of(node, received), originator=received.sender)
    item = tx.items.find(received.compact, received.sender, retraction.message_id)
    if item is None or item.digest != retraction.item:
        raise NotFound.because(
            expected=f"something that {received.sender} gave us", got=retraction.message_id, where=received.id
        )
    if item.state != "held" and not retraction.audience:
        how = "taken back before" if item.state == "retracted" else item.state
    elif node.id in retraction.audience:
        how = "left to us"
        handling = shrunk(item.handling, by=received.sender, audience=retraction.audience)
        tx.items.put(replace(item, handling=handling))
    else:
        how = "taken back"
        close(node, tx, item, state="retracted")
        if item.case_id and tx.items.type_of(item) != NOTICE:
            node.record(
                tx, "holds.taken-back", case_id=item.case_id, actor=received.sender, peer=received.sender
            )
    tx.retractions.add(
        RetractionRow(
            name=name_of(text), direction="in", compact=item.compact, originator=item.originator, item=item.id,
            case_id=item.case_id, told_in=received.id, audience=retraction.audience, document=text,
            at=node.clock(),
        )
    )  # fmt: skip
    tx.deadlines.add(deadline(node, COMPLY, name_of(text), event="comply", due=node.clock()))
    node.record(
        tx, "item.retracted", case_id=item.case_id, actor=received.sender, item=item.id, digest=item.digest, how=how,
        audience=list(retraction.audience), why=retraction.why, retraction=text, told_in=received.id,
    )  # fmt: skip


def close(node: Node, tx: Transaction, item: Item, *, state: str) -> None:
    """Nobody sees or uses it from now on, nor what of our case came from it alone. It is waited for no more.

    What was taken back is not asked again; what was to be kept no longer may be.
    """
    gone = replace(
        item, handling=retracted(item.handling, by=item.originator), state=state, retain_until=node.clock()
    )
    tx.items.put(gone)
    if tx.items.refuse_waiting(gone):
        conclude(
            node, tx, item.compact, item.originator, item.id, Status.REFUSED, code=HandlingForbids.code,
            text=ended(gone),
        )  # fmt: skip
        return
    case = tx.cases.find(item.case_id)
    if case is None or case.origin != node.id or not tx.items.type_of(item).endswith(".answer"):
        return
    behind = answers_behind(tx, case.id, item.originator)
    if item.id not in behind and tx.items.answered_since(item):
        return
    tx.cases.drop_trace(case.id, item.originator)
    for request in tx.requests.of_case(case.id):
        if request.peer == item.originator and request.direction == "out" and request.state == "answered":
            gone_for_good = {"ground": GROUND, "text": f"its answer is gone: {state}"}
            refusal = gone_for_good if state == "retracted" else None
            tx.requests.put(replace(request, answer=None, refusal=refusal))
    tx.cases.want_pursuit(case.id)


def expire(node: Node) -> int:
    """Close what we were to keep no longer, and end what waits for an answer that does not come; return how many.

    One that cannot be closed holds up no other.
    """
    with node.records.reading() as tx:
        due = tx.items.run_out(node.clock())
    for item in due:
        try:
            _expire(node, item)
        except StorageError:
            raise
        except Exception:
            log.exception("item not closed", item=item.id, originator=item.originator)
    return len(due) + give_up(node)


def _expire(node: Node, item: Item) -> None:
    with node.records.transaction() as tx:
        now = tx.items.find(item.compact, item.originator, item.id)
        if now is None or now.state != "held":
            return
        close(node, tx, now, state="expired")
        node.record(
            tx, "item.expired", case_id=item.case_id, actor="node", item=item.id, peer=item.originator,
            how=_erase(tx, now)[0].value,
        )  # fmt: skip


def come_due(node: Node, tx: Transaction, due: Deadline) -> None:
    """Comply with a retraction, or raise the alarm that a peer did not comply with ours."""
    if due.event == "comply":
        _comply(node, tx, due.subject_id)
    else:
        alarm_not_complied(node, tx, due)


def _comply(node: Node, tx: Transaction, name: str) -> None:
    """Erase, tell those whom we told, and sign what was done."""
    heard = tx.retractions.find(name)
    item = tx.items.find(heard.compact, heard.originator, heard.item) if heard is not None else None
    if heard is None or item is None:
        return
    left = heard.audience if item.state == "held" else ()
    how, why = (How.LEFT, "") if left else _erase(tx, item)
    onward = _tell_onward(node, tx, item, left)
    signed = make_compliance(
        Compliance(
            retraction=name, item=item.digest, by=node.id, originator=item.originator, at=node.clock(), how=how,
            why=why, onward=onward,
        ),
        key=signing_key(node, item.compact),
    )  # fmt: skip
    if node.knows(item.originator, item.compact):
        letter = Letter(
            compact=item.compact, peer=item.originator, type="item.compliance", case_id="", purpose="retraction",
            legal_basis="", payload={"compliance": signed}, in_reply_to=heard.told_in,
        )  # fmt: skip
        send(node, tx, letter, actor="node")
    node.record(
        tx, "item.complied", case_id=item.case_id, actor="node", item=item.id, peer=item.originator,
        how=how.value, why=why, onward=list(onward), compliance=signed,
    )  # fmt: skip


def _tell_onward(node: Node, tx: Transaction, item: Item, left: Collection[str]) -> tuple[str, ...]:
    """Take back what we made from it and told others: from everybody, or from those it is no longer left to.

    Hearing the same again tells nobody again.
    """
    onward: set[str] = set()
    for ours in tx.items.made_of(item):
        recipients = set(tx.items.recipients(ours.id)) - {item.originator}
        over = {one for one in recipients if _knows_it_is_over(node, tx, ours, one)}
        to_tell = recipients - over - set(left)
        if to_tell:
            onward |= to_tell
            take_back_in(
                node, tx, ours, audience=sorted(set(left) & set(ours.handling.audience)),
                why=f"{item.originator} took it back", within=WITHIN, actor="node",
                besides={item.originator, *over},
            )  # fmt: skip
    return tuple(sorted(onward))


def _knows_it_is_over(node: Node, tx: Transaction, ours: Item, peer: str) -> bool:
    """Whether our item is not for `peer` any more and it was told so, or cannot be. One that was told of it by consent
    was never in its audience."""
    if peer in ours.handling.audience:
        return False
    return bool(tx.deadlines.of_subject(SUBJECT, f"{ours.id}/{peer}")) or not node.knows(peer, ours.compact)


def _erase(tx: Transaction, item: Item) -> tuple[How, str]:
    """Erase the message's text, and the keys and names of what came with it; a legal hold on the case keeps them,
    out of sight. Return what was done, and why no more.

    Nothing is left of a notice, from which nothing is made, nor of a message that was never acted on. What another
    said is in our case too, in its trace, holds and events, which are the record of what we did.
    """
    standing = tx.legal_holds.standing(item.case_id) if item.case_id else []
    if standing:
        return How.KEPT, f"a legal hold of {standing[0].placed_at[:10]} on the case forbids to erase it"
    tx.items.erase_content(item)
    kept = tx.items.find(item.compact, item.originator, item.id)
    if kept is not None:
        tx.items.put(replace(kept, handling=replace(kept.handling, caveats=())))
    for one in tx.attachments.of_message("in", item.originator, item.id):
        if one.compact == item.compact:
            tx.attachments.erase(one, reason="what it came with is erased")
    if tx.items.left_nothing(item):
        return How.ERASED, ""
    return How.CLOSED, "what was made from it stays, withheld, as the record of what was done"
