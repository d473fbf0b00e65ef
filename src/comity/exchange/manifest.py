"""The signed manifest of an envelope: what is written, and what must hold to be read (spec/envelope.md §3).
Pure.

`read` checks form only. Whether sender, recipient and time are right is `envelope`'s to decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity.exchange.fields import DIGEST, ID, KEY_ID, LABEL, Fields, write_instant
from comity.exchange.handling import read_handling, write_handling
from comity.exchange.refusals import UnsupportedVersion
from comity.model import Handling
from comity.proofs import sealing, signatures

VERSION = 1
MAX_RECIPIENTS = 32
MAX_SEQUENCE = 2**53 - 1
MAX_MANDATE = 4 * 1024
NO_PREVIOUS = "0" * 64
_KNOWN = frozenset({
    "v", "compact", "id", "type", "from", "to", "requester", "case", "purpose", "legal_basis", "handling",
    "in_reply_to", "issued", "expires", "pt_commit", "ct_digest",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """For whom it is said: the authority that wants it, and the person or policy there that decided to.

    `mandate` is empty where that authority is the sender itself; else its signed word that the sender may
    (`exchange.mandate`).
    """

    id: str
    actor: str
    mandate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one authority says to others. `payload` is a JSON object without floats."""

    id: str
    type: str
    case_id: str
    """Empty if it is about no case."""
    purpose: str
    legal_basis: str
    """Empty where none is needed: a receipt, a notice."""
    handling: Handling
    issued: datetime
    expires: datetime
    in_reply_to: str
    """Id of the message it answers, or empty."""
    payload: Mapping[str, Any]
    requester: Requester


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where an envelope stands in the chain from its sender to one recipient, and the key sealed for it.

    `sequence` counts from 1; `previous` is the SHA-256 of the preceding signed line of this ordered pair.
    """

    member_id: str
    key_id: str
    sequence: int
    previous: str
    wrap: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest read from its signed bytes. `unknown` are fields of a newer version, kept as they came."""

    compact: str
    message: Message
    """Without its payload, which is still sealed."""
    sender_id: str
    sender_key_id: str
    links: tuple[Link, ...]
    commitment: str
    ct_digest: str
    unknown: Mapping[str, Any]


def write(
    message: Message,
    *,
    compact: str,
    sender: tuple[str, str],
    links: Sequence[Link],
    sealed: sealing.Sealed,
) -> dict[str, Any]:
    """Return the manifest as JSON values. `sender` is (member id, signing key id)."""
    return {
        "v": VERSION,
        "compact": compact,
        "id": message.id,
        "type": message.type,
        "from": {"id": sender[0], "key": sender[1]},
        "to": [_write_link(link) for link in links],
        "requester": {
            "id": message.requester.id,
            "actor": message.requester.actor,
            "mandate": message.requester.mandate,
        },
        "case": message.case_id,
        "purpose": message.purpose,
        "legal_basis": message.legal_basis,
        "handling": write_handling(message.handling),
        "in_reply_to": message.in_reply_to,
        "issued": write_instant(message.issued),
        "expires": write_instant(message.expires),
        "pt_commit": sealed.commitment,
        "ct_digest": sealed.digest,
    }


def read(fields: Fields) -> Manifest:
    """Read every field, or raise `UnsupportedVersion` or `Malformed` naming the first that is wrong."""
    version = fields.integer("v", least=1, most=2**31)
    if version != VERSION:
        raise UnsupportedVersion.because(expected=f"envelope version {VERSION}", got=str(version))
    sender = fields.nested("from")
    links = tuple(_read_link(one) for one in fields.objects("to", least=1, most=MAX_RECIPIENTS))
    if len({link.member_id for link in links}) != len(links) or len({link.key_id for link in links}) != len(
        links
    ):
        raise fields.wrong("to", "each recipient and key once", [link.member_id for link in links])
    return Manifest(
        compact=fields.text("compact", form=ID),
        message=_read_message(fields),
        sender_id=sender.text("id", form=ID),
        sender_key_id=sender.text("key", form=KEY_ID),
        links=links,
        commitment=fields.text("pt_commit", form=DIGEST),
        ct_digest=fields.text("ct_digest", form=DIGEST),
        unknown=fields.beyond(_KNOWN),
    )


def binding(
    compact: str, message_id: str, type_: str, sender: tuple[str, str], to: Sequence[tuple[str, str]]
) -> bytes:
    """What the ciphertext is bound to, besides its commitment (spec/envelope.md §4).

    A fixed line format over values whose characters `read` has restricted (no space, no line feed), so that
    two different envelopes never give the same bytes and nobody has to encode JSON the same way twice.
    """
    lines = [
        "comity-envelope/1",
        compact,
        message_id,
        type_,
        " ".join(sender),
        *(" ".join(one) for one in to),
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _read_message(fields: Fields) -> Message:
    return Message(
        id=fields.text("id", form=LABEL),
        type=fields.text("type", form=LABEL),
        case_id=fields.text_or_empty("case", form=LABEL),
        purpose=fields.text("purpose"),
        legal_basis=fields.text_or_empty("legal_basis"),
        handling=read_handling(fields.nested("handling")),
        issued=fields.instant("issued"),
        expires=fields.instant("expires"),
        in_reply_to=fields.text_or_empty("in_reply_to", form=LABEL),
        payload={},
        requester=_read_requester(fields.nested("requester")),
    )


def _read_requester(fields: Fields) -> Requester:
    return Requester(
        id=fields.text("id", form=ID),
        actor=fields.text("actor", longest=80),
        mandate=fields.text_or_empty("mandate", longest=MAX_MANDATE),
    )


def _write_link(link: Link) -> dict[str, Any]:
    return {
        "id": link.member_id,
        "key": link.key_id,
        "sequence": link.sequence,
        "previous": link.previous,
        "wrap": signatures.encode(link.wrap),
    }


def _read_link(fields: Fields) -> Link:
    link = Link(
        member_id=fields.text("id", form=ID),
        key_id=fields.text("key", form=KEY_ID),
        sequence=fields.integer("sequence", least=1, most=MAX_SEQUENCE),
        previous=fields.text("previous", form=DIGEST),
        wrap=fields.binary("wrap", length=sealing.WRAP_BYTES),
    )
    if (link.sequence == 1) != (link.previous == NO_PREVIOUS):
        raise fields.wrong("previous", "zeros for the first of a pair and only for it", link.previous)
    return link
