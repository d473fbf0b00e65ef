"""Read the tiles of a log that is not trusted: exact lengths, and hashes only once the signed root stands over them.

`TileFiles` refuses what has the wrong form and names the file. `SignedTiles` hands out a tile only after it was
followed up to the root of a checkpoint: what it returns is what the log signed, whoever served it. Pure but for
the reader.
"""

from collections import OrderedDict

from comity.errors import InputError
from comity.ledger.entry import ENTRY_SIZE
from comity.ledger.fault import LogWrong, wrong
from comity.ledger.ports import LogReader
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.merkle import HASH_SIZE
from comity.proofs.tiles import ENTRIES, WIDTH, RightEdge, Tile, decode_bundle, sized, subtree_root, tile_at

_KEPT = 512
"""Tiles in memory: the way from any leaf to the root and its neighbours, 4 MiB at most."""


class TileFiles:
    """The tiles and bundles of a reader, in the form that the tree of a size needs them."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def raw(self, tile: Tile) -> tuple[str, bytes]:
        """Path and bytes; for an unfinished tile that is gone, the full one (tlog-tiles, “Partial Tiles”)."""
        for path in dict.fromkeys((tile.path, tile.full.path)):
            found = self._reader.read(path)
            if found is not None:
                return path, found
        raise wrong(tile.path, "missing")

    def hashes(self, tile: Tile) -> tuple[str, bytes]:
        """Where they were read, and exactly the hashes of `tile`; `LogWrong` on any other length."""
        path, found = self.raw(tile)
        try:
            found = sized(found, tile if path == tile.path else tile.full)
        except InputError as error:
            raise wrong(path, error.problem) from error
        return path, found[: tile.width * HASH_SIZE]

    def entries(self, bundle: Tile) -> list[bytes]:
        """The entries of `bundle`; `LogWrong` names the first that is cut short or no commitment."""
        path, found = self.raw(bundle)
        whole = bundle if path == bundle.path else bundle.full
        try:
            entries = decode_bundle(found, whole.width)[: bundle.width]
        except InputError as error:
            raise wrong(path, error.problem) from error
        for index, entry in enumerate(entries, bundle.start):
            if len(entry) != ENTRY_SIZE:
                raise wrong(path, f"entry {index}: expected {ENTRY_SIZE} bytes, got {len(entry)}", index)
        return entries


class SignedTiles:
    """The hash tiles under the root of `checkpoint`. Making one reads its right edge: `LogWrong` if that differs."""

    def __init__(self, checkpoint: Checkpoint, reader: LogReader) -> None:
        self.checkpoint = checkpoint
        self._files = TileFiles(reader)
        self._edge = self._read_edge()
        self._kept: OrderedDict[Tile, bytes] = OrderedDict()

    def tile(self, tile: Tile) -> bytes:
        """The hashes of `tile`, as wide as the signed tree fills it; `LogWrong` names a file that differs."""
        if tile.width < WIDTH:
            return self._edge[tile]
        if tile in self._kept:
            self._kept.move_to_end(tile)
            return self._kept[tile]
        path, hashes = self._files.hashes(tile)
        above = self.tile(tile_at(tile.level + 1, tile.index // WIDTH, self.checkpoint.size))
        place = tile.index % WIDTH * HASH_SIZE
        if subtree_root(hashes) != above[place : place + HASH_SIZE]:
            raise wrong(path, "its hashes are not those that were signed", tile.start)
        self._kept[tile] = hashes
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return hashes

    def leaves(self, bundle: int) -> bytes:
        """The leaf hashes of entry bundle number `bundle`."""
        return self.tile(tile_at(0, bundle, self.checkpoint.size))

    def unfinished(self) -> dict[Tile, bytes]:
        """The unfinished tiles of the signed tree."""
        return dict(self._edge)

    def _read_edge(self) -> dict[Tile, bytes]:
        found: dict[Tile, bytes] = {}
        paths: list[str] = []

        def read(tile: Tile) -> bytes:
            path, found[tile] = self._files.hashes(tile)
            paths.append(path)
            return found[tile]

        edge = RightEdge.read(self.checkpoint.size, read)
        if edge.root() != self.checkpoint.root:
            raise wrong(
                "checkpoint",
                f"the root is {self.checkpoint.root.hex()}, but {', '.join(paths) or 'an empty tree'} "
                f"gives {edge.root().hex()}",
            )
        return found


def lies_under(checkpoint: Checkpoint, reader: LogReader, tile: Tile) -> bool:
    """Is the stored `tile` one that was signed, going up through the tiles as stored?"""
    try:
        signed = SignedTiles(checkpoint, reader)
        signed.tile(tile)
    except LogWrong:
        return False
    return True


__all__ = ["ENTRIES", "SignedTiles", "TileFiles", "lies_under"]
