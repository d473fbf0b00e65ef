"""Pack a message for one or several members, and unpack what arrived (spec/envelope.md). Pure.

Wire: the signed manifest (one JWS line), a line feed, the ciphertext. The bytes that were signed are the
bytes that are verified and digested; nothing signed is ever encoded again. `unpack` checks in one fixed order
(spec §6), and until the signature holds believes nothing but which key to try. It does not know what arrived
before: replays and gaps are `arrival`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import InputError
from comity.exchange import manifest as manifests
from comity.exchange.fields import Fields, read_object
from comity.exchange.mandate import Mandate, require_mandate
from comity.exchange.manifest import Link, Manifest, Message
from comity.exchange.refusals import (
    BadPayload,
    Expired,
    LifetimeTooLong,
    MalformedWire,
    OtherCompact,
    OtherRecipientKey,
    OversizeEnvelope,
    Premature,
    SenderMismatch,
    UnknownSender,
    WrongRecipient,
)
from comity.exchange.register.compact import Compact
from comity.exchange.register.member import Member
from comity.proofs import sealing, signatures
from comity.proofs.canonical import MAX_DEPTH, canonical_bytes, parse_strict

ENVELOPE_TYPE = "comity-envelope+jws"
MAX_WIRE = 16 * 1024 * 1024
MAX_MANIFEST = signatures.MAX_PAYLOAD
MAX_LIFETIME = timedelta(days=30)
MAX_SKEW = timedelta(minutes=5)
MAX_PAYLOAD_DEPTH = MAX_DEPTH - 1
"""A payload is kept as a member of the document that the inbox stores."""
LEAST_PAYLOAD = 4 * 1024
LEAST_REPLY = 16 * 1024
PADDING_STEP = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """A recipient, and where this envelope stands in the chain of envelopes to it."""

    member: Member
    sequence: int
    previous: str = manifests.NO_PREVIOUS


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """`wire` goes on the way. `digest` names the envelope: SHA-256 of its signed line, in hex."""

    wire: bytes
    jws: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A message that holds, from whom, and its place in the chain from that sender to us."""

    compact: str
    message: Message
    sender: Member
    recipients: tuple[str, ...]
    sequence: int
    previous: str
    digest: str
    jws: str
    unknown: Mapping[str, Any]
    """Signed fields of a newer version, understood by nobody here yet; `jws` keeps them byte for byte."""
    size: int = 0
    """Bytes on the wire."""


def pack(
    message: Message,
    *,
    compact: str,
    sender: Member,
    signing_key: Ed25519PrivateKey,
    addressees: Sequence[Addressee],
    random: sealing.Randomness,
    extra: Mapping[str, Any] | None = None,
) -> Packed:
    """Seal and sign `message`; `InputError` for anything that `unpack` would refuse.

    `compact` is the compact's name. `extra` adds signed fields that this version gives no meaning to.
    """
    payload = padded(
        canonical_bytes(dict(message.payload), deepest=MAX_PAYLOAD_DEPTH), reply=bool(message.in_reply_to)
    )
    if signatures.public_bytes(signing_key) != sender.signing_key:
        raise InputError.because(expected=f"the signing key on {sender.id}'s card", got="another key")
    party = (sender.id, sender.signing_key_id)
    to = [(one.member.id, one.member.sealing_key_id) for one in addressees]
    sealed = sealing.seal(
        payload,
        message_id=message.id,
        binding=manifests.binding(compact, message.id, message.type, party, to),
        recipients=[one.member.sealing_key for one in addressees],
        random=random,
    )
    links = [_link(one, sealed) for one in addressees]
    written = manifests.write(message, compact=compact, sender=party, links=links, sealed=sealed)
    fields = {**(extra or {}), **written}
    signed = canonical_bytes(fields)
    _refuse_unsendable(fields, len(signed))
    jws = signatures.sign(signed, typ=ENVELOPE_TYPE, key=signing_key)
    wire = jws.encode("ascii") + b"\n" + sealed.ciphertext
    if len(wire) > MAX_WIRE:
        raise OversizeEnvelope.because(
            expected=f"an envelope of at most {MAX_WIRE} bytes", got=str(len(wire))
        )
    return Packed(wire=wire, jws=jws, digest=digest_of_line(jws))


