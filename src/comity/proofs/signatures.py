"""Sign bytes and verify who signed them: JWS compact (RFC 7515), Ed25519 (RFC 8032, RFC 9864). Pure.

One algorithm, one form. The header is exactly `alg` ("Ed25519"), `kid` and `typ`; anything else in it
(another algorithm, `crit`, `jwk`, compression) is refused before a key is touched, and so is base64url that
is not the one canonical text, since a signed line is later named by its digest. `typ` is fixed by the caller,
so a signature made for one purpose never serves another.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws as jose
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from comity.errors import InputError, TrustError
from comity.proofs.canonical import parse_strict

ALGORITHM = "Ed25519"
MAX_HEADER = 512
MAX_PAYLOAD = 64 * 1024
MAX_JWS = (MAX_HEADER + MAX_PAYLOAD) * 4 // 3 + 128
PUBLIC_BYTES = 32
_SEGMENTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]{86})", re.ASCII)
_REGISTRY = jose.JWSRegistry(algorithms=[ALGORITHM])

_LOW_ORDER = frozenset(
    bytes.fromhex(point)
    for point in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
"""The points whose order divides 8, sign bit cleared: one signature under them fits many messages."""


class OversizeSignature(TrustError):
    """The signed text is longer than anything we sign."""

    code = "signature.oversize"
    http_status = 413


class MalformedSignature(TrustError):
    """Not a JWS in compact form, or not in its one canonical spelling."""

    code = "signature.malformed"
    http_status = 400


class RefusedHeader(TrustError):
    """The header names another algorithm, another purpose, or anything beyond `alg`, `kid` and `typ`."""

    code = "signature.header"


class UnknownKey(TrustError):
    """Signed by a key we were not told to trust."""

    code = "signature.unknown-key"


class BadSignature(TrustError):
    """The signature does not fit the bytes and the key."""

    code = "signature.bad"


class WeakKey(TrustError):
    """A public key under which signatures prove nothing."""

    code = "signature.weak-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Bytes exactly as they were signed, and the id of the key that signed them."""

    payload: bytes
    kid: str


def key_id(public: bytes) -> str:
    """Name a public key: the first 16 hex digits of its SHA-256. Selects a key; never proves one."""
    return hashlib.sha256(public).hexdigest()[:16]


def refuse_weak(public: bytes) -> None:
    """Raise `WeakKey` unless `public` is 32 bytes and not a point of small order."""
    if len(public) != PUBLIC_BYTES:
        raise WeakKey(f"expected an Ed25519 key of {PUBLIC_BYTES} bytes, got {len(public)}")
    if public[:-1] + bytes([public[-1] & 0x7F]) in _LOW_ORDER:
        raise WeakKey("expected a key of prime order, got a point of small order")


def sign(payload: bytes, *, typ: str, key: Ed25519PrivateKey) -> str:
    """Return the JWS over `payload`; `InputError` if it is larger than `verify` will read."""
    if len(payload) > MAX_PAYLOAD:
        raise InputError.because(expected=f"at most {MAX_PAYLOAD} bytes to sign", got=str(len(payload)))
    kid, private = _private(key)
    header = {"alg": ALGORITHM, "kid": kid, "typ": typ}
    return jose.serialize_compact(header, payload, private, registry=_REGISTRY)


def verify(jws: str, *, typ: str, keys: Mapping[str, bytes]) -> Verified:
    """Return what was signed, and by which of `keys` (key id → 32 raw bytes).

    Order: size, form, header, key, signature. Who may hold the key, and whether it was valid then, is not
    decided here.
    """
    kid, payload = _parts(jws, typ)
    public = keys.get(kid)
    if public is None:
        raise UnknownKey(f"expected a key we know, got {kid}")
    try:
        jose.deserialize_compact(jws, _public(public), registry=_REGISTRY)
    except (JoseError, ValueError) as error:
        raise BadSignature(f"expected a signature by {kid}, got one that does not fit") from error
    return Verified(payload=payload, kid=kid)


def read_unverified(jws: str, *, typ: str) -> Verified:
    """Return payload and key id of a well-formed JWS **without checking the signature**.

    Only for what carries its own key (a member's card): read the key, then call `verify` with it.
    """
    kid, payload = _parts(jws, typ)
    return Verified(payload=payload, kid=kid)


def encode(raw: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Undo `encode`; `MalformedSignature` for any text `encode` would not have written."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedSignature("expected base64url without padding") from error
    if encode(raw) != text:
        raise MalformedSignature("expected canonical base64url, got another spelling of the same bytes")
    return raw


def _parts(jws: str, typ: str) -> tuple[str, bytes]:
    if len(jws) > MAX_JWS:
        raise OversizeSignature(f"expected at most {MAX_JWS} characters, got {len(jws)}")
    found = _SEGMENTS.fullmatch(jws)
    if found is None:
        raise MalformedSignature("expected header.payload.signature in base64url")
    header, payload, signature = (decode(part) for part in found.groups())
    if len(signature) != 64 or len(header) > MAX_HEADER or len(payload) > MAX_PAYLOAD:
        raise OversizeSignature(
            f"expected a header of at most {MAX_HEADER} and a payload of {MAX_PAYLOAD} bytes"
        )
    return _kid(header, typ), payload


def _kid(header: bytes, typ: str) -> str:
    try:
        fields = parse_strict(header, where="JWS header")
    except InputError as error:
        raise MalformedSignature(error.problem, where="JWS header") from error
    if not isinstance(fields, dict) or set(fields) != {"alg", "kid", "typ"}:
        raise RefusedHeader("expected exactly alg, kid and typ in the header")
    if fields["alg"] != ALGORITHM or fields["typ"] != typ:
        raise RefusedHeader(f"expected {ALGORITHM} for {typ}, got {fields['alg']!r} for {fields['typ']!r}")
    kid = fields["kid"]
    if not isinstance(kid, str):
        raise RefusedHeader("expected kid to be text")
    return kid


@lru_cache(maxsize=8)
def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of its public half."""
    return key.public_key().public_bytes_raw()


@lru_cache(maxsize=8)
def _private(key: Ed25519PrivateKey) -> tuple[str, OKPKey]:
    """Key id, and the key as the JOSE library wants it: making that anew costs as much as signing."""
    public = public_bytes(key)
    return key_id(public), _okp({"x": encode(public), "d": encode(key.private_bytes_raw())})


@lru_cache(maxsize=1024)
def _public(raw: bytes) -> OKPKey:
    return _okp({"x": encode(raw)})


def _okp(parts: dict[str, str]) -> OKPKey:
    return OKPKey.import_key({"kty": "OKP", "crv": ALGORITHM, **parts})
