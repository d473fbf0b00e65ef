"""Cosignatures of C2SP tlog-cosignature, the Ed25519 form `cosignature/v1` (signature type 0x04). Pure.

A cosignature says: at this time, this is the largest tree of this log I have seen, and it is consistent with
all I saw before. The log's own key may make one too; that dates the checkpoint and is not a witness's word.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from comity.errors import InputError
from comity.proofs.note import (
    COSIGNATURE,
    COSIGNATURE_HEADER,
    BadSignature,
    SignatureLine,
    Signer,
    VerifierKey,
)

_STAMP_BYTES = 8
_MAX_STAMP = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A cosignature that held. `at` is when the cosigner says it looked."""

    key: VerifierKey
    at: datetime


def cosigner_of(signer: Signer) -> VerifierKey:
    """The key that checks cosignatures by `signer` (type 0x04)."""
    return VerifierKey(name=signer.name, kind=COSIGNATURE, public=signer.public)


def cosign(text: str, signer: Signer, *, at: datetime) -> SignatureLine:
    """Cosign the checkpoint `text` (the note's text, not its signatures) as of `at`, to the second."""
    if at.utcoffset() is None:
        raise InputError.because(expected="a time with its zone", got=at.isoformat())
    stamp = int(at.timestamp())
    key = cosigner_of(signer)
    signature = stamp.to_bytes(_STAMP_BYTES, "big") + signer.sign(_message(text, stamp))
    return SignatureLine(name=key.name, key_id=key.key_id, signature=signature)


def verify_cosignature(text: str, line: SignatureLine, key: VerifierKey) -> Cosignature:
    """Return the cosignature in `line`; `BadSignature` unless `key` made it over `text`."""
    stamp = int.from_bytes(line.signature[:_STAMP_BYTES], "big")
    well_formed = len(line.signature) == _STAMP_BYTES + 64 and stamp <= _MAX_STAMP
    holds = key.kind == COSIGNATURE and key.is_signer_of(line) and well_formed
    if not holds or not key.accepts(_message(text, stamp), line.signature[_STAMP_BYTES:]):
        raise BadSignature(f"the cosignature by {line.name} ({line.key_id.hex()}) does not hold")
    try:
        at = datetime.fromtimestamp(stamp, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise BadSignature(f"the cosignature by {line.name} is dated {stamp}, which is no time") from error
    return Cosignature(key=key, at=at)


def _message(text: str, stamp: int) -> bytes:
    """Header line, time line, then the whole note text (tlog-cosignature, “Ed25519 signed message”)."""
    return f"{COSIGNATURE_HEADER}time {stamp}\n{text}".encode()
