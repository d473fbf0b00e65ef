"""Sealing to recipients, against a second implementation of the wrap, and against dishonest senders."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.proofs import sealing
from comity.proofs.sealing import (
    BadSealingKey,
    BrokenCommitment,
    CannotOpen,
    CannotUnwrap,
    ChangedCiphertext,
    Sealed,
    refuse_unusable,
    seal,
    unseal,
)
from comity.proofs.signatures import key_id
from tests.unit.exchange_world import sealing_key, seeded
from tests.vectors.forger import CANADA, HONG_KONG, THAILAND, Identity, derived
from tests.vectors.hpke_reference import hpke_seal


def _seal(payload: bytes = b"payload", to: tuple[Identity, ...] = (HONG_KONG, THAILAND)) -> Sealed:
    public = [one.sealing_public for one in to]
    return seal(payload, message_id="m-1", binding=b"binding\n", recipients=public, random=seeded(7))


def _open(sealed: Sealed, reader: Identity = HONG_KONG, **changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "message_id": "m-1", "binding": b"binding\n", "commitment": sealed.commitment, "digest": sealed.digest,
        "wrap": sealed.wraps[key_id(reader.sealing_public)], "key": sealing_key(reader),
    }  # fmt: skip
    return unseal(sealed.ciphertext, **{**arguments, **changes})


def test_every_recipient_opens_the_one_ciphertext() -> None:
    sealed = _seal()
    assert _open(sealed) == _open(sealed, THAILAND) == b"payload"
    assert {len(wrap) for wrap in sealed.wraps.values()} == {sealing.WRAP_BYTES}
    assert len(sealed.ciphertext) == len(b"payload") + sealing.OVERHEAD


def test_the_commitment_is_over_salt_and_payload_and_the_salt_is_inside() -> None:
    random = seeded(7)
    content_key, nonce, salt = random(32), random(12), random(32)
    sealed = _seal()
    associated = f"comity-seal/1\n{sealed.commitment}\nbinding\n".encode()
    assert sealed.commitment == hashlib.sha256(salt + b"payload").hexdigest()
    assert AESGCM(content_key).decrypt(nonce, sealed.ciphertext[12:], associated) == salt + b"payload"
    assert salt not in sealed.ciphertext


def test_a_wrap_made_by_the_second_implementation_opens() -> None:
    sealed = _seal()
    content_key = seeded(7)(32)
    info = f"comity-wrap/1\n{sealing.SUITE}\nm-1\n{key_id(HONG_KONG.sealing_public)}\n".encode()
    wrap = hpke_seal(HONG_KONG.sealing_public, info, content_key, derived("other", 64))
    assert _open(sealed, wrap=wrap) == b"payload"


def test_equal_payloads_give_commitments_that_do_not_show_it() -> None:
    one = seal(b"yes", message_id="m", binding=b"", recipients=[HONG_KONG.sealing_public], random=seeded(1))
    two = seal(b"yes", message_id="m", binding=b"", recipients=[HONG_KONG.sealing_public], random=seeded(2))
    assert one.commitment != two.commitment


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"digest": "0" * 64}, ChangedCiphertext),
        ({"message_id": "m-2"}, CannotUnwrap),
        ({"key": sealing_key(THAILAND)}, CannotUnwrap),
        ({"key": sealing_key(CANADA)}, CannotUnwrap),
        ({"wrap": b""}, CannotUnwrap),
        ({"wrap": bytes(sealing.WRAP_BYTES)}, CannotUnwrap),
        ({"binding": b"other\n"}, CannotOpen),
        ({"commitment": "0" * 64}, CannotOpen),
    ],
)
def test_what_is_not_as_it_was_sealed_is_refused(changes: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        _open(_seal(), **changes)


def test_half_a_hybrid_key_opens_nothing() -> None:
    """Breaking X25519 alone, or ML-KEM alone, is not enough."""
    whole, other = sealing_key(HONG_KONG), sealing_key(CANADA)
    for half in (replace(whole, mlkem=other.mlkem), replace(whole, x25519=other.x25519)):
        with pytest.raises(CannotUnwrap):
            _open(_seal(), key=half)


def test_a_sender_that_commits_to_another_payload_is_caught() -> None:
    """The associated data carries the lie, so the ciphertext opens; the commitment does not hold."""
    content_key, nonce, lie = bytes(32), bytes(12), "ab" * 32
    ciphertext = nonce + AESGCM(content_key).encrypt(
        nonce, bytes(32) + b"payload", f"comity-seal/1\n{lie}\nbinding\n".encode()
    )
    info = f"comity-wrap/1\n{sealing.SUITE}\nm-1\n{key_id(HONG_KONG.sealing_public)}\n".encode()
    wrap = hpke_seal(HONG_KONG.sealing_public, info, content_key, derived("lie", 64))
    sealed = Sealed(
        ciphertext=ciphertext, commitment=lie, digest=sealing.digest_of(ciphertext),
        wraps={key_id(HONG_KONG.sealing_public): wrap},
    )  # fmt: skip
    with pytest.raises(BrokenCommitment):
        _open(sealed)


@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_plaintext_shorter_than_the_salt_is_a_broken_commitment(length: int) -> None:
    commitment = hashlib.sha256(bytes(length)).hexdigest()
    ciphertext = bytes(12) + AESGCM(bytes(32)).encrypt(
        bytes(12), bytes(length), f"comity-seal/1\n{commitment}\nbinding\n".encode()
    )
    info = f"comity-wrap/1\n{sealing.SUITE}\nm-1\n{key_id(HONG_KONG.sealing_public)}\n".encode()
    wrap = hpke_seal(HONG_KONG.sealing_public, info, bytes(32), derived("short", 64))
    with pytest.raises(BrokenCommitment):
        unseal(
            ciphertext, message_id="m-1", binding=b"binding\n", commitment=commitment,
            digest=sealing.digest_of(ciphertext), wrap=wrap, key=sealing_key(HONG_KONG),
        )  # fmt: skip


@pytest.mark.parametrize("length", [16, 24, 31, 33])
def test_a_content_key_of_another_length_is_refused(length: int) -> None:
    info = f"comity-wrap/1\n{sealing.SUITE}\nm-1\n{key_id(HONG_KONG.sealing_public)}\n".encode()
    wrap = hpke_seal(HONG_KONG.sealing_public, info, bytes(length), derived("length", 64))
    with pytest.raises(CannotUnwrap):
        _open(_seal(), wrap=wrap)


@pytest.mark.parametrize(
    "public",
    [
        b"",
        HONG_KONG.sealing_public[:-1],
        HONG_KONG.sealing_public + b"\0",
        b"\xff" * 1184 + bytes(range(32)),
        HONG_KONG.sealing_public[:1184] + bytes(32),
        HONG_KONG.sealing_public[:1184] + b"\x01" + bytes(31),
    ],
)
def test_a_key_nothing_can_be_sealed_to_is_refused_beforehand(public: bytes) -> None:
    with pytest.raises(BadSealingKey):
        refuse_unusable(public)
    refuse_unusable(HONG_KONG.sealing_public)
