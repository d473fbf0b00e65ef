"""Publish the log: write tiles, then sign the checkpoint over them (spec/log.md §5).

Order is everything: events are durable before a tile shows them, tiles are whole before the checkpoint counts
them, and a checkpoint that this store cannot continue is refused, not replaced (`ledger.take_up`). So a crash
anywhere leaves a published log that is whole; the next run goes on from it.

Only full tiles and the checkpoint are synced to the disk. An unfinished tile is rewritten at every growth, and
syncing it would double the waits for the disk while protecting nothing: the database is durable first, and
every unfinished tile follows from it. After a power loss some may be missing, empty or cut; taking the log up
again makes them anew, before a node serves anything. What is never lost that way is what could not be made
again: the events, and the signature over them.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from comity.ledger.ports import EventStore, TileStore
from comity.ledger.take_up import (
    CHECKPOINT,
    Tree,
    check_size,
    entries_of,
    make_anew,
    read_checkpoint,
    take_up,
)
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.cosignature import cosign
from comity.proofs.note import SignedNote, Signer, VerifierKey, sign_note, verifier_of
from comity.proofs.tiles import ENTRIES, HEIGHT, WIDTH, Tile, encode_bundle, leaf_hashes, levels_of

GROWTH_LIMIT = 65_536
"""By how many entries one run grows the log at most; call again for more."""
KEPT_CHECKPOINTS = 8
"""Of so many checkpoints the unfinished tiles stay, even when the full ones are there."""
_STEP = 64 * WIDTH
"""How many entries are in memory at once."""
_BATCH = 128
"""How many files are written before waiting for the disk."""


class Publisher:
    """Publishes one log, and keeps its right edge between runs, so that a run costs what the growth costs.

    Others may publish to the same directory: a run goes on from memory only while the checkpoint there is the
    one this publisher wrote or took up, and from the files and the store otherwise. One run at a time, whoever
    asks.
    """

    def __init__(
        self, events: EventStore, tiles: TileStore, signer: Signer, *, keep: int = KEPT_CHECKPOINTS
    ) -> None:
        self._events = events
        self._tiles = tiles
        self._signer = signer
        self._key = verifier_of(signer)
        self._tree: Tree | None = None
        self._shown: deque[int] = deque(maxlen=keep)
        self._superseded: list[Tile] = []

    def publish(self, *, now: datetime, limit: int = GROWTH_LIMIT) -> Checkpoint | None:
        """Bring the published log up to the events of the store; return the checkpoint now in force.

        None while the log is empty. When nothing is new, nothing is written and cosignatures stay.
        """
        with self._tiles.exclusive():
            tree = self._continued()
            target = min(check_size(self._events, tree.size), tree.size + limit)
            if target > tree.size:
                self._tree = (
                    None  # until the checkpoint is there: whatever stops this run, the next starts anew
                )
                tree = self._grown(tree, target, now)
                self._tree = tree
                self._clear_away(tree.size)
            return tree.checkpoint

    @property
    def size(self) -> int | None:
        """How many entries the newest checkpoint counts; None if that must be read from the files first."""
        return self._tree.size if self._tree is not None else None

    def _continued(self) -> Tree:
        """The tree as remembered, if what is published is still it; otherwise read and checked anew."""
        if self._tree is None or not _is_over(self._tiles.read(CHECKPOINT), self._tree.checkpoint):
            self._tree = None
            self._shown.clear()
            self._superseded.clear()
            self._tree = take_up(self._events, self._tiles, self._key)
            self._shown.append(self._tree.size)
        return self._tree

    def _grown(self, tree: Tree, target: int, now: datetime) -> Tree:
        """Write what grows, then the checkpoint. Consumes `tree`."""
        before = tree.size
        _write(_full_tiles(tree, target, self._events), self._tiles)
        _write(_unfinished_tiles(tree, before), self._tiles)
        checkpoint = Checkpoint(origin=self._signer.name, size=target, root=tree.edge.root())
        self._tiles.write(CHECKPOINT, _signed(checkpoint, self._signer, now))
        self._superseded += _completed(before, target)
        return Tree(checkpoint, tree.edge, tree.tail)

    def _clear_away(self, size: int) -> None:
        """Remove the unfinished forms of tiles that are full, once the last few checkpoints need none of them.

        tlog-tiles (“Partial Tiles”) allows it: who holds an older checkpoint fetches the full tile instead.
        """
        self._shown.append(size)
        for tile in list(self._superseded):
            if not any(_needs_unfinished(shown, tile) for shown in self._shown):
                self._tiles.remove(tile, self._tiles.widths(tile))
                self._superseded.remove(tile)


def publish(
    events: EventStore, tiles: TileStore, signer: Signer, *, now: datetime, limit: int = GROWTH_LIMIT
) -> Checkpoint | None:
    """Publish once: `Publisher.publish` that remembers nothing and checks everything."""
    return Publisher(events, tiles, signer).publish(now=now, limit=limit)


def rebuild(events: EventStore, tiles: TileStore, key: VerifierKey) -> tuple[str, ...]:
    """Make every tile of the published tree anew from the store, mend those that differ, return their paths.

    `LogForked` if the store does not give the signed root: then nothing is written.
    """
    with tiles.exclusive():
        published = read_checkpoint(tiles, key)
        return make_anew(published[0], events, tiles) if published else ()


def _is_over(raw: bytes | None, checkpoint: Checkpoint | None) -> bool:
    """Whether this file is our signed checkpoint: others may have put cosignatures under it, nothing else."""
    if raw is None or checkpoint is None:
        return raw is None and checkpoint is None
    return raw.startswith(checkpoint.text.encode() + b"\n")


def _full_tiles(tree: Tree, target: int, events: EventStore) -> Iterator[tuple[str, bytes]]:
    """Grow `tree` to `target` and yield path and content of every tile and bundle that this fills."""
    while tree.edge.size < target:
        start = tree.edge.size
        stop = min(start - start % WIDTH + _STEP, target)
        entries = entries_of(events, start, stop)
        bundle, tree.tail = start // WIDTH, [*tree.tail, *entries]
        while len(tree.tail) >= WIDTH:
            full, tree.tail = tree.tail[:WIDTH], tree.tail[WIDTH:]
            yield Tile(ENTRIES, bundle).path, encode_bundle(full)
            bundle += 1
        for tile, content in tree.edge.append(leaf_hashes(entries)):
            yield tile.path, content


def _unfinished_tiles(tree: Tree, before: int) -> Iterator[tuple[str, bytes]]:
    """The unfinished tiles at the right edge that differ from those of the tree of `before` entries."""
    size = tree.edge.size
    if tree.tail:
        yield Tile(ENTRIES, size // WIDTH, len(tree.tail)).path, encode_bundle(tree.tail)
    for tile, content in tree.edge.unfinished():
        if size >> HEIGHT * tile.level != before >> HEIGHT * tile.level:
            yield tile.path, content


def _completed(before: int, after: int) -> Iterator[Tile]:
    """The tiles that were unfinished in the tree of `before` and are full in that of `after`."""
    for level in (ENTRIES, *range(levels_of(before))):
        index, width = divmod(before >> HEIGHT * max(level, 0), WIDTH)
        if width and after >> HEIGHT * max(level, 0) >= (index + 1) * WIDTH:
            yield Tile(level, index)


def _needs_unfinished(size: int, tile: Tile) -> bool:
    """Whether the tree of `size` has `tile`, and not full."""
    return 0 < (size >> HEIGHT * max(tile.level, 0)) - tile.start < WIDTH


def _write(files: Iterator[tuple[str, bytes]], tiles: TileStore) -> None:
    """Write in batches, so that neither memory nor the number of waits for the disk grows with the log."""
    while batch := list(islice(files, _BATCH)):
        tiles.write_all(batch)


def _signed(checkpoint: Checkpoint, signer: Signer, now: datetime) -> bytes:
    """Sign, and date with the log's own timed signature (tlog-cosignature), as the text holds no time."""
    text = checkpoint.text
    return SignedNote(text=text, signatures=(sign_note(text, signer), cosign(text, signer, at=now))).encode()
