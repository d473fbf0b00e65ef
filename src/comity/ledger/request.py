"""The `add-checkpoint` request of C2SP tlog-witness, and what a log reads from the answer. Pure."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from comity.errors import InputError, NetworkError, TrustError
from comity.ledger.cosign import cosignatures_on
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.merkle import HASH_SIZE, MAX_SIZE
from comity.proofs.note import MAX_NOTE_BYTES, SignedNote, VerifierKey, decode_base64, parse_signatures

SIZE_TYPE = "text/x.tlog.size"
MAX_PROOF_LINES = 63
MAX_BODY_BYTES = MAX_NOTE_BYTES + 64 * 64

_SIZE = re.compile(rb"0|[1-9][0-9]{0,18}")
_ANSWER_BYTES = 64 * 1024


class WitnessRefused(TrustError):
    """A witness will not cosign: it does not know the log, or what it saw before does not fit."""

    code = "ledger.witness-refused"
    remedy = (
        "Compare the witness's newest checkpoint of this log with ours before anything else is published."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    old_size: int
    proof: tuple[bytes, ...]
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The witness last cosigned the tree of this size: ask again with the proof from there."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """Signature lines that hold, ready for `add_cosignatures`."""

    lines: str


def request_body(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """Old size line, proof lines, empty line, signed checkpoint."""
    lines = [f"old {old_size}", *(b64encode(value).decode() for value in proof)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note


def parse_request(body: bytes) -> AddCheckpoint:
    """Read the body of an `add-checkpoint`; `InputError` for any other form."""
    if len(body) > MAX_BODY_BYTES:
        raise InputError.because(expected=f"at most {MAX_BODY_BYTES} bytes", got=str(len(body)))
    head, found, note = body.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    size = first.removeprefix(b"old ")
    if not found or first == size or not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
        raise InputError.because(expected="a first line “old <size>”", got=repr(first[:40]))
    if len(lines) > MAX_PROOF_LINES:
        raise InputError.because(expected=f"at most {MAX_PROOF_LINES} proof lines", got=str(len(lines)))
    return AddCheckpoint(old_size=int(size), proof=tuple(map(_parse_hash, lines)), note=note)


def _parse_hash(line: bytes) -> bytes:
    value = decode_base64(line.decode("ascii", errors="replace"))
    if len(value) != HASH_SIZE:
        raise InputError.because(expected=f"a hash of {HASH_SIZE} bytes", got=f"{len(value)} bytes")
    return value


def read_answer(
    status: int, content_type: str, body: bytes, *, checkpoint: Checkpoint, witnesses: Sequence[VerifierKey]
) -> Cosigned | Behind:
    """Read a witness's answer about `checkpoint`.

    `WitnessRefused` if it will not cosign, or answers 200 without a cosignature by `witnesses` that holds
    (`BadSignature` if one does not); `NetworkError` if it could not answer, so that asking again is safe.
    """
    if status == 409 and content_type == SIZE_TYPE:
        return Behind(size=_parse_size(body))
    if status == 429 or status >= 500:
        raise NetworkError(f"the witness answered {status}")
    if status != 200:
        reason = body[:200].decode("utf-8", errors="replace").strip()
        raise WitnessRefused(f"expected a cosignature, got status {status}: {reason!r}")
    return _read_cosignatures(body, checkpoint, witnesses)


def _read_cosignatures(body: bytes, checkpoint: Checkpoint, witnesses: Sequence[VerifierKey]) -> Cosigned:
    try:
        if len(body) > _ANSWER_BYTES:
            raise InputError.because(expected=f"at most {_ANSWER_BYTES} bytes", got=str(len(body)))
        lines = parse_signatures(body.decode("utf-8"))
    except (InputError, UnicodeDecodeError) as error:
        raise WitnessRefused(f"the witness's answer is no signature lines: {error}") from error
    held = cosignatures_on(SignedNote(text=checkpoint.text, signatures=lines), witnesses)
    if not held:
        raise WitnessRefused("expected a cosignature by the witness's key, got signatures by others only")
    keys = [each.key for each in held]
    return Cosigned(lines="".join(str(line) for line in lines if any(key.is_signer_of(line) for key in keys)))


def _parse_size(body: bytes) -> int:
    size = body.removesuffix(b"\n")
    if size == body or not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
        raise WitnessRefused(f"expected a tree size and a newline, got {body[:40]!r}")
    return int(size)
