"""Receipts, cards and compacts: those that must be read, and one per way to fail."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.vectors.envelope_cases import Case
from tests.vectors.forger import (
    CANADA,
    HONG_KONG,
    MEMBERS,
    STRANGER,
    THAILAND,
    WATCH,
    Identity,
    b64u,
    compact_document,
    encoded,
    jws,
    receipt,
    receipt_fields,
)

MALFORMED = "exchange.malformed"
Row = tuple[str, str, str, str | bytes]


def receipt_cases() -> list[Case]:
    """Read as a receipt that Hong Kong gives for a message of Canada's; `wire` is the JWS."""
    refused = {
        "status": "refused",
        "reason_code": "envelope.expired",
        "reason_text": "expected a later expiry",
    }
    rows: list[Row] = [
        ("ok-accepted", "the plain case", "ok", receipt()),
        ("ok-delivered", "status delivered", "ok", receipt(status="delivered")),
        ("ok-handled", "status handled", "ok", receipt(status="handled")),
        ("ok-refused", "refused with a reason", "ok", receipt(HONG_KONG, **refused)),
        ("ok-refused-nameless", "too broken to tell the id", "ok", receipt(HONG_KONG, **refused, id="")),
        ("status-unknown", "a status nobody defined", MALFORMED, receipt(status="lost")),
        ("accepted-nameless", "accepted without an id", MALFORMED, receipt(id="")),
        ("refused-without-reason", "refused, but not why", MALFORMED, receipt(status="refused")),
        ("accepted-with-reason", "accepted, with a reason to refuse", MALFORMED, receipt(reason_code="x")),
        ("digest-upper-case", "digest in capitals", MALFORMED, receipt(envelope="A" * 64)),
        ("version-two", "a version nobody speaks", MALFORMED, receipt(v=2)),
        ("not-json", "not JSON", MALFORMED, jws(b"accepted", HONG_KONG.signing, "comity-receipt+jws")),
        ("duplicate-key", "status twice", MALFORMED, _twice()),
        ("type-confusion", "an envelope's type", "signature.header", receipt(typ="comity-envelope+jws")),
        ("other-signer", "Thailand receipts for Hong Kong", "signature.unknown-key", receipt(THAILAND)),
        ("receiver-is-other", "Hong Kong receipts what Thailand received", "receipt.mismatch",
         receipt(receiver=THAILAND.id)),
        ("undelivered-by-receiver", "only the sender may say undelivered", "receipt.mismatch",
         receipt(status="undelivered", reason_code="expired")),
    ]  # fmt: skip
    return _cases(rows)


def _twice() -> str:
    fields = encoded(receipt_fields())[:-1] + b',"status":"refused"}'
    return jws(fields, HONG_KONG.signing, "comity-receipt+jws")