def unpack(
    wire: bytes,
    *,
    compacts: Mapping[str, Compact],
    own_id: str,
    sealing_keys: Sequence[sealing.SealingKey],
    now: datetime,
) -> Opened:
    """Verify, then open. Raises an `InputError` or `TrustError` whose code says which check failed first.

    `compacts` are those we have joined, by name; `sealing_keys` are ours, the present one and those that
    messages on their way may still be sealed to.
    """
    jws, ciphertext = _split(wire)
    joined = {name: compact.at(now) for name, compact in compacts.items()}
    key_id, fields = _verified(jws, joined)
    manifest = manifests.read(fields)
    compact, sender = _placed(manifest, key_id, joined)
    link, sealing_key = _own_link(manifest, own_id, sealing_keys)
    _refuse_untimely(manifest.message, now)
    _refuse_borrowed_name(manifest, compact, own_id)
    payload = _open(manifest, link, ciphertext, sealing_key)
    return Opened(
        compact=compact.name,
        message=replace(manifest.message, payload=payload),
        sender=sender,
        recipients=tuple(one.member_id for one in manifest.links),
        sequence=link.sequence,
        previous=link.previous,
        digest=digest_of_line(jws),
        jws=jws,
        unknown=manifest.unknown,
        size=len(wire),
    )


def digest_of_line(jws: str) -> str:
    """Name an envelope by its signed line: SHA-256 in hex."""
    return sealing.digest_of(jws.encode("ascii"))


def digest_of_wire(wire: bytes) -> str:
    """Name whatever came, verified or not, so that a refusal can say what it refuses."""
    try:
        return digest_of_line(_split(wire)[0])
    except InputError:
        return sealing.digest_of(wire)


def _link(addressee: Addressee, sealed: sealing.Sealed) -> Link:
    key_id = addressee.member.sealing_key_id
    return Link(
        member_id=addressee.member.id,
        key_id=key_id,
        sequence=addressee.sequence,
        previous=addressee.previous,
        wrap=sealed.wraps[key_id],
    )


def _refuse_unsendable(fields: dict[str, Any], size: int) -> None:
    if size > MAX_MANIFEST:
        raise InputError.because(expected=f"a manifest of at most {MAX_MANIFEST} bytes", got=str(size))
    manifest = manifests.read(Fields(fields, "envelope"))
    _refuse_lifetime(manifest.message)
    if manifest.sender_id in {link.member_id for link in manifest.links}:
        raise InputError.because(expected="recipients other than the sender", got=manifest.sender_id)
    requester = manifest.message.requester
    if requester.id != manifest.sender_id and not requester.mandate:
        raise InputError.because(expected=f"a mandate of {requester.id} to say it in its name", got="none")


def _split(wire: bytes) -> tuple[str, bytes]:
    if len(wire) > MAX_WIRE:
        raise OversizeEnvelope.because(
            expected=f"an envelope of at most {MAX_WIRE} bytes", got=str(len(wire))
        )
    end = wire.find(b"\n", 0, signatures.MAX_JWS + 1)
    if end < 0 and len(wire) > signatures.MAX_JWS:
        raise OversizeEnvelope.because(
            expected=f"a signed line of at most {signatures.MAX_JWS} bytes", got="more"
        )
    if end < 0:
        raise MalformedWire.because(expected="a signed line, a line feed, a ciphertext", got="no line feed")
    if not wire[:end].isascii():
        raise MalformedWire.because(expected="a signed line in ASCII", got="other bytes")
    return wire[:end].decode("ascii"), wire[end + 1 :]


