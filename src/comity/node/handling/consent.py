"""Ask an originator for what its obligations do not allow (spec/handling.md §3). Its answer is `answering`.

People ask what they like. The node asks by itself what stands in the way of its work, within bounds (`ask_for`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.backends.sql import Received, Transaction
from comity.backends.sql.consents import ConsentRow
from comity.backends.sql.items import Item
from comity.errors import Conflict, InputError, NotFound
from comity.exchange import consent as words
from comity.exchange.consent import Question, Use
from comity.law import Action
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.handling.gate import PURPOSE, Barred
from comity.node.policy import require_with_case
from comity.node.post.send import Letter, send

LASTS = timedelta(days=30)
"""What is asked for where nobody says how long."""
MOST_OPEN = 256
"""Questions open at a time: ours about what one peer sent us, unless a person asks, and one peer's to us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to do with an item, and why."""

    action: str
    recipient: str
    purpose: str = PURPOSE
    why: str = ""
    lasts: timedelta = LASTS


def ask_by_hand(node: Node, item_id: str, wanted: Wanted, *, person: Person) -> list[ConsentRow]:
    """A person asks every originator of a peer's item that has not answered yes; one row for each."""
    require_with_case(node, Action.ASK_CONSENT, person)
    with node.records.transaction() as tx:
        item = _theirs(tx, node, item_id)
        asked = [
            ask(node, tx, item, originator, wanted, actor=person.id)
            for originator in item.handling.originators
            if originator != node.id
        ]
    return [one for one in asked if one is not None]


def ask_for(node: Node, tx: Transaction, one: Barred, *, actor: str) -> list[ConsentRow]:
    """Ask whoever stands between us and a use, without a person; nobody who is being asked, or who said no.

    A peer cannot make us ask without end, or ask whom it likes: of what it sent only `MOST_OPEN` questions are open
    at a time, and another than itself is asked only where the item names sources by which it could know it.
    """
    wanted = Wanted(action=one.action, recipient=one.recipient, purpose=one.purpose)
    item, now = one.item, node.clock()
    rows: list[ConsentRow] = []
    room = MOST_OPEN - tx.consents.open_about(item.compact, item.originator, now)
    before = asked_of(tx, one, now) | _said_no(tx, one)
    for originator in one.permitted.ask:
        knows_it = originator == item.originator or bool(item.handling.sources)
        if originator in before or not knows_it:
            continue
        if len(rows) >= room:
            _record_too_many(node, tx, item)
            break
        row = ask(node, tx, item, originator, wanted, actor=actor)
        rows += [row] if row is not None else []
    return rows


def asked_of(tx: Transaction, one: Barred, now: datetime) -> set[str]:
    """Whom we ask about exactly this use now, and who has consented to it."""
    return {row.peer for row in _about(tx, one) if row.state in ("asked", "granted") and row.expires_at > now}


def _about(tx: Transaction, one: Barred) -> list[ConsentRow]:
    """Every question of ours about exactly this use."""
    return [
        row for row in tx.consents.of_item(one.item.digest)
        if row.direction == "out"
        and (row.action, row.recipient, row.purpose) == (one.action, one.recipient, one.purpose)
    ]  # fmt: skip


def _record_too_many(node: Node, tx: Transaction, item: Item) -> None:
    if node.pace.alarms.allow(item.originator, node.clock()):
        node.record(
            tx, "alarm.too-many-questions", case_id=item.case_id, actor="node", peer=item.originator,
            item=item.id, open=MOST_OPEN,
        )  # fmt: skip


