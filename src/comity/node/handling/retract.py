"""Take back what we shared, or leave it to fewer, and hear that it was complied with (spec/handling.md §4).

For each recipient a deadline raises an alarm where no receipt of compliance came in time. Complying when a peer
takes something back is `comply`.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from comity.backends.sql import Received, Transaction
from comity.backends.sql.items import Item
from comity.backends.sql.retractions import RetractionRow
from comity.casework import Deadline
from comity.errors import Conflict, InputError, NotFound
from comity.exchange.fields import Fields
from comity.exchange.retraction import (
    MAX_DOCUMENT,
    Retraction,
    make_retraction,
    name_of,
    refuse_other_retraction,
    verify_compliance,
)
from comity.law import Action
from comity.model import Person
from comity.model.handling import retract as retracted
from comity.model.handling import shrink as shrunk
from comity.node.bootstrap import Node
from comity.node.handling.consent import keys_of, signing_key
from comity.node.policy import require_with_case
from comity.node.post.send import Letter, send

SUBJECT = "item"
COMPLIED = "handling/1/complied"
WITHIN = timedelta(hours=24)
"""What recipients are given to comply, where nobody says."""


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
        item = our_held(node, tx, item_id)
        beyond = set(audience) - set(item.handling.audience)
        if beyond:
            raise InputError.because(
                expected=f"some of its audience: {', '.join(item.handling.audience)}",
                got=", ".join(sorted(beyond)),
            )
        return take_back_in(node, tx, item, audience=audience, why=why, within=within, actor=person.id)


def our_held(node: Node, tx: Transaction, item_id: str) -> Item:
    """What we gave under that id or digest; `NotFound`, or `Conflict` where it was taken back or ran out."""
    item = tx.items.ours(node.id, node.compacts(), item_id)
    if item is None:
        raise NotFound.because(
            expected="an item that we gave", got=repr(item_id), remedy="List them: comity item list DIR"
        )
    if item.state != "held":
        raise Conflict.because(expected="an item that is still held", got=f"{item.id}, {item.state}")
    return item


def take_back_in(
    node: Node, tx: Transaction, item: Item, *, audience: Collection[str], why: str, within: timedelta,
    actor: str, besides: Collection[str] = (),
) -> list[str]:  # fmt: skip
    """Change our own item and tell every recipient that is still a member, but `besides`, who know."""
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
    tx.retractions.add(
        RetractionRow(
            name=name_of(signed), direction="out", compact=item.compact, originator=node.id, item=item.id,
            case_id=item.case_id, told_in="", audience=retraction.audience, document=signed, at=now,
        )
    )  # fmt: skip
    told = [
        one for one in tx.items.recipients(item.id) if one not in besides and node.knows(one, item.compact)
    ]
    for peer in told:
        letter = Letter(
            compact=item.compact, peer=peer, type="item.retraction", case_id="", purpose="retraction",
            legal_basis="", payload={"retraction": signed},
        )  # fmt: skip
        send(node, tx, letter, actor=actor)
        tx.deadlines.add(
            deadline(node, COMPLIED, f"{item.id}/{peer}", event="no_compliance", due=retraction.comply_by)
        )
    node.record(
        tx, "item.shrunk" if audience else "item.taken-back", case_id=item.case_id, actor=actor, item=item.id,
        digest=item.digest, audience=sorted(audience), told=told, why=why, retraction=signed,
    )  # fmt: skip
    return told


def hear_compliance(node: Node, tx: Transaction, received: Received) -> None:
    """A recipient signed that it complied: kept, and no alarm any more."""
    text = Fields(received.payload, "compliance").text("compliance", longest=2 * MAX_DOCUMENT)
    compliance = verify_compliance(text, keys=keys_of(node, received), by=received.sender)
    item = tx.items.by_digest(compliance.item)
    if item is None or item.direction != "out" or received.sender not in tx.items.recipients(item.id):
        raise NotFound.because(expected="an item that we gave and took back", got=compliance.item)
    sent = tx.retractions.find(compliance.retraction)
    if sent is None or (sent.direction, sent.item) != ("out", item.id):
        raise NotFound.because(expected="a retraction that we sent", got=compliance.retraction)
    refuse_other_retraction(compliance, sent.document, item=item.digest, originator=node.id)
    tx.deadlines.clear(SUBJECT, f"{item.id}/{received.sender}", [COMPLIED])
    node.record(
        tx, "item.complied-with", case_id=item.case_id, actor=received.sender, item=item.id,
        how=compliance.how.value, why=compliance.why, onward=list(compliance.onward), compliance=text,
    )  # fmt: skip


def alarm_not_complied(node: Node, tx: Transaction, due: Deadline) -> None:
    """A recipient's time is over, and it has not said that it complied."""
    item_id, _, peer = due.subject_id.partition("/")
    item = tx.items.ours(node.id, node.compacts(), item_id)
    node.record(
        tx, "alarm.not-complied", case_id=item.case_id if item else "", actor="node", item=item_id, peer=peer,
        due_at=due.due_at.isoformat(),
    )  # fmt: skip


def deadline(node: Node, rule: str, subject_id: str, *, event: str, due: datetime) -> Deadline:
    return Deadline(
        id=node.new_id("deadline"), subject=SUBJECT, subject_id=subject_id, rule=rule, event=event, kind="T",
        source="handling obligations", set_at=node.clock(), due_at=due, state="pending",
    )  # fmt: skip
