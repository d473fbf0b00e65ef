"""Take back what we shared, and comply when a peer takes back what it shared with us (spec/handling.md §4).

What a peer takes back is out of sight in the transaction that hears of it. Complying (its text erased unless a
legal hold keeps it, whoever we told of it told too, what was done signed) is a deadline that is due at once, so that
it happens however often the node is killed on the way. What was made from it in our case stays, withheld, as the
record of what we did; what is signed says so. On the originator's side a deadline for each recipient raises an alarm
where no receipt of compliance came in time.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from comity.backends.sql import Received, Transaction
from comity.backends.sql.items import Item
from comity.casework import Deadline
from comity.errors import Conflict, InputError, NotFound, StorageError
from comity.exchange import Status
from comity.exchange.fields import Fields
from comity.exchange.handling import MAX_SOURCES
from comity.exchange.notice import NOTICE
from comity.exchange.retraction import (
    MAX_DOCUMENT,
    Compliance,
    How,
    Retraction,
    make_compliance,
    make_retraction,
    name_of,
    refuse_other_retraction,
    verify_compliance,
    verify_retraction,
)
from comity.law import Action
from comity.model import Event, Person
from comity.model.handling import retract as retracted
from comity.model.handling import shrink as shrunk
from comity.node.bootstrap import Node
from comity.node.handling.consent import keys_of, signing_key
from comity.node.handling.obligations import HandlingForbids, ended
from comity.node.policy import require_with_case
from comity.node.post.receipts import conclude
from comity.node.post.send import Letter, send
from comity.node.post.take_in import give_up

log = structlog.get_logger()
SUBJECT = "item"
COMPLY = "handling/1/comply"
COMPLIED = "handling/1/complied"
WITHIN = timedelta(hours=24)
"""What recipients are given to comply, where nobody says."""
GROUND = "retracted"
"""The ground of a request whose answer was taken back: it is not asked again."""


def take_back(
    node: Node,
    item_id: str,
    *,
    person: Person,
    why: str,
    audience: Collection[str] = (),
    within: timedelta = WITHIN,
) -> list[str]:
    """A person takes back what we said, or leaves it to `audience` only; return whom that concerns."""
    require_with_case(node, Action.RETRACT_ITEM, person)
    with node.records.transaction() as tx:
        item = _ours(node, tx, item_id)
        if item is None:
            raise NotFound.because(
                expected="an item that we gave", got=repr(item_id), remedy="List them: comity item list DIR"
            )
        if item.state != "held":
            raise Conflict.because(expected="an item that is still held", got=f"{item.id}, {item.state}")
        beyond = set(audience) - set(item.handling.audience)
        if beyond:
            raise InputError.because(
                expected=f"some of its audience: {', '.join(item.handling.audience)}",
                got=", ".join(sorted(beyond)),
            )
        return _take_back(node, tx, item, audience=audience, why=why, within=within, actor=person.id)


def _take_back(
    node: Node, tx: Transaction, item: Item, *, audience: Collection[str], why: str, within: timedelta,
    actor: str, besides: str = "",
) -> list[str]:  # fmt: skip
    """Change our own item and tell every recipient that is still a member, but `besides`, who knows."""
    now = node.clock()
    handling = (
        shrunk(item.handling, by=node.id, audience=audience)
        if audience
        else retracted(item.handling, by=node.id)
    )
    tx.items.put(
        replace(
            item, handling=handling, state="held" if audience else "retracted",
            retain_until=item.retain_until if audience else now,
        )
    )  # fmt: skip
    retraction = Retraction(
        item=item.digest, message_id=item.id, originator=node.id, audience=tuple(sorted(audience)), at=now,
        comply_by=now + within, why=why,
    )  # fmt: skip
    signed = make_retraction(retraction, key=signing_key(node, item.compact))
    told = [one for one in tx.items.recipients(item.id) if one != besides and node.knows(one, item.compact)]
    for peer in told:
        letter = Letter(
            compact=item.compact, peer=peer, type="item.retraction", case_id="", purpose="retraction",
            legal_basis="", payload={"retraction": signed},
        )  # fmt: skip
        send(node, tx, letter, actor=actor)
        tx.deadlines.add(
            _deadline(node, COMPLIED, f"{item.id}/{peer}", event="no_compliance", due=retraction.comply_by)
        )
    node.record(
        tx, "item.shrunk" if audience else "item.taken-back", case_id=item.case_id, actor=actor, item=item.id,
        digest=item.digest, audience=sorted(audience), told=told, why=why, retraction=signed,
    )  # fmt: skip
    return told


# --- a peer takes back -----------------------------------------------------------------------------------------


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
    tx.deadlines.add(
        _deadline(
            node,
            COMPLY,
            f"{item.compact}/{item.originator}/{item.id}/{received.id}",
            event="comply",
            due=node.clock(),
        )
    )
    node.record(
        tx, "item.retracted", case_id=item.case_id, actor=received.sender, item=item.id, digest=item.digest, how=how,
        audience=list(retraction.audience), why=retraction.why, retraction=text, told_in=received.id,
    )  # fmt: skip


def close(node: Node, tx: Transaction, item: Item, *, state: str) -> None:
    """Nobody sees or uses it from now on, nor what of our case came from it alone. It is waited for no more."""
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
    later = [
        one for one in tx.items.of_case(case.id)
        if one.originator == item.originator and one.state == "held" and one.at > item.at
        and tx.items.type_of(one).endswith(".answer")
    ]  # fmt: skip
    if later:
        return
    tx.cases.drop_trace(case.id, item.originator)
    for request in tx.requests.of_case(case.id):
        if request.peer == item.originator and request.direction == "out" and request.state == "answered":
            refusal = {"ground": GROUND, "text": f"its answer is gone: {state}"}
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
            how=_erase(tx, now).value,
        )  # fmt: skip


# --- what the sweeper brings about -----------------------------------------------------------------------------


def come_due(node: Node, tx: Transaction, deadline: Deadline) -> None:
    """Comply with a retraction, or raise the alarm that a peer did not comply with ours."""
    if deadline.event == "comply":
        _comply(node, tx, *deadline.subject_id.rsplit("/", 3))
        return
    item_id, _, peer = deadline.subject_id.partition("/")
    item = _ours(node, tx, item_id)
    node.record(
        tx, "alarm.not-complied", case_id=item.case_id if item else "", actor="node", item=item_id, peer=peer,
        due_at=deadline.due_at.isoformat(),
    )  # fmt: skip


def _comply(node: Node, tx: Transaction, compact: str, originator: str, item_id: str, told_in: str) -> None:
    """Erase, tell those whom we told, and sign what was done."""
    item = tx.items.find(compact, originator, item_id)
    event = _hearing_of(tx, item, told_in) if item is not None else None
    if item is None or event is None:
        return
    left = tuple(event.body["audience"]) if item.state == "held" else ()
    how = How.CLOSED if left else _erase(tx, item)
    onward = _tell_onward(node, tx, item, left)
    signed = make_compliance(
        Compliance(
            retraction=name_of(event.body["retraction"]), item=item.digest, by=node.id, originator=originator,
            at=node.clock(), how=how, onward=onward,
        ),
        key=signing_key(node, item.compact),
    )  # fmt: skip
    if node.knows(originator, item.compact):
        letter = Letter(
            compact=item.compact, peer=originator, type="item.compliance", case_id="", purpose="retraction",
            legal_basis="", payload={"compliance": signed}, in_reply_to=told_in,
        )  # fmt: skip
        send(node, tx, letter, actor="node")
    node.record(
        tx, "item.complied", case_id=item.case_id, actor="node", item=item.id, peer=originator, how=how.value,
        onward=list(onward), compliance=signed,
    )  # fmt: skip


def _tell_onward(node: Node, tx: Transaction, item: Item, left: Collection[str]) -> tuple[str, ...]:
    """Take back what we made from it and told others: from everybody, or from those it is no longer left to."""
    onward: set[str] = set()
    for ours in tx.items.of_case(item.case_id):
        made_from_it = item.digest in ours.handling.sources or (
            len(ours.handling.sources) == MAX_SOURCES and ours.at >= item.at
        )
        if ours.direction != "out" or ours.state != "held" or not made_from_it:
            continue
        recipients = set(tx.items.recipients(ours.id)) - {item.originator}
        if recipients and not recipients <= set(left):
            onward |= recipients - set(left)
            _take_back(
                node, tx, ours, audience=sorted(set(left) & set(ours.handling.audience)),
                why=f"{item.originator} took it back", within=WITHIN, actor="node", besides=item.originator,
            )  # fmt: skip
    return tuple(sorted(onward))


def _erase(tx: Transaction, item: Item) -> How:
    """Erase the message's text, and the keys and names of what came with it; a legal hold on the case keeps them,
    out of sight.

    Only of a notice is nothing left then. What a request or an answer said is in our case too, in its trace, holds
    and events, which are the record of what we did: that is withheld, and `CLOSED` is what we may say.
    """
    if item.case_id and tx.legal_holds.standing(item.case_id):
        return How.KEPT
    tx.items.erase_content(item)
    kept = tx.items.find(item.compact, item.originator, item.id)
    if kept is not None:
        tx.items.put(replace(kept, handling=replace(kept.handling, caveats=())))
    for one in tx.attachments.of_message("in", item.originator, item.id):
        if one.compact == item.compact:
            tx.attachments.erase(one, reason="what it came with is erased")
    alone = tx.items.type_of(item) == NOTICE and tx.items.was_heard(item)
    return How.ERASED if alone else How.CLOSED


def _hearing_of(tx: Transaction, item: Item, told_in: str) -> Event | None:
    """The event of hearing that retraction: it has the retraction's text."""
    wanted = (item.originator, item.digest, told_in)
    for one in tx.events.of_kinds(["item.retracted"]):
        if (one.actor, one.body["digest"], one.body["told_in"]) == wanted:
            return one
    return None


