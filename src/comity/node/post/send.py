"""Queue a message for one or several peers: sealed, signed, numbered and stored in the transaction of what it says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from comity.backends.sql import Transaction
from comity.errors import ComityError
from comity.exchange import (
    Addressee,
    Compact,
    Member,
    Message,
    Outgoing,
    Packed,
    Requester,
    Status,
    lifetime,
    pack,
)
from comity.model import Handling
from comity.node.bootstrap import Node
from comity.node.handling.items import keep_sent
from comity.node.handling.sending import CONTROL, to_send
from comity.node.log.quorum import policy as quorum_policy
from comity.node.post.pace import next_tick
from comity.node.post.receipts import conclude
from comity.node.registers.update import CHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What to tell a peer; `in_reply_to` is the id of the message this answers, or empty.

    `also` are further members of the compact who get the very same envelope (each sees who the others are).
    `senders` are the peers whose words are in it: who may get it depends on them. None: anybody's in its case.
    `answers`: it is what the message replied to asked for, which is thereby handled.
    """

    compact: str
    peer: str
    type: str
    case_id: str
    purpose: str
    legal_basis: str
    payload: Mapping[str, Any]
    in_reply_to: str = ""
    also: tuple[str, ...] = ()
    answers: bool = False
    handling: Handling | None = None
    senders: frozenset[str] | None = None

    @property
    def peers(self) -> tuple[str, ...]:
        return (self.peer, *self.also)


def send(node: Node, tx: Transaction, letter: Letter, *, actor: str) -> str:
    """Put `letter` in the outbox, a row and an event for each recipient; return the message's id."""
    now = node.clock()
    compact = node.compact(letter.compact)
    handling = to_send(
        node, tx, compact=letter.compact, peers=letter.peers, type_=letter.type, case_id=letter.case_id,
        purpose=letter.purpose, senders=letter.senders, stated=letter.handling,
    )  # fmt: skip
    ends = {peer: tx.outbox.chain_end(letter.compact, peer) for peer in letter.peers}
    message = Message(
        id=node.new_id("message"), type=letter.type, case_id=letter.case_id, purpose=letter.purpose,
        legal_basis=letter.legal_basis, handling=handling, issued=now,
        expires=now + lifetime(letter.type), in_reply_to=letter.in_reply_to, payload=letter.payload,
        requester=Requester(id=node.id, actor=actor),
    )  # fmt: skip
    packed = _packed(node, compact, message, ends)
    if letter.type not in CONTROL:
        keep_sent(
            node, tx, message_id=message.id, compact=letter.compact, case_id=letter.case_id, digest=packed.digest,
            handling=handling,
        )  # fmt: skip
    for peer, (sequence, _) in ends.items():
        node.record(
            tx, "message.queued", case_id=letter.case_id, actor=actor,
            message=message.id, type=letter.type, compact=letter.compact, peer=peer, sequence=sequence + 1,
            digest=packed.digest, legal_basis=letter.legal_basis, purpose=letter.purpose,
        )  # fmt: skip
        tx.outbox.put(
            Outgoing(
                compact=letter.compact, receiver=peer, message_id=message.id, type=letter.type,
                case_id=letter.case_id, sequence=sequence + 1, digest=packed.digest, wire=packed.wire,
                expires=message.expires, in_reply_to=letter.in_reply_to, witness_event=_to_witness(node, tx, letter),
            ),
            due=_leaves(node, tx, letter, peer, now),
        )  # fmt: skip
        if letter.answers:
            conclude(node, tx, letter.compact, peer, letter.in_reply_to, Status.HANDLED)
    return message.id


def _packed(node: Node, compact: Compact, message: Message, ends: Mapping[str, tuple[int, str]]) -> Packed:
    card = _our_card(compact, node.id, message.type)
    return pack(
        message, compact=compact.name, sender=card, signing_key=node.keys.signing_for(card.signing_key),
        random=os.urandom,
        addressees=[
            Addressee(member=compact.member(peer), sequence=sequence + 1, previous=previous)
            for peer, (sequence, previous) in ends.items()
        ],
    )  # fmt: skip


def _our_card(compact: Compact, own_id: str, message_type: str) -> Member:
    """The present one. News of the register goes under the one that it replaces, while that holds: who needs the news
    knows no other yet.
    """
    replaced = [one for one in compact.retiring if one.id == own_id] if message_type == CHANGED else []
    return replaced[0] if replaced else compact.member(own_id)


def _to_witness(node: Node, tx: Transaction, letter: Letter) -> int:
    """The event that must stand under a quorum before this leaves; 0 if none must, as it tells nothing (`CONTROL`).

    A policy that cannot be read is met by nothing: `node.log.quorum.witnessed` holds the message back, and says why.
    """
    return tx.outbox.newest_event() if letter.type not in CONTROL and _asks_for_witnesses(node) else 0


def _asks_for_witnesses(node: Node) -> bool:
    try:
        found = quorum_policy(node)
    except ComityError:
        return True
    return found is not None and not found.asks_nothing


def _leaves(node: Node, tx: Transaction, letter: Letter, peer: str, now: datetime) -> datetime:
    """Now; a reply at the next of the ticks that follow the arrival of what it answers (spec/delivery.md §7)."""
    arrived = tx.inbox.arrived(letter.compact, peer, letter.in_reply_to) if letter.in_reply_to else None
    if arrived is None:
        return now
    return next_tick(now, arrived, timedelta(milliseconds=node.settings.reply_tick_ms))