def card_cases() -> list[Case]:
    """Read as a card; `wire` is the JWS."""
    card = CANADA.card
    rows: list[Row] = [
        ("ok-book", "a node with a book", "ok", card()),
        ("ok-oversight", "an oversight body", "ok", WATCH.card()),
        ("ok-unknown-field", "a field of a newer version", "ok", card(motto="festina lente")),
        ("endpoint-http", "no TLS", MALFORMED, card(endpoint="http://127.0.0.1:9001")),
        ("endpoint-userinfo", "a user in the URL", MALFORMED, card(endpoint="https://a:b@127.0.0.1:9001")),
        ("endpoint-fragment", "a fragment", MALFORMED, card(endpoint="https://127.0.0.1:9001/#x")),
        ("endpoint-query", "a query", MALFORMED, card(endpoint="https://127.0.0.1:9001/?x=1")),
        ("endpoint-backslash", "read differently by different parsers", MALFORMED,
         card(endpoint="https://127.0.0.1:9001\\@evil.example")),
        ("endpoint-dots", "a path that climbs", MALFORMED, card(endpoint="https://127.0.0.1:9001/a/../b")),
        ("endpoint-port", "a port beyond 65535", MALFORMED, card(endpoint="https://127.0.0.1:99999")),
        ("endpoint-space", "a space", MALFORMED, card(endpoint="https://127.0.0.1 :9001")),
        ("endpoint-no-host", "no host", MALFORMED, card(endpoint="https:///path")),
        ("endpoint-other-host", "a host that its certificate does not cover", MALFORMED,
         card(endpoint="https://127.0.0.2:9001")),
        ("public-url-javascript", "another scheme", MALFORMED, card(public_url="javascript:alert(1)")),
        ("id-capital", "an id in capitals", MALFORMED, card(id="CA-centre")),
        ("id-short", "an id of two letters", MALFORMED, card(id="ca")),
        ("name-override", "a name that reads otherwise than it is", MALFORMED, card(name="abc\u202efed")),
        ("jurisdiction-three", "alpha-3", MALFORMED, card(jurisdiction="CAN")),
        ("covers-twice", "a country twice", MALFORMED, card(covers=["CA", "CA"])),
        ("oversight-with-book", "an oversight body that covers a country", MALFORMED,
         WATCH.card(covers=["CH"])),
        ("certificate-garbage", "not a certificate", MALFORMED,
         card(tls_certificate="-----BEGIN CERTIFICATE-----")),
        ("certificate-two", "two certificates", MALFORMED,
         card(tls_certificate=CANADA.certificate() + HONG_KONG.certificate())),
        ("certificate-of-other", "another member's certificate", MALFORMED,
         card(tls_certificate=HONG_KONG.certificate())),
        ("certificate-not-ca", "CA:FALSE cannot be its own root", MALFORMED,
         card(tls_certificate=CANADA.certificate(ca=False))),
        ("certificate-may-sign", "a certificate that could let others in", MALFORMED,
         card(tls_certificate=CANADA.certificate(may_sign=True))),
        ("certificate-p384", "another curve", MALFORMED,
         card(tls_certificate=CANADA.certificate(curve=ec.SECP384R1()))),
        ("signing-key-short", "31 bytes", MALFORMED, card(signing_key=b64u(bytes(31)))),
        ("signing-key-small-order", "a key under which one signature fits many messages",
         "signature.weak-key",
         _small_order()),
        ("sealing-key-short", "one byte less", MALFORMED, card(sealing_key=b64u(CANADA.sealing_public[:-1]))),
        ("sealing-key-not-reduced", "ML-KEM coefficients beyond q", "sealing.key",
         card(sealing_key=b64u(b"\xff" * 1184 + CANADA.sealing_public[1184:]))),
        ("sealing-key-low-order", "an X25519 point of small order", "sealing.key",
         card(sealing_key=b64u(CANADA.sealing_public[:1184] + bytes(32)))),
        ("log-key-hash", "key hash of another name", MALFORMED,
         card(log_key=CANADA.verifier_key("log", 1).replace("ca-fraud-centre", "ca-fraud-center"))),
        ("log-key-type", "a witness key as log key", MALFORMED, card(log_key=CANADA.verifier_key("log", 4))),
        ("witness-key-type", "a log key as witness key", MALFORMED,
         card(witness_key=CANADA.verifier_key("witness", 1))),
        ("log-key-is-signing-key", "one key for two purposes", MALFORMED,
         card(log_key=CANADA.verifier_key("signing", 1))),
        ("signed-by-other", "Canada's card signed by a stranger", "card.key-mismatch",
         jws(encoded(CANADA.card_fields()), STRANGER.signing, "comity-card+jws")),
        ("tampered", "signature of another card", "signature.bad",
         card().rsplit(".", 1)[0] + "." + card(name="Somebody Else").rsplit(".", 1)[1]),
        ("type-confusion", "a receipt's type", "signature.header",
         jws(encoded(CANADA.card_fields()), CANADA.signing, "comity-receipt+jws")),
    ]  # fmt: skip
    return _cases(rows)


