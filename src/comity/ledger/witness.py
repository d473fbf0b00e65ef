"""Witness other logs: C2SP tlog-witness `add-checkpoint`, the answering side. Pure but for the store.

The checks run in the order the specification states them. A log that shows a second tree of a size it already
showed gets no cosignature, and both signed notes are handed to the caller as proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from comity.errors import InputError, TrustError
from comity.ledger.misconduct import TwoStories
from comity.ledger.ports import Seen, WitnessStore
from comity.ledger.request import MAX_BODY_BYTES, SIZE_TYPE, AddCheckpoint, parse_request
from comity.proofs.checkpoint import Checkpoint, parse_checkpoint
from comity.proofs.cosignature import cosign
from comity.proofs.merkle import EMPTY_ROOT, ProofRefused, verify_consistency
from comity.proofs.note import SignedNote, Signer, VerifierKey, parse_note, verify_note

TEXT_TYPE = "text/plain; charset=utf-8"

__all__ = ["MAX_BODY_BYTES", "TEXT_TYPE", "WitnessAnswer", "add_checkpoint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAnswer:
    """What goes back over HTTP, what was cosigned (status 200), and what speaks against the log."""

    status: int
    content_type: str
    body: bytes
    checkpoint: Checkpoint | None = None
    evidence: TwoStories | None = None


def add_checkpoint(
    body: bytes, *, logs: Mapping[str, VerifierKey], store: WitnessStore, signer: Signer, now: datetime
) -> WitnessAnswer:
    """Answer one `POST /add-checkpoint`; `logs` maps each witnessed origin to the key it signs with.

    Raises only what the store raises: then nothing was cosigned, and the answer is a 5xx.
    """
    try:
        request = parse_request(body)
        note = parse_note(request.note)
    except InputError as error:
        return _refuse(400, str(error))
    origin = note.text.partition("\n")[0]
    if origin not in logs:
        return _refuse(404, "this witness does not know the log of that origin")
    try:
        verify_note(note, [logs[origin]])
    except TrustError as error:
        return _refuse(403, str(error))
    try:
        offered = parse_checkpoint(note.text)
    except InputError as error:
        return _refuse(400, str(error))
    return _judge(request, offered, _trusted_part(note, logs[origin]), store, signer, now)


def _judge(
    request: AddCheckpoint,
    offered: Checkpoint,
    note: bytes,
    store: WitnessStore,
    signer: Signer,
    now: datetime,
) -> WitnessAnswer:
    """From here on the log's own signature stands behind `offered`."""
    seen = store.newest(offered.origin)
    evidence = _split_view(seen, offered, note)
    if request.old_size > offered.size:
        return _refuse(400, "the old size is larger than the checkpoint's size", evidence)
    if request.old_size != (seen.size if seen else 0):
        return _behind(seen, evidence)
    if evidence is not None:
        return _refuse(409, "another tree of this size was cosigned before", evidence)
    try:
        _check_growth(seen, offered, request.proof)
    except ProofRefused as error:
        return _refuse(422, str(error), _doubt(seen, offered, note))
    newest = Seen(size=offered.size, root=offered.root, note=note)
    if (seen is None or seen.size != offered.size) and not store.replace(offered.origin, seen, newest):
        return _overtaken(store, offered, note)
    line = cosign(offered.text, signer, at=now)
    return WitnessAnswer(
        status=200, content_type=TEXT_TYPE, body=str(line).encode(), checkpoint=offered, evidence=None
    )


def _check_growth(seen: Seen | None, offered: Checkpoint, proof: tuple[bytes, ...]) -> None:
    """`ProofRefused` unless `offered` continues what was seen; from nothing, the proof must be empty."""
    if offered.size == 0 and offered.root != EMPTY_ROOT:
        raise ProofRefused("a tree of size 0 has the root of no entries")
    if seen is not None and seen.size:
        verify_consistency(seen.size, seen.root, offered.size, offered.root, proof)
    elif proof:
        raise ProofRefused(f"expected an empty proof from size 0, got {len(proof)} hashes")


def _overtaken(store: WitnessStore, offered: Checkpoint, note: bytes) -> WitnessAnswer:
    """Another request was faster: answer with what it left (tlog-witness, the race of requests A and B)."""
    seen = store.newest(offered.origin)
    return _behind(seen, _split_view(seen, offered, note))


def _split_view(seen: Seen | None, offered: Checkpoint, note: bytes) -> TwoStories | None:
    if seen is None or seen.size != offered.size or seen.root == offered.root:
        return None
    return TwoStories(origin=offered.origin, trusted=seen.note, offered=note, conclusive=True)


def _doubt(seen: Seen | None, offered: Checkpoint, note: bytes) -> TwoStories | None:
    if seen is None:
        return None
    return TwoStories(origin=offered.origin, trusted=seen.note, offered=note, conclusive=False)


def _behind(seen: Seen | None, evidence: TwoStories | None) -> WitnessAnswer:
    size = seen.size if seen else 0
    return WitnessAnswer(status=409, content_type=SIZE_TYPE, body=f"{size}\n".encode(), evidence=evidence)


def _refuse(status: int, reason: str, evidence: TwoStories | None = None) -> WitnessAnswer:
    return WitnessAnswer(
        status=status, content_type=TEXT_TYPE, body=f"{reason}\n".encode(), evidence=evidence
    )


def _trusted_part(note: SignedNote, key: VerifierKey) -> bytes:
    """The note with the log's own signature only: whatever else was on it is nobody's word."""
    lines = tuple(line for line in note.signatures if key.is_signer_of(line))[:1]
    return SignedNote(text=note.text, signatures=lines).encode()
