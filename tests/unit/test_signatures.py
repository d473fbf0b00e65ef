"""JWS with one algorithm and one spelling; checked against joserfc's own signer and verifier."""

import base64
import hashlib
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws as jose
from joserfc.jwk import OKPKey

from comity.errors import InputError
from comity.proofs import signatures
from comity.proofs.signatures import (
    BadSignature,
    MalformedSignature,
    OversizeSignature,
    RefusedHeader,
    UnknownKey,
    WeakKey,
    decode,
    encode,
    key_id,
    read_unverified,
    refuse_weak,
    sign,
    verify,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = KEY.public_key().public_bytes_raw()
KEYS = {key_id(PUBLIC): PUBLIC}
TYP = "test+jws"
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def _forge(header: object, payload: bytes = b"x", key: Ed25519PrivateKey = KEY) -> str:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{encode(head)}.{encode(payload)}"
    return f"{signed}.{encode(key.sign(signed.encode()))}"


def test_what_was_signed_comes_back_with_the_key_that_signed_it() -> None:
    verified = verify(sign(b"payload", typ=TYP, key=KEY), typ=TYP, keys=KEYS)
    assert verified.payload == b"payload"
    assert verified.kid == hashlib.sha256(PUBLIC).hexdigest()[:16]


def test_an_independent_verifier_accepts_our_signature() -> None:
    jwk = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": encode(PUBLIC)})
    found = jose.deserialize_compact(sign(b"payload", typ=TYP, key=KEY), jwk, algorithms=["Ed25519"])
    assert found.payload == b"payload"
    assert found.headers() == {"alg": "Ed25519", "kid": key_id(PUBLIC), "typ": TYP}


def test_a_raw_ed25519_signature_over_header_and_payload_is_what_is_made() -> None:
    signed, _, signature = sign(b"payload", typ=TYP, key=KEY).rpartition(".")
    KEY.public_key().verify(base64.urlsafe_b64decode(signature + "=="), signed.encode())


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": key_id(PUBLIC), "typ": TYP},
        {"alg": "HS256", "kid": key_id(PUBLIC), "typ": TYP},
        {"alg": "EdDSA", "kid": key_id(PUBLIC), "typ": TYP},
        {"alg": ["Ed25519"], "kid": key_id(PUBLIC), "typ": TYP},
        {"alg": "Ed25519", "kid": key_id(PUBLIC), "typ": "other+jws"},
        {"alg": "Ed25519", "kid": key_id(PUBLIC)},
        {"alg": "Ed25519", "typ": TYP},
        {"alg": "Ed25519", "kid": {}, "typ": TYP},
        {"alg": "Ed25519", "kid": key_id(PUBLIC), "typ": TYP, "zip": "DEF"},
        {"alg": "Ed25519", "kid": key_id(PUBLIC), "typ": TYP, "b64": False, "crit": ["b64"]},
        {"alg": "Ed25519", "kid": key_id(PUBLIC), "typ": TYP, "jwk": {}},
        [],
    ],
)
def test_a_header_beyond_the_one_form_is_refused_though_signed(header: object) -> None:
    with pytest.raises(RefusedHeader):
        verify(_forge(header), typ=TYP, keys=KEYS)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda line: line.replace(".", "", 1),
        lambda line: line + ".",
        lambda line: line + "\n",
        lambda line: line + "=",
        lambda line: "." + line,
        lambda line: line[:-1],
        lambda line: line.replace(".", ".\u00e9", 1),
        lambda line: "",
        lambda line: _forge(b"{"),
        lambda line: _forge(b'{"alg":"Ed25519","alg":"Ed25519"}'),
        lambda line: _forge(b"[" * 300),
        lambda line: _forge(b'{"alg":"Ed25519","kid":"\\ud800","typ":"test+jws"}'),
    ],
)
def test_another_form_is_refused(break_it: Callable[[str], str]) -> None:
    with pytest.raises(MalformedSignature):
        verify(break_it(sign(b"payload", typ=TYP, key=KEY)), typ=TYP, keys=KEYS)


def test_no_two_texts_are_the_same_signature() -> None:
    """Every other last letter decodes to the same 64 bytes; only one spelling may pass."""
    line = sign(b"payload", typ=TYP, key=KEY)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    passed = []
    for letter in letters:
        try:
            verify(line[:-1] + letter, typ=TYP, keys=KEYS)
            passed.append(letter)
        except (MalformedSignature, BadSignature):
            pass
    assert passed == [line[-1]]


def test_an_unknown_key_and_a_wrong_one_are_told_apart() -> None:
    line = sign(b"payload", typ=TYP, key=OTHER)
    with pytest.raises(UnknownKey):
        verify(line, typ=TYP, keys=KEYS)
    with pytest.raises(BadSignature):
        verify(line, typ=TYP, keys={read_unverified(line, typ=TYP).kid: PUBLIC})


def test_size_is_refused_before_anything_is_parsed() -> None:
    with pytest.raises(OversizeSignature):
        verify("A" * (signatures.MAX_JWS + 1), typ=TYP, keys=KEYS)
    with pytest.raises(OversizeSignature):
        verify(_forge({"alg": "Ed25519", "kid": "k" * 600, "typ": TYP}), typ=TYP, keys=KEYS)
    with pytest.raises(InputError):
        sign(bytes(signatures.MAX_PAYLOAD + 1), typ=TYP, key=KEY)


def test_the_largest_payload_passes_both_ways() -> None:
    largest = bytes(signatures.MAX_PAYLOAD)
    assert verify(sign(largest, typ=TYP, key=KEY), typ=TYP, keys=KEYS).payload == largest


@pytest.mark.parametrize("text", ["A", "AB", "AA=", "AA==", "A+/A", "AAAA\n", "Ä"])
def test_only_canonical_base64url_decodes(text: str) -> None:
    with pytest.raises(MalformedSignature):
        decode(text)


def test_the_refused_points_are_exactly_those_of_small_order() -> None:
    """Computed on the curve: y is refused iff a point with that y vanishes when multiplied by 8."""
    small = {y for y in range(2) if _vanishes(y)} | {y for y in (P - 1,) if _vanishes(y)}
    order_eight = {int.from_bytes(raw, "little") for raw in signatures._LOW_ORDER} - {0, 1, P - 1, P, P + 1}
    assert small == {0, 1, P - 1}
    assert len(order_eight) == 2
    assert all(_vanishes(y) for y in order_eight)
    for y in (0, 1, P - 1, P, P + 1, *order_eight):
        for sign_bit in (0, 1 << 255):
            with pytest.raises(WeakKey):
                refuse_weak((y | sign_bit).to_bytes(32, "little"))
    refuse_weak(PUBLIC)
    with pytest.raises(WeakKey):
        refuse_weak(PUBLIC[:-1])


def _vanishes(y: int) -> bool:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0
    point = (x, y)
    for _ in range(3):
        point = _double(point)
    return point == (0, 1)


def _double(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    t = D * x * x * y * y % P
    return 2 * x * y * pow(1 + t, -1, P) % P, (y * y + x * x) * pow(1 - t, -1, P) % P
