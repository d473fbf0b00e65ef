"""A member of a compact, and its card: a self-signed statement of its keys, certificate and addresses. Pure.

A card proves only that whoever holds the signing key wrote it. Which card is whose is settled by people who
compare the compact's fingerprint over another channel (spec/register.md §3); every field is checked here so
that what they agreed to can be used without asking again.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import InputError, TrustError
from comity.exchange.fields import COUNTRY, ID, Fields, Malformed, read_object
from comity.exchange.register.address import refuse_private
from comity.exchange.register.certificate import read_certificate
from comity.model import Authority
from comity.proofs import sealing, signatures
from comity.proofs.canonical import canonical_bytes
from comity.proofs.note import COSIGNATURE, ED25519, VerifierKey

CARD_TYPE = "comity-card+jws"
VERSION = 2
MAX_CARD = 16 * 1024
_URL = re.compile(r"[!-~]{1,500}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?", re.ASCII)


class CardKeyMismatch(TrustError):
    """A card signed by another key than the one it states."""

    code = "card.key-mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One node of a compact, as its card states it. Keys are raw public bytes, the certificate is PEM."""

    authority: Authority
    covers: tuple[str, ...]
    """ISO 3166-1 codes of the countries whose accounts its book holds; empty for oversight."""
    signing_key: bytes
    sealing_key: bytes
    tls_certificate: str
    endpoint: str
    """https address of its peer surface."""
    public_url: str
    """Address of its public pages and log."""
    log_key: str
    """Signed-note verifier key of its log."""
    witness_key: str
    """Signed-note verifier key of its cosignatures."""
    root_key: bytes
    """Raw Ed25519 key with which its state signs in the register; the same on every card of that state."""
    online_key: bytes
    """Raw Ed25519 key with which this node says that the register it holds is the newest."""
    private_network: bool
    """Whether its endpoint may resolve to a private or loopback address."""
    pull: bool
    """Whether nobody can connect to it: it fetches what others have for it (spec/delivery.md §6)."""

    @property
    def id(self) -> str:
        return self.authority.id

    @property
    def state(self) -> str:
        """ISO 3166-1 code of the state it belongs to, whose word on its cards counts."""
        return self.authority.jurisdiction

    @property
    def signing_key_id(self) -> str:
        return signatures.key_id(self.signing_key)

    @property
    def sealing_key_id(self) -> str:
        return signatures.key_id(self.sealing_key)


def make_card(member: Member, *, key: Ed25519PrivateKey) -> str:
    """Sign `member`'s card with its own signing key; raises what `read_card` would raise."""
    card = signatures.sign(canonical_bytes(_state(member)), typ=CARD_TYPE, key=key)
    read_card(card)
    return card


def read_card(card: str) -> Member:
    """Return the member a card states, or raise `Malformed` or a `TrustError` that says what is wrong."""
    claimed = signatures.read_unverified(card, typ=CARD_TYPE)
    fields = read_object(claimed.payload, where="card", max_bytes=MAX_CARD)
    public = fields.binary("signing_key", length=signatures.PUBLIC_BYTES)
    signatures.refuse_weak(public)
    if claimed.kid != signatures.key_id(public):
        raise CardKeyMismatch(f"expected the card signed by {signatures.key_id(public)}, got {claimed.kid}")
    signatures.verify(card, typ=CARD_TYPE, keys={claimed.kid: public})
    fields.integer("v", least=VERSION, most=VERSION)
    return _member(fields, public)


def _state(member: Member) -> dict[str, Any]:
    return {
        "v": VERSION,
        "id": member.authority.id,
        "name": member.authority.name,
        "jurisdiction": member.authority.jurisdiction,
        "oversight": member.authority.oversight,
        "covers": list(member.covers),
        "signing_key": signatures.encode(member.signing_key),
        "sealing_key": signatures.encode(member.sealing_key),
        "tls_certificate": member.tls_certificate,
        "endpoint": member.endpoint,
        "public_url": member.public_url,
        "log_key": member.log_key,
        "witness_key": member.witness_key,
        "root_key": signatures.encode(member.root_key),
        "online_key": signatures.encode(member.online_key),
        "private_network": member.private_network,
        "pull": member.pull,
    }


