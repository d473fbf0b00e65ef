"""Take up a published log where it was left: its right edge, under the signed root and as the store has it.

The edge is read from the unfinished tiles; where those do not give the signed root, it is folded from the full
tiles, which are durable; where those do not either, the whole tree is made anew from the store. What is damaged
is mended on the way, and unfinished tiles that no checkpoint of this log counts are removed. If the store does
not give the signed root nothing is mended: one of the two was changed, and people must find out which.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from comity.errors import InputError, StorageError, TrustError
from comity.ledger.entry import ENTRY_SIZE
from comity.ledger.ports import EventStore, TileStore
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.merkle import HASH_SIZE
from comity.proofs.note import SignedNote, VerifierKey
from comity.proofs.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    RightEdge,
    Tile,
    encode_bundle,
    leaf_hashes,
    levels_of,
    sized,
    subtree_root,
    tile_at,
)

CHECKPOINT = "checkpoint"
_STEP = 64 * WIDTH
_BATCH = 128
_LOOK_BACK = 512
"""So many full tiles back on each level are looked at for unfinished forms that a crash left behind."""
_LOOK_AHEAD = 260
"""Further than one run grows the log (`ledger.publish.GROWTH_LIMIT`)."""
_IN_BUNDLE = ENTRY_SIZE + 2
"""Bytes an entry takes up in a bundle, with its length."""


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
        "Find out which of the two was changed (`comity log fsck DIR`) and restore that one. "
        "Nothing is published until they agree."
    )


@dataclass(slots=True)
class Tree:
    """The published tree, ready to grow: `tail` are the entries in its unfinished bundle."""

    checkpoint: Checkpoint | None = None
    edge: RightEdge = field(default_factory=RightEdge)
    tail: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.checkpoint.size if self.checkpoint is not None else 0


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


def take_up(events: EventStore, tiles: TileStore, key: VerifierKey) -> Tree:
    """The published tree, authenticated by its signed root and agreed with by the store; its files mended.

    Of the store the newest bundle is compared. That is enough to notice one that was put back and grew again:
    salts are random, so its newest entries are others.
    """
    published = read_checkpoint(tiles, key)
    checkpoint = published[0] if published else None
    if checkpoint is None or checkpoint.size == 0:
        return Tree(checkpoint)
    size = checkpoint.size
    check_size(events, size)
    newest = tile_at(ENTRIES, (size - 1) // WIDTH, size)
    entries = entries_of(events, newest.start, size)
    found = _edge_of(checkpoint, newest.start, entries, tiles)
    if found is None:
        make_anew(checkpoint, events, tiles)
        found = _edge_of(checkpoint, newest.start, entries, tiles)
        if found is None:
            raise StorageError("the log was written anew and cannot be read", where=newest.path)
    edge, filled = found
    _mended(((tile.path, content) for tile, content in filled), tiles)
    _mend_widths(newest, encode_bundle(entries), _IN_BUNDLE, tiles)
    for tile, content in edge.unfinished():
        _mend_widths(tile, content, HASH_SIZE, tiles)
    _clear_leftovers(size, tiles)
    return Tree(checkpoint, edge, entries if newest.width < WIDTH else [])


def make_anew(published: Checkpoint, events: EventStore, tiles: TileStore) -> tuple[str, ...]:
    """Make every tile of the published tree from the store and mend those that differ; return their paths.

    The whole tree is computed before anything is written: `LogForked` if it does not have the signed root.
    """
    check_size(events, published.size)
    edge = RightEdge()
    for _ in tree_files(edge, published.size, events):
        pass
    if edge.root() != published.root:
        raise LogForked(
            f"expected the first {published.size} events to have root {published.root.hex()}, "
            f"got {edge.root().hex()}"
        )
    return _mended(tree_files(RightEdge(), published.size, events), tiles)


def check_size(events: EventStore, least: int) -> int:
    """How many events the store has; `LogRolledBack` if fewer than were published."""
    size = events.size()
    if size < least:
        raise LogRolledBack(f"expected at least {least} events in the store, got {size}")
    return size


def entries_of(events: EventStore, start: int, end: int) -> list[bytes]:
    """The entries from `start` to `end`, all of them; `StorageError` if the store lost some."""
    entries = events.entries(start, end)
    if len(entries) != end - start or any(len(entry) != ENTRY_SIZE for entry in entries):
        raise StorageError(
            f"expected {end - start} entries of {ENTRY_SIZE} bytes at {start}, got {len(entries)}",
            remedy="The database lost events that were durable: restore it before starting the node again.",
        )
    return entries


def _edge_of(
    published: Checkpoint, start: int, newest: list[bytes], tiles: TileStore
) -> tuple[RightEdge, list[tuple[Tile, bytes]]] | None:
    """The right edge of the published tree, and the full tiles that end there.

    As stored up to `start`, then the store's newest entries. None if neither unfinished nor full tiles give the
    signed root with these entries.
    """
    for read in (_stored(published.size, tiles), _folded(tiles)):
        with suppress(InputError):
            edge = RightEdge.read(start, read)
            filled = edge.append(leaf_hashes(newest))
            if edge.root() == published.root:
                return edge, filled
    return None


def _stored(size: int, tiles: TileStore) -> Callable[[Tile], bytes]:
    """Reads an unfinished tile as it stands in the files of the tree of `size`."""

    def read(tile: Tile) -> bytes:
        return (tiles.read(tile_at(tile.level, tile.index, size).path) or b"")[: tile.width * HASH_SIZE]

    return read


def _folded(tiles: TileStore) -> Callable[[Tile], bytes]:
    """Makes an unfinished tile from the full ones below it."""

    def read(tile: Tile) -> bytes:
        below = [Tile(tile.level - 1, tile.start + place) for place in range(tile.width)]
        return b"".join([subtree_root(sized(tiles.read(one.path) or b"", one)) for one in below])

    return read


def _mend_widths(tile: Tile, content: bytes, each: int, tiles: TileStore) -> None:
    """Make sure of a tile and of its smaller forms, which are beginnings of it: `each` bytes a place."""
    smaller = [width for width in tiles.widths(tile) if width < tile.width < WIDTH]
    _mended(
        (
            (Tile(tile.level, tile.index, width).path, content[: width * each])
            for width in (tile.width, *smaller)
        ),
        tiles,
    )


def _clear_leftovers(size: int, tiles: TileStore) -> None:
    """Remove unfinished tiles that are wider than the tree, and those of tiles that are full in it.

    The first a crash left before its checkpoint; they are not synced, so nobody knows what is in them. The
    second are no longer needed, as nobody was served since (`ledger.publish` keeps those of a running log).
    """
    for level in (ENTRIES, *range(levels_of(size) + 1)):
        index, width = divmod(size >> HEIGHT * max(level, 0), WIDTH)
        beyond = [each for each in tiles.widths(Tile(level, index)) if each > width]
        if beyond:
            tiles.remove(Tile(level, index), beyond)
        for other in (*range(max(0, index - _LOOK_BACK), index), *range(index + 1, index + _LOOK_AHEAD)):
            left = tiles.widths(Tile(level, other))
            if left:
                tiles.remove(Tile(level, other), left)


def _mended(files: Iterator[tuple[str, bytes]], tiles: TileStore) -> tuple[str, ...]:
    """Write those files that are not there as they should be."""
    wrong: list[tuple[str, bytes]] = []
    paths: list[str] = []
    for path, content in files:
        if tiles.read(path) != content:
            wrong.append((path, content))
            paths.append(path)
        if len(wrong) == _BATCH:
            tiles.write_all(wrong)
            wrong = []
    if wrong:
        tiles.write_all(wrong)
    return tuple(paths)


def tree_files(edge: RightEdge, size: int, events: EventStore) -> Iterator[tuple[str, bytes]]:
    """Grow the empty `edge` to `size` and yield path and content of every tile and bundle on the way."""
    for start in range(0, size, _STEP):
        entries = entries_of(events, start, min(start + _STEP, size))
        for at in range(0, len(entries), WIDTH):
            part = entries[at : at + WIDTH]
            yield Tile(ENTRIES, (start + at) // WIDTH, len(part)).path, encode_bundle(part)
        for tile, content in edge.append(leaf_hashes(entries)):
            yield tile.path, content
    for tile, content in edge.unfinished():
        yield tile.path, content
