"""Cosignatures: what is signed, and one way to fail each (C2SP tlog-cosignature, Ed25519)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from comity.errors import InputError
from comity.proofs.cosignature import cosign, cosigner_of, verify_cosignature
from comity.proofs.note import BadSignature, SignatureLine, VerifierKey, sign_note, verifier_of
from tests.unit.ledger_stores import NOW, key_of

TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
WITNESS = key_of("witness.example.com/w1")
KEY = cosigner_of(WITNESS)
LINE = cosign(TEXT, WITNESS, at=NOW)


def test_the_signed_message_is_that_of_the_specification() -> None:
    stamp = int(NOW.timestamp())
    message = f"cosignature/v1\ntime {stamp}\n{TEXT}".encode()
    assert LINE.signature[:8] == stamp.to_bytes(8, "big")
    Ed25519PublicKey.from_public_bytes(WITNESS.public).verify(LINE.signature[8:], message)


def test_it_reads_back_with_its_time_to_the_second() -> None:
    late = NOW.replace(microsecond=999_999).astimezone(timezone(timedelta(hours=7)))
    found = verify_cosignature(TEXT, cosign(TEXT, WITNESS, at=late), KEY)
    assert (found.key, found.at) == (KEY, NOW)


def test_its_key_is_not_the_one_of_plain_notes() -> None:
    assert KEY.key_id != verifier_of(WITNESS).key_id
    assert VerifierKey.parse(str(KEY)) == KEY
    assert KEY.kind == 4


def with_signature(signature: bytes) -> SignatureLine:
    return SignatureLine(name=LINE.name, key_id=LINE.key_id, signature=signature)


@pytest.mark.parametrize(
    "signature",
    [
        bytes(LINE.signature[:7] + bytes([LINE.signature[7] ^ 1]) + LINE.signature[8:]),
        bytes(LINE.signature[:-1] + bytes([LINE.signature[-1] ^ 1])),
        LINE.signature[:-1],
        LINE.signature + b"\x00",
        LINE.signature[8:],
        LINE.signature[:8],
        b"",
        b"\x80" + LINE.signature[1:],
        sign_note(TEXT, WITNESS).signature,
        bytes(8) + sign_note(TEXT, WITNESS).signature,
    ],
)
def test_altered_cosignatures_are_refused(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        verify_cosignature(TEXT, with_signature(signature), KEY)


def test_it_is_for_this_text_and_by_this_key_only() -> None:
    with pytest.raises(BadSignature):
        verify_cosignature(TEXT + "extension\n", LINE, KEY)
    with pytest.raises(BadSignature):
        verify_cosignature(TEXT, LINE, cosigner_of(key_of("other.example")))
    with pytest.raises(BadSignature):
        verify_cosignature(TEXT, LINE, verifier_of(WITNESS))


def test_a_key_of_plain_notes_does_not_cosign() -> None:
    plain = verifier_of(WITNESS)
    posing = SignatureLine(name=LINE.name, key_id=plain.key_id, signature=LINE.signature)
    with pytest.raises(BadSignature):
        verify_cosignature(TEXT, posing, plain)


def test_a_signed_time_beyond_the_calendar_is_refused_not_a_crash() -> None:
    stamp = 2**62
    message = f"cosignature/v1\ntime {stamp}\n{TEXT}".encode()
    with pytest.raises(BadSignature, match="no time"):
        verify_cosignature(TEXT, with_signature(stamp.to_bytes(8, "big") + WITNESS.sign(message)), KEY)


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(InputError):
        cosign(TEXT, WITNESS, at=datetime(2025, 1, 1))  # noqa: DTZ001
    assert cosign(TEXT, WITNESS, at=datetime(1970, 1, 1, tzinfo=UTC)).signature[:8] == bytes(8)