def _ours(node: Node, tx: Transaction, item_id: str) -> Item | None:
    """What we gave under that id, which nobody but us has chosen."""
    return next((one for one in tx.items.named(item_id) if one.direction == "out"), None)


# --- what peers say of ours ------------------------------------------------------------------------------------


def hear_compliance(node: Node, tx: Transaction, received: Received) -> None:
    """A recipient signed that it complied: kept, and no alarm any more."""
    text = Fields(received.payload, "compliance").text("compliance", longest=2 * MAX_DOCUMENT)
    compliance = verify_compliance(text, keys=keys_of(node, received), by=received.sender)
    item = tx.items.by_digest(compliance.item)
    if item is None or item.direction != "out" or received.sender not in tx.items.recipients(item.id):
        raise NotFound.because(expected="an item that we gave and took back", got=compliance.item)
    taken_back = [
        one.body["retraction"] for one in tx.events.of_kinds(["item.taken-back", "item.shrunk"])
        if one.body["item"] == item.id
    ]  # fmt: skip
    signed = next((one for one in taken_back if name_of(one) == compliance.retraction), None)
    if signed is None:
        raise NotFound.because(expected="a retraction that we sent", got=compliance.retraction)
    refuse_other_retraction(compliance, signed, item=item.digest, originator=node.id)
    tx.deadlines.clear(SUBJECT, f"{item.id}/{received.sender}", [COMPLIED])
    node.record(
        tx, "item.complied-with", case_id=item.case_id, actor=received.sender, item=item.id,
        how=compliance.how.value, onward=list(compliance.onward), compliance=text,
    )  # fmt: skip


def _deadline(node: Node, rule: str, subject_id: str, *, event: str, due: datetime) -> Deadline:
    return Deadline(
        id=node.new_id("deadline"), subject=SUBJECT, subject_id=subject_id, rule=rule, event=event, kind="T",
        source="handling obligations", set_at=node.clock(), due_at=due, state="pending",
    )  # fmt: skip
