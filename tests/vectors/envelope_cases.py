"""One envelope per way to fail, and those that must be read. Order of checks: spec/envelope.md §6."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.vectors.forger import (
    CANADA,
    COMPACT,
    HONG_KONG,
    NOW,
    STRANGER,
    THAILAND,
    Draft,
    b64u,
    derived,
    encoded,
    instant,
    jws,
    kid,
    sha256,
)

Row = tuple[str, str, str, bytes]

DRAFT = Draft()
GOOD = DRAFT.write()
OTHER = DRAFT.but(id="message-0002", label="other", payload=b'{"transfers":[]}').write()
_BOTH = DRAFT.but(recipients=(HONG_KONG, THAILAND))


@dataclass(frozen=True, kw_only=True)
class Case:
    """`expect` is "ok" or the code of the refusal. Read by Hong Kong at `forger.NOW`."""

    name: str
    what: str
    expect: str
    wire: bytes


def _mandate(**changes: Any) -> str:
    """Thailand's word that Canada may ask Hong Kong in its name, or something close to it."""
    signer = changes.pop("signer", THAILAND)
    said = {
        "v": 1, "compact": COMPACT, "requester": THAILAND.id, "deputy": CANADA.id,
        "recipients": [HONG_KONG.id], "type": DRAFT.type, "purpose": "tracing stolen money",
        "expires": instant(NOW + timedelta(days=30)), **changes,
    }  # fmt: skip
    return jws(encoded(said), signer.signing, changes.pop("typ", "comity-mandate+jws"))


def _asked_for_thailand(mandate: str) -> bytes:
    return (
        DRAFT.but(change=_set(requester={"id": THAILAND.id, "actor": "officer-7", "mandate": mandate}))
        .write()
        .wire
    )


def _borrowed() -> list[Row]:
    """Said in another's name: only with that one's own signed word for exactly this."""
    wrong = [
        ("mandate-none", "in Thailand's name, with nothing to show for it", ""),
        ("mandate-other-deputy", "Thailand let somebody else ask", _mandate(deputy=STRANGER.id)),
        ("mandate-other-recipient", "Thailand let it ask another", _mandate(recipients=[THAILAND.id])),
        ("mandate-other-purpose", "for another purpose", _mandate(purpose="tax")),
        ("mandate-other-type", "for another type of message", _mandate(type="notice")),
        ("mandate-other-compact", "in another compact", _mandate(compact="other-desk")),
        ("mandate-expired", "run out before the message would",
         _mandate(expires=instant(NOW + timedelta(hours=1)))),
    ]  # fmt: skip
    return [
        ("ok-mandate", "Canada asks in Thailand's name, with its mandate", "ok", _asked_for_thailand(_mandate())),
        ("mandate-self-made", "Canada wrote Thailand's mandate itself", "signature.unknown-key",
         _asked_for_thailand(_mandate(signer=CANADA))),
        ("mandate-not-signed", "text in its place", "signature.malformed", _asked_for_thailand("yes")),
        *((name, what, "envelope.no-mandate", _asked_for_thailand(mandate)) for name, what, mandate in wrong),
    ]  # fmt: skip