def compact_cases() -> list[Case]:
    """Read as a compact; `wire` is the document."""
    ordered = [one.card() for one in sorted(MEMBERS, key=lambda one: one.id)]

    def with_twin(twin: Identity, **changes: Any) -> bytes:
        return compact_document([CANADA.card(), twin.card(**changes)])

    twin = replace(THAILAND, id="th-twin", seed="twin", covers=())
    rows: list[Row] = [
        ("ok-four-members", "the plain case", "ok", compact_document()),
        ("ok-unknown-field", "a field of a newer version", "ok", compact_document(motto="x")),
        ("one-member", "nobody to talk to", MALFORMED, compact_document(ordered[:1])),
        ("not-canonical", "white space: a second fingerprint for the same compact", MALFORMED,
         compact_document().replace(b'{"formed_at"', b'{ "formed_at"', 1)),
        ("duplicate-key", "name twice", MALFORMED,
         compact_document().replace(b'"name":', b'"name":"a","name":', 1)),
        ("not-in-order", "members out of order", MALFORMED, compact_document(ordered[::-1])),
        ("card-not-text", "a card that is not a JWS", MALFORMED,
         compact_document([ordered[0], 7])),  # type: ignore[list-item]
        ("card-broken", "a card that does not verify", "signature.bad",
         compact_document([ordered[0], ordered[1].rsplit(".", 1)[0] + "." + ordered[0].rsplit(".", 1)[1]])),
        ("same-id", "one member twice", "compact.clash", compact_document([ordered[0], ordered[0]])),
        ("same-country", "two books for one country", "compact.clash",
         compact_document([CANADA.card(), THAILAND.card(covers=["CA", "TH"])])),
        ("same-endpoint", "two members at one address", "compact.clash",
         with_twin(twin, endpoint="https://127.0.0.1:9001")),
        ("same-sealing-key", "two members with one sealing key", "compact.clash",
         with_twin(twin, sealing_key=b64u(CANADA.sealing_public))),
        ("same-signing-key", "two members with one signing key", "compact.clash", _same_signing_key(twin)),
        ("log-key-of-other", "one member's log key is another's signing key", "compact.clash",
         with_twin(twin, log_key=_named_key(twin, CANADA))),
        ("same-log-name", "two logs under one name", "compact.clash",
         with_twin(twin, log_key=_as_named(CANADA, twin))),
        ("name-form", "a name with spaces", MALFORMED, compact_document(name="Mekong Desk")),
        ("formed-form", "a date alone", MALFORMED, compact_document(formed_at="2025-06-03")),
    ]  # fmt: skip
    return _cases(rows)


def _small_order() -> str:
    """Signed by S = 0, R = A = the neutral point, which OpenSSL accepts for every message."""
    neutral = b"\x01" + bytes(31)
    fields = {**CANADA.card_fields(), "signing_key": b64u(neutral)}
    signed = jws(encoded(fields), CANADA.signing, "comity-card+jws").rsplit(".", 1)[0]
    return f"{signed}.{b64u(neutral + bytes(32))}"


def _same_signing_key(twin: Identity) -> bytes:
    fields = {**twin.card_fields(), "signing_key": b64u(CANADA.signing_public)}
    return compact_document([CANADA.card(), jws(encoded(fields), CANADA.signing, "comity-card+jws")])


def _named_key(name: Identity, key: Identity) -> str:
    return replace(name, seed=key.seed or key.id).verifier_key("signing", 1)


def _as_named(name: Identity, key: Identity) -> str:
    return replace(name, seed=key.seed).verifier_key("log", 1)


def _cases(rows: Sequence[Row]) -> list[Case]:
    assert len({name for name, *_ in rows}) == len(rows)
    return [
        Case(name=name, what=what, expect=expect, wire=wire.encode() if isinstance(wire, str) else wire)
        for name, what, expect, wire in rows
    ]
