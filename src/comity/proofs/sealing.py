"""Seal a payload to several recipients, and open it: AES-256-GCM, HPKE (RFC 9180), a commitment. Pure.

One random content key a message. It is wrapped to each recipient with HPKE in base mode under the hybrid KEM
X25519 + ML-KEM-768 (KEM id 0x647A, draft-ietf-hpke-pq; X-Wing), HKDF-SHA256, AES-256-GCM. GCM does not commit
to its key, so a dishonest sender could show each recipient another plaintext; `commitment`
(SHA-256(salt ‖ payload), salt inside the ciphertext) is signed by the sender and checked by every recipient.

Says nothing about who sealed: that is the signature around it. Bytes: spec/envelope.md §4.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from comity.errors import TrustError
from comity.proofs.signatures import key_id

SUITE = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"
MLKEM_BYTES = 1184
PUBLIC_BYTES = MLKEM_BYTES + 32
WRAP_BYTES = 1088 + 32 + 32 + 16
"""ML-KEM ciphertext, X25519 share, content key, tag."""
SALT_BYTES = 32
NONCE_BYTES = 12
OVERHEAD = NONCE_BYTES + SALT_BYTES + 16
"""What sealing adds to a payload: nonce, salt, tag."""

_HPKE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

Randomness = Callable[[int], bytes]
"""Returns that many unpredictable bytes: `secrets.token_bytes`, or a seeded one in tests."""


class BadSealingKey(TrustError):
    """A public sealing key that nothing can be sealed to."""

    code = "sealing.key"


class ChangedCiphertext(TrustError):
    """The ciphertext is not the one whose digest was signed."""

    code = "sealing.digest"


class CannotUnwrap(TrustError):
    """The wrapped content key does not open with our key for this message."""

    code = "sealing.wrap"


class CannotOpen(TrustError):
    """The content key does not open the ciphertext under this sender, type and recipients."""

    code = "sealing.ciphertext"


class BrokenCommitment(TrustError):
    """The payload is not the one the sender committed to: another recipient may have seen another one."""

    code = "sealing.commitment"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """A recipient's private hybrid key."""

    mlkem: MLKEM768PrivateKey
    x25519: X25519PrivateKey
    public: bytes = field(init=False, repr=False)
    """ML-KEM-768 encapsulation key (1184 bytes) ‖ X25519 key (32), computed once."""

    def __post_init__(self) -> None:
        public = self.mlkem.public_key().public_bytes_raw() + self.x25519.public_key().public_bytes_raw()
        object.__setattr__(self, "public", public)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """`wraps`: recipient key id → wrapped content key. `commitment` and `digest` are lower-case hex."""

    ciphertext: bytes
    commitment: str
    digest: str
    wraps: Mapping[str, bytes]


def refuse_unusable(public: bytes) -> None:
    """Raise `BadSealingKey` unless something can be sealed to `public` (tried once, result dropped)."""
    try:
        _HPKE.encrypt(b"", _public(public))
    except ValueError as error:
        raise BadSealingKey(f"expected ML-KEM-768 ‖ X25519, {PUBLIC_BYTES} bytes: {error}") from error


def seal(
    payload: bytes, *, message_id: str, binding: bytes, recipients: Sequence[bytes], random: Randomness
) -> Sealed:
    """Seal `payload` to the public keys of `recipients`.

    `binding` is authenticated with the ciphertext; the opener must build the same bytes from what was signed.
    """
    content_key, nonce, salt = random(32), random(NONCE_BYTES), random(SALT_BYTES)
    commitment = _commit(salt, payload)
    ciphertext = nonce + AESGCM(content_key).encrypt(nonce, salt + payload, _associated(commitment, binding))
    wraps = {
        key_id(public): _HPKE.encrypt(content_key, _public(public), _info(message_id, key_id(public)))
        for public in recipients
    }
    return Sealed(ciphertext=ciphertext, commitment=commitment, digest=digest_of(ciphertext), wraps=wraps)


def unseal(
    ciphertext: bytes,
    *,
    message_id: str,
    binding: bytes,
    commitment: str,
    digest: str,
    wrap: bytes,
    key: SealingKey,
) -> bytes:
    """Return the payload, checking digest, wrap, ciphertext and commitment, in this order."""
    if digest_of(ciphertext) != digest:
        raise ChangedCiphertext(f"expected ciphertext {digest}, got {digest_of(ciphertext)}")
    private = MLKEM768X25519PrivateKey(key.mlkem, key.x25519)
    try:
        content_key = _HPKE.decrypt(wrap, private, _info(message_id, key_id(key.public)))
    except (InvalidTag, ValueError) as error:
        raise CannotUnwrap("expected a content key wrapped to us for this message") from error
    if len(content_key) != 32:
        raise CannotUnwrap(f"expected a content key of 32 bytes, got {len(content_key)}")
    try:
        nonce, body = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
        opened = AESGCM(content_key).decrypt(nonce, body, _associated(commitment, binding))
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("expected a ciphertext sealed for this manifest") from error
    salt, payload = opened[:SALT_BYTES], opened[SALT_BYTES:]
    if len(salt) != SALT_BYTES or _commit(salt, payload) != commitment:
        raise BrokenCommitment(f"expected the payload committed to as {commitment}, got another")
    return payload


def digest_of(content: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def _commit(salt: bytes, payload: bytes) -> str:
    digest = hashlib.sha256(salt)
    digest.update(payload)
    return digest.hexdigest()


def _associated(commitment: str, binding: bytes) -> bytes:
    return f"comity-seal/1\n{commitment}\n".encode() + binding


def _info(message_id: str, recipient_key: str) -> bytes:
    return f"comity-wrap/1\n{SUITE}\n{message_id}\n{recipient_key}\n".encode()


def _public(raw: bytes) -> MLKEM768X25519PublicKey:
    if len(raw) != PUBLIC_BYTES:
        raise BadSealingKey(f"expected {PUBLIC_BYTES} bytes, got {len(raw)}")
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(raw[:MLKEM_BYTES]),
        X25519PublicKey.from_public_bytes(raw[MLKEM_BYTES:]),
    )
