"""A compact: the authorities that agreed to work together on one problem, and their keys. Pure.

The document embeds each member's card as it was signed. It is not signed as a whole: every node joins one
exact document after its people compared `fingerprint` over another channel, and talks to nobody else
(spec/compact.md). A later version (a rotated key, a new member) is another document, joined just as
explicitly.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from comity.errors import Conflict, NotFound, TrustError
from comity.exchange.certificate import read_certificate
from comity.exchange.fields import ID, Malformed, read_object, write_instant
from comity.exchange.member import Member, read_card
from comity.proofs.canonical import canonical_bytes
from comity.proofs.note import VerifierKey
from comity.proofs.signatures import MAX_JWS

MAX_COMPACT = 4 * 1024 * 1024
MAX_MEMBERS = 256


class CompactClash(TrustError):
    """Two members share what must be theirs alone."""

    code = "compact.clash"
    remedy = "Ask both for new cards, or leave one out; a compact in which two could be confused is refused."


class CompactRollback(Conflict):
    """The offered document does not come after the one this node has joined."""

    code = "compact.rollback"
    remedy = "Ask the other members which version they have joined, and join that one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """`document` is the exact bytes that were agreed; `digest` is their SHA-256 in hex."""

    name: str
    problem: str
    members: tuple[Member, ...]
    formed_at: datetime
    document: bytes
    digest: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.document)

    @property
    def signing_keys(self) -> Mapping[str, bytes]:
        """Key id → raw Ed25519 key, as `proofs.signatures.verify` wants them."""
        return {member.signing_key_id: member.signing_key for member in self.members}

    def member(self, member_id: str) -> Member:
        for member in self.members:
            if member.id == member_id:
                return member
        raise NotFound.because(expected=f"a member of compact {self.name}", got=member_id)

    def covering(self, country: str) -> Member | None:
        """The one member whose book holds that country's accounts, if any."""
        return next((member for member in self.members if country in member.covers), None)

    def by_signing_key(self, key_id: str) -> Member | None:
        return next((member for member in self.members if member.signing_key_id == key_id), None)

    def by_certificate(self, der: bytes) -> Member | None:
        """Whose pinned certificate this is: what a TLS peer presented, compared byte for byte."""
        return next(
            (one for one in self.members if read_certificate(one.tls_certificate, where=one.id).der == der),
            None,
        )


def form(cards: Sequence[str], *, name: str, problem: str, formed_at: datetime) -> bytes:
    """Write the document for `cards`, members in order of their ids; raises what `read_compact` would."""
    ordered = sorted(cards, key=lambda card: read_card(card).id)
    document = canonical_bytes(
        {"v": 1, "name": name, "problem": problem, "formed_at": write_instant(formed_at), "members": ordered}
    )
    read_compact(document)
    return document


def read_compact(document: bytes) -> Compact:
    """Verify every card and refuse members that could be confused, or raise what is wrong."""
    fields = read_object(document, where="compact", max_bytes=MAX_COMPACT)
    if canonical_bytes(dict(fields.values)) != document:
        raise Malformed("expected canonical JSON, so that one compact has one fingerprint", where="compact")
    fields.integer("v", least=1, most=1)
    cards = fields.values.get("members")
    if not isinstance(cards, list) or not 2 <= len(cards) <= MAX_MEMBERS:
        raise fields.wrong("members", f"2 to {MAX_MEMBERS} cards", cards)
    members = tuple(_read(card, position) for position, card in enumerate(cards, start=1))
    _refuse_clashes(members)
    if list(members) != sorted(members, key=lambda member: member.id):
        raise Malformed("members: expected them in order of their ids", where="compact")
    return Compact(
        name=fields.text("name", form=ID),
        problem=fields.text("problem", longest=500),
        members=members,
        formed_at=fields.instant("formed_at"),
        document=document,
        digest=hashlib.sha256(document).hexdigest(),
    )


def fingerprint(document: bytes) -> str:
    """SHA-256 in hex, in groups of four, to be read aloud and compared."""
    digest = hashlib.sha256(document).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def refuse_rollback(offered: Compact, *, joined: Compact) -> None:
    """Raise `CompactRollback` unless `offered` is a later version of the compact this node has joined."""
    if offered.name != joined.name or offered.formed_at <= joined.formed_at:
        raise CompactRollback.because(
            expected=f"a version of {joined.name} formed after {write_instant(joined.formed_at)}",
            got=f"{offered.name} formed {write_instant(offered.formed_at)}",
        )


def _read(card: object, position: int) -> Member:
    if not isinstance(card, str) or len(card) > MAX_JWS:
        raise Malformed(f"members: expected card {position} to be a JWS", where="compact")
    return read_card(card)


def _refuse_clashes(members: Sequence[Member]) -> None:
    unique: dict[str, Callable[[Member], object]] = {
        "id": lambda member: member.id,
        "signing key id": lambda member: member.signing_key_id,
        "sealing key id": lambda member: member.sealing_key_id,
        "TLS certificate": lambda member: member.tls_certificate,
        "endpoint": lambda member: member.endpoint.rstrip("/").lower(),
        "log name": lambda member: member.log_key.split("+", 1)[0],
        "witness name": lambda member: member.witness_key.split("+", 1)[0],
    }
    for what, of in unique.items():
        _refuse_same(what, [(of(member), member.id) for member in members])
    _refuse_same("Ed25519 key", [(key, member.id) for member in members for key in _ed25519_keys(member)])
    _refuse_same("country", [(country, member.id) for member in members for country in member.covers])


def _ed25519_keys(member: Member) -> tuple[bytes, bytes, bytes]:
    """One member's signing key must not be another's log key either."""
    log, witness = VerifierKey.parse(member.log_key), VerifierKey.parse(member.witness_key)
    return member.signing_key, log.public, witness.public


def _refuse_same(what: str, stated: Sequence[tuple[object, str]]) -> None:
    holder: dict[object, str] = {}
    for value, member_id in stated:
        if value in holder:
            raise CompactClash(
                f"expected each {what} once, got {value!r:.80} of {holder[value]} and {member_id}"
            )
        holder[value] = member_id
