"""Queue a message for a peer: sealed, signed, numbered and stored in the transaction of what it says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from comity.backends.sql import Transaction
from comity.exchange import Addressee, Message, Outgoing, pack
from comity.model import Handling, Permission
from comity.node.bootstrap import Node

LIFETIME = timedelta(hours=72)
"""How long a message waits for a peer that is down before it is given up as undelivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What to tell a peer; `in_reply_to` is the id of the message this answers, or empty."""

    peer: str
    type: str
    case_id: str
    purpose: str
    legal_basis: str
    payload: Mapping[str, Any]
    in_reply_to: str = ""


def send(node: Node, tx: Transaction, letter: Letter, *, actor: str) -> str:
    """Put `letter` in the outbox and its event in the ledger; return the message's id."""
    now = node.clock()
    compact = node.compact()
    sequence, previous = tx.outbox.chain_end(letter.peer)
    message = Message(
        id=node.new_id("message"), type=letter.type, case_id=letter.case_id, purpose=letter.purpose,
        legal_basis=letter.legal_basis, handling=_handling(node, letter), issued=now,
        expires=now + LIFETIME, in_reply_to=letter.in_reply_to, payload=letter.payload,
    )  # fmt: skip
    packed = pack(
        message, compact=compact.name, sender=compact.member(node.id), signing_key=node.keys.signing,
        random=os.urandom,
        addressees=[
            Addressee(member=compact.member(letter.peer), sequence=sequence + 1, previous=previous)
        ],
    )  # fmt: skip
    tx.outbox.put(
        Outgoing(
            receiver=letter.peer, message_id=message.id, type=letter.type, case_id=letter.case_id,
            sequence=sequence + 1, digest=packed.digest, wire=packed.wire, expires=message.expires,
        ),
        due=now,
    )  # fmt: skip
    node.record(
        tx, "message.queued", case_id=letter.case_id, actor=actor,
        message=message.id, type=letter.type, peer=letter.peer, sequence=sequence + 1,
        digest=packed.digest, legal_basis=letter.legal_basis, purpose=letter.purpose,
    )  # fmt: skip
    return message.id


def _handling(node: Node, letter: Letter) -> Handling:
    """Intelligence, not evidence: anything beyond working on this case must be asked for."""
    return Handling(
        originator=node.id,
        audience=(letter.peer,),
        purposes=(letter.purpose,),
        actions={
            "read": Permission.ALLOW, "search": Permission.ALLOW, "link": Permission.ALLOW,
            "derive": Permission.ALLOW, "disclose_onward": Permission.ASK, "judicial_use": Permission.ASK,
            "contact_subject": Permission.DENY, "automated_match": Permission.DENY,
        },
        retention_days=90,
        caveat="Intelligence only; not evidence until released by the originator.",
    )  # fmt: skip