def _member(fields: Fields, signing_key: bytes) -> Member:
    authority = Authority(
        id=fields.text("id", form=ID),
        name=fields.text("name", longest=120),
        jurisdiction=fields.text("jurisdiction", form=COUNTRY),
        oversight=fields.flag("oversight"),
    )
    covers = fields.texts("covers", most=64, form=COUNTRY)
    if authority.oversight and covers:
        raise fields.wrong("covers", "no countries for an oversight body", covers)
    sealing_key = fields.binary("sealing_key", length=sealing.PUBLIC_BYTES)
    sealing.refuse_unusable(sealing_key)
    member = Member(
        authority=authority,
        covers=covers,
        signing_key=signing_key,
        sealing_key=sealing_key,
        tls_certificate=_pem(fields),
        endpoint=_address(fields, "endpoint", schemes=("https",)),
        public_url=_address(fields, "public_url", schemes=("http", "https")),
        log_key=fields.text("log_key", longest=300),
        witness_key=fields.text("witness_key", longest=300),
        root_key=_ed25519(fields, "root_key"),
        online_key=_ed25519(fields, "online_key"),
        private_network=fields.flag("private_network"),
        pull=fields.flag("pull"),
    )
    _refuse_shared_keys(member, fields)
    if not member.private_network:
        refuse_private(str(urlsplit(member.endpoint).hostname), where="card endpoint")
    _refuse_foreign_certificate(member)
    return member


def _pem(fields: Fields) -> str:
    value = fields.values.get("tls_certificate")
    if not isinstance(value, str) or len(value) > 8192:
        raise fields.wrong("tls_certificate", "one certificate in PEM", value)
    return value


def _refuse_shared_keys(member: Member, fields: Fields) -> None:
    """A key serves one purpose: a log checkpoint must never double as a message, or the reverse."""
    log = _verifier(member.log_key, ED25519, "card log_key")
    witness = _verifier(member.witness_key, COSIGNATURE, "card witness_key")
    if len({member.signing_key, log, witness, member.root_key, member.online_key}) != 5:
        raise fields.wrong("log_key", "a key of its own for each purpose", member.log_key)


def _ed25519(fields: Fields, name: str) -> bytes:
    public = fields.binary(name, length=signatures.PUBLIC_BYTES)
    signatures.refuse_weak(public)
    return public


def _verifier(text: str, kind: int, where: str) -> bytes:
    try:
        key = VerifierKey.parse(text)
    except InputError as error:
        raise Malformed(error.problem, where=where) from error
    if key.kind != kind:
        raise Malformed(f"expected a key of type {kind:#04x}, got {key.kind:#04x}", where=where)
    signatures.refuse_weak(key.public)
    return key.public


def _refuse_foreign_certificate(member: Member) -> None:
    """The certificate must name this member and the host of its endpoint, or TLS would fail later, or lie."""
    certificate = read_certificate(member.tls_certificate, where="card tls_certificate")
    host = str(urlsplit(member.endpoint).hostname)
    if certificate.common_name != member.id:
        raise Malformed(
            f"expected a certificate for CN={member.id}, got CN={certificate.common_name}",
            where="card tls_certificate",
        )
    if host not in certificate.hosts:
        raise Malformed(
            f"expected it to cover host {host}, got {certificate.hosts}", where="card tls_certificate"
        )


def _address(fields: Fields, name: str, *, schemes: tuple[str, ...]) -> str:
    text = fields.text(name, longest=500, form=_URL)
    try:
        plain = _is_plain(text, urlsplit(text), schemes)
    except ValueError as error:
        raise fields.wrong(name, "a URL", text) from error
    if not plain:
        expected = f"{' or '.join(schemes)}://host[:port][/path], lower case, no user, query or fragment"
        raise fields.wrong(name, expected, text)
    return text


def _is_plain(text: str, parts: SplitResult, schemes: tuple[str, ...]) -> bool:
    """Scheme, host, port and path in forms that every URL parser reads the same way, and nothing else."""
    host = parts.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    place = bracketed if parts.port is None else f"{bracketed}:{parts.port}"
    return (
        parts.scheme in schemes
        and _HOST.fullmatch(host) is not None
        and parts.port != 0
        and _PATH.fullmatch(parts.path) is not None
        and ".." not in parts.path.split("/")
        and text == f"{parts.scheme}://{place}{parts.path}"
    )