def ask(
    node: Node, tx: Transaction, item: Item, originator: str, wanted: Wanted, *, actor: str
) -> ConsentRow | None:
    """Send the question; None if it was asked before and is not over, or `originator` is no member any more."""
    now = node.clock()
    use = Use(item=item.digest, action=wanted.action, recipient=wanted.recipient, purpose=wanted.purpose)
    if not node.knows(originator, item.compact) or _standing(tx, use, originator, now):
        return None
    question = Question(
        id=node.new_id("consent"), use=use, originator=originator, asker=node.id, until=now + wanted.lasts,
        sources=item.handling.sources, why=wanted.why,
    )  # fmt: skip
    row = ConsentRow(
        id=question.id, direction="out", compact=item.compact, peer=originator, item_digest=item.digest,
        action=use.action, recipient=use.recipient, purpose=use.purpose, state="asked",
        expires_at=question.until, document={"question": words.write_question(question)}, at=now,
    )  # fmt: skip
    tx.consents.put(row)
    tell(node, tx, row, "consent.request", words.write_question(question), actor=actor)
    record(node, tx, "consent.asked", row, case_id=item.case_id, actor=actor)
    return row


def keys_of(node: Node, received: Received) -> Mapping[str, bytes]:
    """The signing keys that spoke for a message's sender when we logged it."""
    return node.compact(received.compact).keys_of(received.sender, received.received_at)


def signing_key(node: Node, compact: str) -> Ed25519PrivateKey:
    """The private half of the signing key on our card in that compact."""
    return node.keys.signing_for(node.compact(compact).member(node.id).signing_key)


# --- looking -------------------------------------------------------------------------------------------------


def waiting_for(tx: Transaction, case_id: str, now: datetime) -> list[ConsentRow]:
    """Questions of ours in a case that nobody has answered yet."""
    return [
        row
        for item in tx.items.of_case(case_id)
        if item.direction == "in" and item.state == "held"
        for row in tx.consents.of_item(item.digest)
        if row.direction == "out" and row.state == "asked" and row.expires_at > now
    ]


def refused(tx: Transaction, one: Barred) -> bool:
    """Whether whoever stands between us and a use has said no to it."""
    return bool(_said_no(tx, one) & set(one.permitted.ask))


def _said_no(tx: Transaction, one: Barred) -> set[str]:
    return {row.peer for row in _about(tx, one) if row.state in ("refused", "withdrawn")}


def _standing(tx: Transaction, use: Use, originator: str, now: datetime) -> bool:
    """Whether the very same was asked of them and is answered or still open."""
    return any(
        row.direction == "out" and row.peer == originator
        and (row.action, row.recipient, row.purpose) == (use.action, use.recipient, use.purpose)
        and row.expires_at > now and row.state in ("asked", "granted")
        for row in tx.consents.of_item(use.item)
    )  # fmt: skip


def _theirs(tx: Transaction, node: Node, item_id: str) -> Item:
    found = [one for one in tx.items.named(item_id) if one.direction == "in"]
    if not found:
        raise NotFound.because(
            expected="an item that a peer gave us",
            got=repr(item_id),
            remedy="List them: comity item list DIR",
        )
    if len(found) > 1:
        raise InputError.because(
            expected="one item: two members chose this id, or one in two compacts", got=item_id,
            remedy="Name it by its digest: comity item list DIR --json",
        )  # fmt: skip
    if found[0].state != "held":
        raise Conflict.because(expected="an item that is still held", got=f"{item_id}, {found[0].state}")
    return found[0]


def tell(
    node: Node, tx: Transaction, row: ConsentRow, type_: str, payload: Mapping[str, Any], *, actor: str
) -> None:
    letter = Letter(
        compact=row.compact, peer=row.peer, type=type_, case_id="", purpose="consent", legal_basis="",
        payload=payload,
    )  # fmt: skip
    send(node, tx, letter, actor=actor)


def record(
    node: Node, tx: Transaction, kind: str, row: ConsentRow, *, case_id: str, actor: str, why: str = ""
) -> None:
    node.record(
        tx, kind, case_id=case_id, actor=actor, consent=row.id, peer=row.peer, item=row.item_digest,
        action=row.action, recipient=row.recipient, purpose=row.purpose, why=why,
    )  # fmt: skip
