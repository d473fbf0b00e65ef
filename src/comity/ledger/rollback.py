"""Was our log put back? A checkpoint that our own key signed, and that the published log does not continue. Pure."""

from comity.errors import InputError
from comity.ledger.ports import LogReader
from comity.ledger.signed_tiles import SignedTiles
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.merkle import EMPTY_ROOT, root_at
from comity.proofs.tiles import TileHashes


def root_of(tiles: LogReader, published: Checkpoint, size: int) -> bytes:
    """The root that the published tree has at `size`, from tiles that lie under its own root; `LogWrong` if not."""
    if not 0 <= size <= published.size:
        raise InputError.because(expected=f"a size up to {published.size}", got=str(size))
    if size == 0:
        return EMPTY_ROOT
    return root_at(size, TileHashes(published.size, SignedTiles(published, tiles).tile).hash_at)


def contradiction(tiles: LogReader, published: Checkpoint | None, seen: Checkpoint) -> str:
    """Why the published log does not continue `seen`, which the log's own key signed; empty if it does."""
    have = published.size if published else 0
    if seen.size > have:
        return f"a tree of {seen.size} entries was signed with this log's key, the log has {have}"
    if published is not None and root_of(tiles, published, seen.size) != seen.root:
        return f"another tree of {seen.size} entries was signed with this log's key"
    return ""
