"""Put the witnesses' cosignatures on the published checkpoint. Nothing is added that does not hold."""

from collections.abc import Sequence

from comity.errors import TrustError
from comity.ledger.ports import TileStore
from comity.ledger.take_up import CHECKPOINT, read_checkpoint
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.cosignature import Cosignature, verify_cosignature
from comity.proofs.note import SignatureLine, SignedNote, VerifierKey, parse_signatures


def add_cosignatures(
    tiles: TileStore, lines: str, *, on: Checkpoint, log: VerifierKey, witnesses: Sequence[VerifierKey]
) -> tuple[Cosignature, ...]:
    """Add those of the signature `lines` that `witnesses` made over the checkpoint `on`; return those added.

    Lines by other keys are ignored (tlog-witness). A line in a witness's name that does not hold is refused
    with `BadSignature`, and nothing is written. If the log has grown past `on`, nothing is added. A newer
    cosignature by the same key replaces the older one.
    """
    offered = parse_signatures(lines)
    _held(on.text, offered, witnesses)
    with tiles.exclusive():
        published = read_checkpoint(tiles, log)
        if published is None:
            raise TrustError("expected a published checkpoint to cosign, got none")
        checkpoint, note = published
        if checkpoint != on:
            return ()
        newest = _held(on.text, (*note.signatures, *offered), witnesses)
        added = [(each, line) for each, line in newest if line not in note.signatures]
        if added:
            kept = [
                line for line in note.signatures if not any(key.is_signer_of(line) for key in _keys(added))
            ]
            signatures = (*kept, *(line for _, line in added))
            tiles.write(CHECKPOINT, SignedNote(text=note.text, signatures=signatures).encode())
    return tuple(each for each, _ in added)


def cosignatures_on(note: SignedNote, witnesses: Sequence[VerifierKey]) -> tuple[Cosignature, ...]:
    """The cosignatures by `witnesses` on `note`, one a witness; `BadSignature` if one does not hold."""
    return tuple(each for each, _ in _held(note.text, note.signatures, witnesses))


def _held(
    text: str, lines: Sequence[SignatureLine], witnesses: Sequence[VerifierKey]
) -> list[tuple[Cosignature, SignatureLine]]:
    newest: dict[VerifierKey, tuple[Cosignature, SignatureLine]] = {}
    for line in lines:
        for key in witnesses:
            if key.is_signer_of(line):
                found = verify_cosignature(text, line, key)
                if key not in newest or newest[key][0].at < found.at:
                    newest[key] = (found, line)
    return list(newest.values())


def _keys(held: Sequence[tuple[Cosignature, SignatureLine]]) -> list[VerifierKey]:
    return [each.key for each, _ in held]
