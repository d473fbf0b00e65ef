"""The originator alone makes the obligations of what it shared wider; who holds it goes by that (spec/handling.md §6).

The mirror image of `retract`: nobody widens what consists of another's words too, and nobody what was taken back.
What was made from it keeps the obligations that it went out with: it is made anew where the wider ones are wanted.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from comity.backends.sql import Received, Transaction
from comity.backends.sql.items import Item
from comity.errors import Conflict, InputError, NotFound
from comity.exchange.fields import LABEL, Fields
from comity.exchange.handling import MOST_DAYS, fits
from comity.exchange.relaxation import MAX_RELAXATION, Relaxation, make_relaxation, verify_relaxation
from comity.law import Action
from comity.model import Handling, Permission, Person
from comity.model.handling import relax
from comity.node.bootstrap import Node
from comity.node.handling.consent import keys_of, signing_key
from comity.node.handling.items import as_obeyed
from comity.node.handling.retract import our_held
from comity.node.policy import require_with_case
from comity.node.post.send import Letter, send


@dataclass(frozen=True, slots=True, kw_only=True)
class Wider:
    """What is to be permitted besides: to whom, for what, which actions, and for at least how many days."""

    audience: Collection[str] = ()
    purposes: Collection[str] = ()
    allow: Collection[str] = ()
    days: int = 0


def widen(node: Node, item_id: str, wider: Wider, *, person: Person, why: str) -> list[str]:
    """A person permits more of what we said; return whom that is told: who has it and may keep it.

    `NotTheOriginator` where it was made from others' words too, or was left to nobody.
    """
    require_with_case(node, Action.DECIDE_CONSENT, person)
    with node.records.transaction() as tx:
        item = our_held(node, tx, item_id)
        handling = relax(item.handling, by=node.id, to=_widened(node, item, wider))
        if handling == item.handling or not fits(handling):
            raise InputError.because(
                expected="something that is not permitted yet, and that a message can say", got="nothing of that",
                remedy=f"See what is permitted: comity item show DIR {item.id}",
            )  # fmt: skip
        _keep(tx, item, handling)
        relaxation = Relaxation(
            item=item.digest, message_id=item.id, originator=node.id, handling=handling, at=node.clock(), why=why,
        )  # fmt: skip
        signed = make_relaxation(relaxation, key=signing_key(node, item.compact))
        told = [
            one for one in tx.items.recipients(item.id)
            if one in item.handling.audience and node.knows(one, item.compact)
        ]  # fmt: skip
        for peer in told:
            letter = Letter(
                compact=item.compact, peer=peer, type="item.relaxation", case_id="", purpose="relaxation",
                legal_basis="", payload={"relaxation": signed},
            )  # fmt: skip
            send(node, tx, letter, actor=person.id)
        node.record(
            tx, "item.widened", case_id=item.case_id, actor=person.id, item=item.id, digest=item.digest,
            audience=list(handling.audience), told=told, why=why, relaxation=signed,
        )  # fmt: skip
    return told


def _widened(node: Node, item: Item, wider: Wider) -> Handling:
    members = {one.id for one in node.compact(item.compact).members}
    strangers = sorted(set(wider.audience) - members)
    if strangers:
        raise InputError.because(expected=f"members of {item.compact}", got=", ".join(strangers))
    unnamed = [one for one in wider.allow if LABEL.fullmatch(one) is None]
    if unnamed or not 0 <= wider.days <= MOST_DAYS:
        raise InputError.because(
            expected=f"names of actions, and at most {MOST_DAYS} days",
            got=", ".join(unnamed) or f"{wider.days} days",
        )
    now = item.handling
    return replace(
        now, audience=(*now.audience, *wider.audience), purposes=(*now.purposes, *wider.purposes),
        actions={**now.actions, **dict.fromkeys(wider.allow, Permission.ALLOW)},
        retention_days=max(now.retention_days, wider.days),
    )  # fmt: skip


def hear_relaxation(node: Node, tx: Transaction, received: Received) -> None:
    """A peer permits more of what it told us: only of its own message, if nobody else's words are in it."""
    text = Fields(received.payload, "relaxation").text("relaxation", longest=2 * MAX_RELAXATION)
    relaxation = verify_relaxation(text, keys=keys_of(node, received), originator=received.sender)
    item = tx.items.find(received.compact, received.sender, relaxation.message_id)
    if item is None or item.digest != relaxation.item:
        raise NotFound.because(
            expected=f"something that {received.sender} gave us", got=relaxation.message_id, where=received.id
        )
    if item.state != "held":
        raise Conflict.because(expected="an item that is still held", got=f"{item.id}, {item.state}")
    stated = relax(item.handling, by=received.sender, to=relaxation.handling)
    _keep(tx, item, as_obeyed(node, item.compact, received.sender, stated))
    node.record(
        tx, "item.relaxed", case_id=item.case_id, actor=received.sender, item=item.id, digest=item.digest,
        audience=list(stated.audience), why=relaxation.why, relaxation=text, told_in=received.id,
    )  # fmt: skip
    tx.items.resume(item.compact, item.digest)
    case = tx.cases.find(item.case_id)
    if case is not None and case.origin == node.id:
        tx.cases.want_pursuit(case.id)


def _keep(tx: Transaction, item: Item, handling: Handling) -> None:
    """The time to keep it counts from when it was taken in, or said, as before."""
    end = item.at + timedelta(days=handling.retention_days)
    tx.items.put(replace(item, handling=handling, retain_until=end))
