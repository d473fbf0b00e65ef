"""Publish the log: give events their places, write tiles, then sign the checkpoint (spec/log.md §5).

Order is everything: places are durable before a tile shows them, tiles are durable before the checkpoint
counts them. So a crash anywhere leaves a published log that is whole, and the next run goes on from it. What
is already published is never contradicted: a checkpoint that this store cannot continue is refused, not
replaced. A run touches the tiles that change and the unfinished ones at the right edge, nothing else.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from comity.errors import InputError, StorageError, TrustError
from comity.ledger.entry import ENTRY_SIZE
from comity.ledger.ports import EventStore, TileStore
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.cosignature import cosign
from comity.proofs.merkle import HASH_SIZE
from comity.proofs.note import SignedNote, Signer, VerifierKey, sign_note, verifier_of
from comity.proofs.tiles import ENTRIES, WIDTH, RightEdge, Tile, encode_bundle, leaf_hashes, tile_at

CHECKPOINT = "checkpoint"
SEQUENCE_LIMIT = 65_536
"""How many events one run gives places to; call again for more."""
_STEP = 64 * WIDTH
"""How many entries are in memory at once."""
_BATCH = 128
"""How many files are written before waiting for the disk."""


class LogRolledBack(TrustError):
    """The published checkpoint is larger than the store: the store was put back to an older state."""

    code = "ledger.rolled-back"
    remedy = (
        "Restore the newest database, or start a new log under a new name. "
        "Publishing now would give places of the log to other events than others have seen there."
    )


class LogForked(TrustError):
    """The store and the published log disagree about entries that were already signed."""

    code = "ledger.forked"
    remedy = (
        "Find out which of the two was changed (`comity log verify DIR`) and restore that one. "
        "Nothing is published until they agree."
    )


def publish(
    events: EventStore, tiles: TileStore, signer: Signer, *, now: datetime, limit: int = SEQUENCE_LIMIT
) -> Checkpoint | None:
    """Bring the published log up to the events of the store; return the checkpoint now in force.

    None while the log is empty. When nothing is new, nothing is written and cosignatures stay.
    """
    with tiles.exclusive():
        published = read_checkpoint(tiles, verifier_of(signer))
        edge = _continue_from(published[0] if published else None, events, tiles)
        target = events.sequence(limit)
        if target < edge.size:
            raise LogRolledBack(f"expected at least {edge.size} events in the store, got {target}")
        if target == edge.size:
            return published[0] if published else None
        _write(_files(edge, target, events), tiles)
        checkpoint = Checkpoint(origin=signer.name, size=target, root=edge.root())
        tiles.write(CHECKPOINT, _signed(checkpoint, signer, now))
        return checkpoint


def read_checkpoint(tiles: TileStore, key: VerifierKey) -> tuple[Checkpoint, SignedNote] | None:
    """The published checkpoint, or None if there is none; `TrustError` unless `key` signed it."""
    raw = tiles.read(CHECKPOINT)
    if raw is None:
        return None
    try:
        return open_checkpoint(raw, [key])
    except InputError as error:
        raise LogForked(
            f"the published checkpoint is none of this log's: {error}", where=CHECKPOINT
        ) from error


def rebuild(events: EventStore, tiles: TileStore, key: VerifierKey) -> tuple[str, ...]:
    """Make every tile of the published tree anew from the store, mend those that differ, return their paths.

    `LogForked` if the store does not give the signed root: then nothing is written.
    """
    with tiles.exclusive():
        published = read_checkpoint(tiles, key)
        return _mend(published[0], events, tiles)[1] if published else ()


def _continue_from(published: Checkpoint | None, events: EventStore, tiles: TileStore) -> RightEdge:
    """The right edge of the published tree, authenticated by its signed root, that the store agrees with."""
    if published is None or published.size == 0:
        return RightEdge()
    if published.size > events.size():
        raise LogRolledBack(f"expected at least {published.size} events in the store, got {events.size()}")
    edge = _stored_edge(published, events, tiles)
    return edge if edge is not None else _mend(published, events, tiles)[0]


def _stored_edge(published: Checkpoint, events: EventStore, tiles: TileStore) -> RightEdge | None:
    """The edge as stored, with the store's newest bundle under the signed root; None if anything of it differs.

    The newest bundle is enough to notice a store that was rolled back and then grew again: salts are random,
    so its newest entries are others.
    """
    size = published.size
    bundle = tile_at(ENTRIES, (size - 1) // WIDTH, size)
    entries = _entries(events, bundle.start, size)

    def read(tile: Tile) -> bytes:
        return (tiles.read(tile_at(tile.level, tile.index, size).path) or b"")[: tile.width * HASH_SIZE]

    try:
        edge = RightEdge.read(bundle.start, read)
    except InputError:
        return None
    filled = edge.append(leaf_hashes(entries))
    shown = [(bundle, encode_bundle(entries)), *filled, *edge.unfinished()]
    whole = edge.root() == published.root and all(tiles.read(tile.path) == raw for tile, raw in shown)
    return edge if whole else None


def _mend(published: Checkpoint, events: EventStore, tiles: TileStore) -> tuple[RightEdge, tuple[str, ...]]:
    edge = RightEdge()
    for _ in _files(edge, published.size, events):
        pass
    if edge.root() != published.root:
        raise LogForked(
            f"expected the first {published.size} events to have root {published.root.hex()}, "
            f"got {edge.root().hex()}"
        )
    edge = RightEdge()
    mended = _write(
        (
            (path, content)
            for path, content in _files(edge, published.size, events)
            if tiles.read(path) != content
        ),
        tiles,
    )
    return edge, mended


def _write(files: Iterator[tuple[str, bytes]], tiles: TileStore) -> tuple[str, ...]:
    """Write in batches, so that neither memory nor the number of waits for the disk grows with the log."""
    written: list[str] = []
    while batch := list(islice(files, _BATCH)):
        tiles.write_all(batch)
        written += [path for path, _ in batch]
    return tuple(written)


def _files(edge: RightEdge, target: int, events: EventStore) -> Iterator[tuple[str, bytes]]:
    """Grow `edge` to `target` and yield path and content of every tile and bundle that this changes."""
    grown_from = edge.size
    while edge.size < target:
        first = edge.size - edge.size % WIDTH
        stop = min(first + _STEP, target)
        entries = _entries(events, first, stop)
        for at in range(0, stop - first, WIDTH):
            part = entries[at : at + WIDTH]
            yield Tile(ENTRIES, (first + at) // WIDTH, len(part)).path, encode_bundle(part)
        for tile, content in edge.append(leaf_hashes(entries[edge.size - first :])):
            yield tile.path, content
    for tile, content in edge.unfinished():
        if target >> 8 * tile.level != grown_from >> 8 * tile.level:
            yield tile.path, content


def _entries(events: EventStore, start: int, end: int) -> list[bytes]:
    entries = events.entries(start, end)
    if len(entries) != end - start or any(len(entry) != ENTRY_SIZE for entry in entries):
        raise StorageError(
            f"expected {end - start} entries of {ENTRY_SIZE} bytes at {start}, got {len(entries)}",
            remedy="The database lost events that were durable: restore it before starting the node again.",
        )
    return entries


def _signed(checkpoint: Checkpoint, signer: Signer, now: datetime) -> bytes:
    """Sign, and date with the log's own timed signature (tlog-cosignature), as the text holds no time."""
    text = checkpoint.text
    return SignedNote(text=text, signatures=(sign_note(text, signer), cosign(text, signer, at=now))).encode()
