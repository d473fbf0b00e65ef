"""Copy a log: every hash is checked before anything is laid down, and nothing that was copied is contradicted.

The order is that of a publisher: bundles and tiles that lie under the offered root, durable, then the checkpoint.
So a copy that is stopped anywhere is a whole log of the size it had, and the next run takes what was already
fetched from its own disk. A log that shows less than it showed before, or another tree, is refused; where two of
its signed checkpoints contradict each other, the proof of that is handed to the caller. Pure but for its ports.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from comity.errors import InputError, TrustError
from comity.ledger.cosign import cosignatures_on
from comity.ledger.fault import LogWrong, wrong
from comity.ledger.misconduct import Misconduct
from comity.ledger.ports import LogReader, TileStore
from comity.ledger.quorum import Finding, Policy, judge
from comity.ledger.signed_tiles import SignedTiles, TileFiles
from comity.ledger.take_up import CHECKPOINT, read_checkpoint
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash, prove_consistency, root_at
from comity.proofs.note import MAX_SIGNATURES, SignedNote, VerifierKey
from comity.proofs.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    Tile,
    TileHashes,
    encode_bundle,
    levels_of,
    tile_at,
)

_BATCH = 128
"""How many files are written before waiting for the disk."""


class MirrorRefused(TrustError):
    """The log does not continue what was copied before. The copy is as it was."""

    code = "ledger.mirror-refused"
    remedy = (
        "Keep the copy and what was refused; ask the log's operator and its witnesses which tree they know."
    )

    def __init__(self, problem: str, *, offered: bytes, misconduct: Misconduct | None) -> None:
        super().__init__(problem)
        self.offered = offered
        self.misconduct = misconduct


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """The checkpoint that the copy now has, the size it had before, and how many files were laid down."""

    checkpoint: Checkpoint
    before: int
    files: int
    finding: Finding | None


def mirror(
    reader: LogReader, store: TileStore, key: VerifierKey, *, policy: Policy | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Mirrored:  # fmt: skip
    """Bring the copy in `store` up to the checkpoint that `reader` shows of the log of `key`.

    `LogWrong` names the file that does not hold, or the quorum of `policy` that is not met; `MirrorRefused` if the
    log was rolled back or forked. `progress` is told how many of how many entries are copied.
    """
    with store.exclusive():
        held = read_checkpoint(store, key)
        raw, offered, note = _offered(reader, key)
        finding = _quorum(note, policy, key)
        before = held[0] if held else Checkpoint(origin=offered.origin, size=0, root=EMPTY_ROOT)
        if offered.size < before.size:
            raise _rolled_back(store, key, before, offered, raw)
        try:
            files = _copy(_Both(store, reader), store, key, before, offered, raw, progress)
        except LogWrong:  # by our disk or by the log: ask the log alone
            files = _copy(reader, store, key, before, offered, raw, progress)
        if store.read("key") is None:
            store.write("key", f"{key}\n".encode())
        merged = _merged(held[1] if held else None, note, policy)
        if store.read(CHECKPOINT) != merged:
            store.write(CHECKPOINT, merged)
        return Mirrored(checkpoint=offered, before=before.size, files=files, finding=finding)


class _Both:
    """What is on our disk already, and the log itself for the rest."""

    def __init__(self, store: TileStore, reader: LogReader) -> None:
        self._store = store
        self._reader = reader

    def read(self, path: str) -> bytes | None:
        found = self._store.read(path)
        return self._reader.read(path) if found is None else found


def _copy(
    source: LogReader, store: TileStore, key: VerifierKey, before: Checkpoint, offered: Checkpoint, raw: bytes,
    progress: Callable[[int, int], None] | None,
) -> int:  # fmt: skip
    """Lay down every file that the copy lacks; return how many those were."""
    tiles = SignedTiles(offered, source)
    _refuse_fork(store, key, before, offered, raw, tiles)
    lacking = (
        (path, content)
        for path, content in _files(before.size, offered, tiles, source, progress)
        if store.read(path) != content
    )
    count = 0
    while batch := list(islice(lacking, _BATCH)):
        store.write_all(batch)
        count += len(batch)
    return count


def _offered(reader: LogReader, key: VerifierKey) -> tuple[bytes, Checkpoint, SignedNote]:
    raw = reader.read(CHECKPOINT)
    if raw is None:
        raise wrong(CHECKPOINT, "missing")
    try:
        return raw, *open_checkpoint(raw, [key])
    except (InputError, TrustError) as error:
        raise wrong(CHECKPOINT, str(error)) from error


def _quorum(note: SignedNote, policy: Policy | None, key: VerifierKey) -> Finding | None:
    if policy is None:
        return None
    try:
        finding = judge(policy, cosignatures_on(note, policy.keys), log=key)
    except TrustError as error:
        raise wrong(CHECKPOINT, str(error)) from error
    if not finding.met:
        raise wrong(
            CHECKPOINT, f"the quorum of witnesses is not met: {'; '.join(finding.reasons)}",
            remedy="If the log just grew, try again when its witnesses have answered. The copy is as it was.",
        )  # fmt: skip
    return finding


def _rolled_back(
    store: TileStore, key: VerifierKey, held: Checkpoint, offered: Checkpoint, raw: bytes
) -> MirrorRefused:
    """It shows less than before: an older state of the same log, or another log in its place."""
    case = None
    if offered.size:
        hashes = TileHashes(held.size, SignedTiles(held, store).tile).hash_at
        prefix = root_at(offered.size, hashes)
        if prefix != offered.root:
            proof = prove_consistency(offered.size, held.size, hashes)
            case = Misconduct(key=key, first=raw, second=_note(store), prefix=prefix, proof=proof)
    return MirrorRefused(
        f"expected {held.size} entries or more, as were copied before, got {offered.size}"
        + (", of another tree" if case else ", of the same tree: an older state, or an old copy"),
        offered=raw, misconduct=case,
    )  # fmt: skip


def _refuse_fork(
    store: TileStore, key: VerifierKey, held: Checkpoint, offered: Checkpoint, raw: bytes, tiles: SignedTiles
) -> None:
    if held.size == 0:
        return
    if held.size == offered.size:
        prefix = offered.root
        case = Misconduct(key=key, first=_note(store), second=raw)
    else:
        hashes = TileHashes(offered.size, tiles.tile).hash_at
        prefix = root_at(held.size, hashes)
        proof = prove_consistency(held.size, offered.size, hashes)
        case = Misconduct(key=key, first=_note(store), second=raw, prefix=prefix, proof=proof)
    if prefix != held.root:
        raise MirrorRefused(
            f"the log of {offered.size} entries does not continue the {held.size} that were copied before",
            offered=raw, misconduct=case,
        )  # fmt: skip


def _files(
    before: int, offered: Checkpoint, tiles: SignedTiles, source: LogReader,
    progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[str, bytes]]:  # fmt: skip
    """Every bundle and tile that the copy lacks, each followed up to the signed root; bundles before tiles."""
    for number in range(before // WIDTH, -(-offered.size // WIDTH)):
        bundle = tile_at(ENTRIES, number, offered.size)
        leaves = tiles.leaves(number)
        yield bundle.path, encode_bundle(_entries(bundle, leaves, source))
        yield tile_at(0, number, offered.size).path, leaves
        if progress is not None:
            progress(bundle.start + bundle.width, offered.size)
    for level in range(1, levels_of(offered.size)):
        had, has = (size >> HEIGHT * level for size in (before, offered.size))
        for number in range(had // WIDTH, -(-has // WIDTH)):
            tile = tile_at(level, number, offered.size)
            yield tile.path, tiles.tile(tile)


def _entries(bundle: Tile, leaves: bytes, source: LogReader) -> list[bytes]:
    """The entries of `bundle`, once they hash to the signed leaves."""
    entries = TileFiles(source).entries(bundle)
    for index, (entry, at) in enumerate(
        zip(entries, range(0, len(leaves), HASH_SIZE), strict=True), bundle.start
    ):
        if leaf_hash(entry) != leaves[at : at + HASH_SIZE]:
            raise wrong(bundle.path, f"entry {index} is not the one that was signed", index)
    return entries


def _merged(held: SignedNote | None, offered: SignedNote, policy: Policy | None) -> bytes:
    """The offered note; of one and the same tree, with the policy's cosignatures that the copy has and it lacks."""
    if held is None or policy is None or held.text != offered.text:
        return offered.encode()
    known = {(line.name, line.key_id) for line in offered.signatures}
    ours = {(key.name, key.key_id) for key in policy.keys} - known
    kept = tuple(line for line in held.signatures if (line.name, line.key_id) in ours)
    room = MAX_SIGNATURES - len(offered.signatures)
    return SignedNote(text=offered.text, signatures=(*offered.signatures, *kept[:room])).encode()


def _note(store: TileStore) -> bytes:
    return store.read(CHECKPOINT) or b""