def _set(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest.update(changes)


def _drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest.__delitem__(name)


def _link(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest["to"][0].update(changes)


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def respell(manifest: bytes) -> bytes:
        assert old in manifest
        return manifest.replace(old, new, 1)

    return respell


def _header(**changes: Any) -> bytes:
    return encoded(
        {"alg": "Ed25519", "kid": kid(CANADA.signing_public), "typ": "comity-envelope+jws", **changes}
    )


def _with_line(line: str) -> bytes:
    return line.encode() + b"\n" + GOOD.ciphertext


def _flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def _other_alphabet_tail(line: str) -> str:
    """Another base64url spelling of the same 64 signature bytes: the four unused bits of the last letter."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return line[:-1] + letters[letters.index(line[-1]) | 1]


def _hs256(line: str) -> str:
    """The public key used as an HMAC secret: the oldest JWS attack."""
    signed = f"{b64u(_header(alg='HS256'))}.{line.split('.')[1]}"
    return f"{signed}.{b64u(hmac.new(CANADA.signing_public, signed.encode(), hashlib.sha512).digest())}"


def _none(line: str, signature: str) -> str:
    return f"{b64u(_header(alg='none'))}.{line.split('.')[1]}.{signature}"


def _surreptitious() -> bytes:
    """Thailand received it, and re-addresses and re-seals it to Hong Kong under Canada's signature."""
    received = DRAFT.but(recipients=(THAILAND,)).write()
    manifest = json.loads(base64.urlsafe_b64decode(received.jws.split(".")[1] + "=="))
    wrap = b64u(DRAFT.wrap(HONG_KONG))
    manifest["to"][0].update(id=HONG_KONG.id, key=kid(HONG_KONG.sealing_public), wrap=wrap)
    head, _, signature = received.jws.split(".")
    return f"{head}.{b64u(encoded(manifest))}.{signature}".encode() + b"\n" + received.ciphertext


def cases() -> list[Case]:
    rows = _readable() + _form() + _signed() + _addressed() + _timed() + _borrowed() + _sealed()
    return [Case(name=name, what=what, expect=expect, wire=wire) for name, what, expect, wire in rows]


def _readable() -> list[Row]:
    unknown = _set(priority={"level": 3, "why": "child at risk"}, zebra=None)
    code = DRAFT.but(change=lambda manifest: manifest["handling"]["actions"].update(link="purple"))
    late = DRAFT.but(issued=NOW + timedelta(minutes=5))
    chained = DRAFT.but(sequence=7, previous=sha256(b"line before"))
    spaced = _replaced(b'{"', b' {\n "')
    return [
        ("ok-one-recipient", "the plain case", "ok", GOOD.wire),
        ("ok-two-recipients", "one ciphertext, two wraps", "ok", _BOTH.write().wire),
        ("ok-unknown-fields", "signed fields of a newer version", "ok",
         DRAFT.but(change=unknown).write().wire),
        ("ok-unknown-handling-code", "an unknown permission means ask", "ok", code.write().wire),
        ("ok-skew-within", "issued exactly five minutes ahead", "ok", late.write().wire),
        ("ok-later-in-chain", "sequence 7 after a known line", "ok", chained.write().wire),
        ("ok-other-spelling", "signed JSON with white space: verified as received", "ok",
         DRAFT.but(respell=spaced).write().wire),
        ("ok-padded", "a payload with spaces behind it", "ok", DRAFT.but(payload=b"{}" + b" " * 4062).write().wire),
        ("ok-empty-payload", "an empty object", "ok", DRAFT.but(payload=b"{}").write().wire),
    ]  # fmt: skip


def _form() -> list[Row]:
    line = GOOD.jws
    header, manifest, signature = line.split(".")
    return [
        ("wire-empty", "no bytes at all", "envelope.malformed", b""),
        ("wire-no-line-feed", "a signed line alone", "envelope.malformed", line.encode()),
        ("wire-truncated-line", "cut inside the signed line", "envelope.malformed", GOOD.wire[:500]),
        ("wire-not-ascii", "UTF-8 in the signed line", "envelope.malformed", _with_line("é" + line)),
        ("wire-blank-line", "an empty signed line", "signature.malformed", _with_line("")),
        ("wire-carriage-return", "CR LF as line end", "signature.malformed", _with_line(line + "\r")),
        ("line-two-parts", "no signature part", "signature.malformed", _with_line(f"{header}.{manifest}")),
        ("line-four-parts", "one part too many", "signature.malformed", _with_line(line + "." + signature)),
        ("line-padding", "base64 padding", "signature.malformed", _with_line(line + "==")),
        ("line-other-spelling", "same bytes, another last letter", "signature.malformed",
         _with_line(_other_alphabet_tail(line))),
        ("header-not-json", "header is not JSON", "signature.malformed",
         DRAFT.but(header=b"Ed25519").write().wire),
        ("header-duplicate-key", "alg twice", "signature.malformed",
         DRAFT.but(header=_header()[:-1] + b',"alg":"Ed25519"}').write().wire),
    ]  # fmt: skip


def _signed() -> list[Row]:
    def headed(**changes: Any) -> bytes:
        return DRAFT.but(header=_header(**changes)).write().wire

    head, manifest, signature = GOOD.jws.split(".")
    tampered = b64u(base64.urlsafe_b64decode(manifest + "==").replace(b"tracing", b"tracinG"))
    return [
        ("alg-none", "algorithm none, signature kept", "signature.header",
         _with_line(_none(GOOD.jws, signature))),
        ("alg-none-unsigned", "algorithm none, no signature", "signature.malformed",
         _with_line(_none(GOOD.jws, ""))),
        ("alg-hs256", "public key as HMAC secret", "signature.malformed", _with_line(_hs256(GOOD.jws)[:-1])),
        ("alg-hs256-sized", "the same with 64 bytes of MAC", "signature.header",
         _with_line(_hs256(GOOD.jws))),
        ("alg-eddsa", "the older name of the algorithm", "signature.header", headed(alg="EdDSA")),
        ("typ-receipt", "a receipt's type", "signature.header", headed(typ="comity-receipt+jws")),
        ("typ-missing", "no type", "signature.header",
         DRAFT.but(header=encoded({"alg": "Ed25519", "kid": kid(CANADA.signing_public)})).write().wire),
        ("header-zip", "compression asked for", "signature.header", headed(zip="DEF")),
        ("header-crit", "critical extension", "signature.header", headed(crit=["b64"], b64=False)),
        ("header-jwk", "brings its own key", "signature.header",
         headed(jwk={"kty": "OKP", "crv": "Ed25519", "x": b64u(STRANGER.signing_public)})),
        ("kid-not-text", "kid is a number", "signature.header", headed(kid=7)),
        ("kid-stranger", "signed by nobody in the compact", "envelope.unknown-sender",
         DRAFT.but(signer=STRANGER).write().wire),
        ("kid-of-other-member", "names Thailand's key, signed by Canada's", "signature.bad",
         headed(kid=kid(THAILAND.signing_public))),
        ("signature-flipped", "one bit of the signature", "signature.bad",
         _with_line(f"{head}.{manifest}.{b64u(_flipped(base64.urlsafe_b64decode(signature + '=='), 5))}")),
        ("manifest-tampered", "one letter of the purpose", "signature.bad",
         _with_line(f"{head}.{tampered}.{signature}")),
        ("resealed-by-recipient", "surreptitious forwarding under the first sender's signature",
         "signature.bad", _surreptitious()),
    ]  # fmt: skip


def _addressed() -> list[Row]:
    def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
        return DRAFT.but(change=change).write().wire

    def respelled(old: bytes, new: bytes) -> bytes:
        return DRAFT.but(respell=_replaced(old, new)).write().wire

    deep = b'"zebra":' + b"[" * 40 + b"]" * 40 + b',"id":'
    malformed = [
        ("manifest-not-object", "a list", DRAFT.but(respell=lambda _: b"[]").write().wire),
        ("manifest-duplicate-key", "id twice", respelled(b'"id":', b'"id":"a","id":')),
        ("manifest-nan", "NaN", respelled(b'"retention_days":90', b'"retention_days":NaN')),
        ("manifest-float", "a float", respelled(b'"retention_days":90', b'"retention_days":90.0')),
        ("manifest-big-integer", "an integer beyond 64 bits",
         respelled(b'"id":', b'"zebra":18446744073709551616,"id":')),
        ("manifest-deep", "40 levels of nesting", respelled(b'"id":', deep)),
        ("manifest-surrogate", "half a surrogate pair", respelled(b"UNTOC", rb"\ud800")),
        ("manifest-not-utf8", "bytes that are not UTF-8", respelled(b"UNTOC", b"\xff\xfe")),
        ("field-missing", "no expiry", changed(_drop("expires"))),
        ("field-wrong-type", "purpose is a list", changed(_set(purpose=["tracing"]))),
        ("field-empty-purpose", "no purpose given", changed(_set(purpose=""))),
        ("field-line-feed", "a line feed in the message id", changed(_set(id="message-0001\n"))),
        ("field-direction-override", "text that reads otherwise than it is",
         changed(_set(purpose="abc\u202egnp"))),
        ("field-impossible-date", "30 February", changed(_set(expires="2025-02-30T00:00:00.000000Z"))),
        ("field-local-time", "a time without zone", changed(_set(issued="2025-06-03T10:15:30.000000"))),
        ("field-boolean-version", "true is not 1", changed(_set(v=True))),
        ("to-nobody", "no recipients", changed(_set(to=[]))),
        ("to-twice", "the same recipient twice", changed(lambda m: m["to"].append(m["to"][0]))),
        ("to-short-wrap", "a wrap of 31 bytes", changed(_link(wrap=b64u(bytes(31))))),
        ("to-sequence-zero", "sequences start at 1", changed(_link(sequence=0))),
        ("to-first-with-previous", "first of a pair, yet after something", changed(_link(previous="1" * 64))),
        ("to-later-without-previous", "seventh of a pair after nothing", changed(_link(sequence=7))),
    ]  # fmt: skip
    return [(name, what, "exchange.malformed", wire) for name, what, wire in malformed] + [
        ("version-two", "a version nobody speaks", "envelope.version", changed(_set(v=2))),
        ("from-other-member", "Canada signs as Thailand", "envelope.sender-mismatch",
         changed(_set(**{"from": {"id": THAILAND.id, "key": kid(THAILAND.signing_public)}}))),
        ("from-other-key", "names another of its keys", "envelope.sender-mismatch",
         changed(_set(**{"from": {"id": CANADA.id, "key": "0" * 16}}))),
        ("other-compact", "signed for another compact", "envelope.other-compact",
         changed(_set(compact="other-desk"))),
        ("to-other", "forwarded unchanged: meant for Thailand", "envelope.wrong-recipient",
         DRAFT.but(recipients=(THAILAND,)).write().wire),
        ("to-old-key", "sealed to a key that is not in use", "envelope.recipient-key",
         changed(_link(key="0" * 16))),
    ]  # fmt: skip


def _timed() -> list[Row]:
    day, second = timedelta(days=1), timedelta(seconds=1)
    return [
        ("issued-in-future", "five minutes and a second ahead", "envelope.issued-in-future",
         DRAFT.but(issued=NOW + timedelta(minutes=5) + second).write().wire),
        ("expired", "expires now", "envelope.expired", DRAFT.but(expires=NOW).write().wire),
        ("lifetime-too-long", "30 days and a second", "envelope.lifetime",
         DRAFT.but(issued=NOW, expires=NOW + 30 * day + second).write().wire),
        ("lifetime-negative", "expires before it was issued", "envelope.lifetime",
         DRAFT.but(issued=NOW + 2 * second, expires=NOW + second).write().wire),
    ]  # fmt: skip


def _sealed() -> list[Row]:
    own_wrap_of_other = b64u(_BOTH.wrap(THAILAND))
    short = derived("short", 16)
    return [
        ("ciphertext-flipped", "one bit of the ciphertext", "sealing.digest",
         GOOD.jws.encode() + b"\n" + _flipped(GOOD.ciphertext, 40)),
        ("ciphertext-truncated", "the last byte is missing", "sealing.digest", GOOD.wire[:-1]),
        ("ciphertext-swapped", "another message's ciphertext", "sealing.digest",
         GOOD.jws.encode() + b"\n" + OTHER.ciphertext),
        ("ciphertext-missing", "nothing after the line feed", "sealing.digest", GOOD.jws.encode() + b"\n"),
        ("wrap-of-other-recipient", "Thailand's wrap under Hong Kong's name", "sealing.wrap",
         DRAFT.but(change=_link(wrap=own_wrap_of_other)).write().wire),
        ("wrap-of-other-message", "a wrap made for another message id", "sealing.wrap",
         DRAFT.but(wrapped_for={"id": "message-0009"}).write().wire),
        ("wrap-garbage", "1168 random bytes", "sealing.wrap",
         DRAFT.but(change=_link(wrap=b64u(derived("garbage", 1168)))).write().wire),
        ("content-key-short", "AES-128 behind the suite's name: the wrap is shorter", "exchange.malformed",
         DRAFT.but(content_key=short).write().wire),
        ("bound-to-other-sender", "ciphertext taken from another sender", "sealing.ciphertext",
         DRAFT.but(bound_to={"from": f"{THAILAND.id} {kid(THAILAND.signing_public)}"}).write().wire),
        ("bound-to-other-type", "ciphertext sealed for another type", "sealing.ciphertext",
         DRAFT.but(bound_to={"type": "hold.changed"}).write().wire),
        ("bound-to-other-recipients", "ciphertext sealed for others as well", "sealing.ciphertext",
         DRAFT.but(bound_to={"to": f"{THAILAND.id} {kid(THAILAND.sealing_public)}"}).write().wire),
        ("commitment-broken", "another payload than the one committed to", "sealing.commitment",
         DRAFT.but(committed=b'{"transfers":[]}').write().wire),
        ("payload-not-json", "text", "envelope.payload", DRAFT.but(payload=b"hello").write().wire),
        ("payload-not-object", "a list", "envelope.payload", DRAFT.but(payload=b"[1,2]").write().wire),
        ("payload-duplicate-key", "a key twice", "envelope.payload",
         DRAFT.but(payload=b'{"a":1,"a":2}').write().wire),
        ("payload-float", "a float", "envelope.payload", DRAFT.but(payload=b'{"amount":1.5}').write().wire),
        ("payload-deep", "33 levels", "envelope.payload",
         DRAFT.but(payload=b'{"a":' + b"[" * 33 + b"]" * 33 + b"}").write().wire),
        ("payload-empty", "no bytes", "envelope.payload", DRAFT.but(payload=b"").write().wire),
    ]  # fmt: skip