def padded(payload: bytes, *, reply: bool) -> bytes:
    """`payload` with spaces behind it (white space after JSON means nothing), up to one of a few lengths.

    4 KiB, doubling up to 64 KiB, then multiples of 64 KiB: the length on the wire tells little of what was
    said. Replies have at least 16 KiB, so that a refusal and an answer look alike (spec/envelope.md §4.1).
    """
    size = len(payload) + sealing.SALT_BYTES
    room = LEAST_REPLY if reply else LEAST_PAYLOAD
    while room < size and room < PADDING_STEP:
        room *= 2
    if room < size:
        room = -(-size // PADDING_STEP) * PADDING_STEP
    return payload + b" " * (room - size)


def _verified(jws: str, compacts: Mapping[str, Compact]) -> tuple[str, Fields]:
    """Key id and signed fields of a line that a member of any of our compacts signed.

    Until that holds nothing of the line is looked at, not even for which compact it is.
    """
    keys = {key_id: key for compact in compacts.values() for key_id, key in compact.signing_keys.items()}
    try:
        verified = signatures.verify(jws, typ=ENVELOPE_TYPE, keys=keys)
    except signatures.UnknownKey as error:
        raise UnknownSender(f"expected a member of a compact of ours: {error.problem}") from error
    return verified.kid, read_object(verified.payload, where="envelope", max_bytes=MAX_MANIFEST)


def _placed(manifest: Manifest, key_id: str, compacts: Mapping[str, Compact]) -> tuple[Compact, Member]:
    """The compact in which it is said, and its member who says it: being a member of another is nothing here."""
    compact = compacts.get(manifest.compact)
    if compact is None:
        raise OtherCompact(f"expected a compact of ours, got {manifest.compact}")
    sender = compact.by_signing_key(key_id)
    if sender is None:
        raise UnknownSender(f"expected a member of compact {compact.name}, got {key_id}")
    if (manifest.sender_id, manifest.sender_key_id) != (sender.id, key_id):
        raise SenderMismatch(f"expected {sender.id}, whose key signed, got {manifest.sender_id}")
    return compact, sender


def _refuse_borrowed_name(manifest: Manifest, compact: Compact, own_id: str) -> None:
    """Said for another than the sender: only with that one's own signed word (`mandate`).

    It arrives now, so that one must be a member now, and its key must hold now.
    """
    message = manifest.message
    if message.requester.id == manifest.sender_id:
        return
    wanted = Mandate(
        compact=compact.name, requester=message.requester.id, deputy=manifest.sender_id,
        recipients=(own_id,), type=message.type, purpose=message.purpose, expires=message.expires,
    )  # fmt: skip
    present = any(member.id == wanted.requester for member in compact.members)
    keys = compact.keys_of(wanted.requester, compact.as_of) if present else {}
    require_mandate(message.requester.mandate, wanted, keys=keys)


def _own_link(
    manifest: Manifest, own_id: str, keys: Sequence[sealing.SealingKey]
) -> tuple[Link, sealing.SealingKey]:
    link = next((one for one in manifest.links if one.member_id == own_id), None)
    if link is None:
        raise WrongRecipient(
            f"expected an envelope to {own_id}, got {[one.member_id for one in manifest.links]}"
        )
    ours = {signatures.key_id(key.public): key for key in keys}
    if link.key_id not in ours:
        raise OtherRecipientKey(f"expected it sealed to {' or '.join(ours)}, got {link.key_id}")
    return link, ours[link.key_id]


def _refuse_untimely(message: Message, now: datetime) -> None:
    if message.issued > now + MAX_SKEW:
        raise Premature(f"expected issued by {now.isoformat()}, got {message.issued.isoformat()}")
    if message.expires <= now:
        raise Expired(f"expected expiry after {now.isoformat()}, got {message.expires.isoformat()}")
    _refuse_lifetime(message)


def _refuse_lifetime(message: Message) -> None:
    lifetime = message.expires - message.issued
    if not timedelta(0) < lifetime <= MAX_LIFETIME:
        raise LifetimeTooLong(f"expected a lifetime of up to {MAX_LIFETIME}, got {lifetime}")


def _open(manifest: Manifest, link: Link, ciphertext: bytes, key: sealing.SealingKey) -> Mapping[str, Any]:
    payload = sealing.unseal(
        ciphertext,
        message_id=manifest.message.id,
        binding=manifests.binding(
            manifest.compact,
            manifest.message.id,
            manifest.message.type,
            (manifest.sender_id, manifest.sender_key_id),
            [(one.member_id, one.key_id) for one in manifest.links],
        ),
        commitment=manifest.commitment,
        digest=manifest.ct_digest,
        wrap=link.wrap,
        key=key,
    )
    try:
        value = parse_strict(payload, where="payload", max_bytes=MAX_WIRE, deepest=MAX_PAYLOAD_DEPTH)
    except InputError as error:
        raise BadPayload(error.problem, where="payload") from error
    if not isinstance(value, dict):
        raise BadPayload.because(expected="a JSON object", got=type(value).__name__, where="payload")
    return value
