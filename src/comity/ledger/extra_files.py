"""Files of a log directory that its checkpoint does not need: they must follow from what was signed all the same.

Unfinished tiles of smaller sizes are served to whoever holds an older checkpoint, so they must be the beginning of
the signed ones. What lies beyond the size is left by a crash between tiles and checkpoint, or by a log that grows
while it is checked: it is no error as long as every hash there follows from entries there. Anything else was put
there by somebody else.
"""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from comity.errors import InputError
from comity.ledger.fault import wrong
from comity.ledger.ports import LogReader
from comity.ledger.signed_tiles import TileFiles
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.merkle import HASH_SIZE
from comity.proofs.tiles import ENTRIES, WIDTH, RightEdge, Tile, encode_bundle, leaf_hashes, parse_tile_path

_NAMED = ("checkpoint", "key")
_LOCK = ".lock"
_AHEAD = (
    "If it is your own log and the node stopped half-way, start it: it finishes what it began. If not, ask who "
    "put the file there."
)


@runtime_checkable
class LogFolder(LogReader, Protocol):
    """A log whose files can be listed."""

    def paths(self) -> Iterable[str]:
        """Every file, hidden ones too, relative to the log, `/` between folders."""
        ...


def hidden_strangers(log: LogFolder) -> tuple[str, ...]:
    """Hidden files that no writer of a log leaves behind (spec/log.md §4): nobody is served them, so no fault."""
    return tuple(path for path in sorted(log.paths()) if _is_hidden(path) and not _is_left_by_a_writer(path))


def check_extra_files(log: LogFolder, checkpoint: Checkpoint, edge: RightEdge) -> None:
    """`LogWrong` for the first file that does not belong. The tree itself was checked; `edge` is its right edge.

    Consumes `edge`.
    """
    listed = sorted(log.paths())  # before the bundles: whoever writes a tile wrote its entries first
    tiles = [tile for path in listed if (tile := _tile(path)) is not None]
    older = [tile for tile in tiles if tile.width < _signed_width(tile, checkpoint.size)]
    ahead = [tile for tile in tiles if tile.width > _signed_width(tile, checkpoint.size)]
    for tile in older:
        _check_older(log, tile, checkpoint.size)
    if ahead:
        _check_ahead(log, ahead, checkpoint.size, edge)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _is_left_by_a_writer(path: str) -> bool:
    """The lock, or the draft of a file of a log: `.<name>.new` beside where `<name>` goes."""
    folder, slash, name = path.rpartition("/")
    place = f"{folder}{slash}{name.removeprefix('.').removesuffix('.new')}"
    if not (name.startswith(".") and name.endswith(".new")) or _is_hidden(place):
        return path == _LOCK
    try:
        return place in _NAMED or parse_tile_path(place).path == place
    except InputError:
        return False


def _tile(path: str) -> Tile | None:
    """The tile that the file is; None for the other files of a log and for hidden ones."""
    if path in _NAMED or _is_hidden(path):
        return None
    try:
        return parse_tile_path(path)
    except InputError as error:
        raise wrong(path, "no file of a log") from error


def _signed_width(tile: Tile, size: int) -> int:
    """How many of the places of that tile the tree of `size` fills; 0 or less: none."""
    return min(WIDTH, (size >> 8 * max(tile.level, 0)) - tile.start)


def _check_older(log: LogFolder, tile: Tile, size: int) -> None:
    whole = TileFiles(log).raw(Tile(tile.level, tile.index, _signed_width(tile, size)))[1]
    length = tile.width * (HASH_SIZE if tile.level != ENTRIES else HASH_SIZE + 2)
    if log.read(tile.path) not in (None, whole[:length]):
        raise wrong(tile.path, "an unfinished tile that is not the beginning of the signed one", tile.start)


def _check_ahead(log: LogFolder, ahead: list[Tile], size: int, edge: RightEdge) -> None:
    """Go on from the signed tree with the entries beyond it, and compare every file with what they give."""
    entries, known = _entries_ahead(log, size)
    signed = edge.size - edge.size % WIDTH
    expected: dict[tuple[int, int], bytes] = {}
    for number in range(0, len(entries), WIDTH):
        expected[ENTRIES, (signed + number) // WIDTH] = encode_bundle(entries[number : number + WIDTH])
    leaves = leaf_hashes(entries)
    tail = next((content for tile, content in edge.unfinished() if tile.level == 0), b"")
    if leaves[: len(tail)] != tail:
        raise wrong(known or ahead[0].path, "its first entries are not those that were signed", signed)
    for tile, content in (*edge.append(leaves[len(tail) :]), *edge.unfinished()):
        expected[tile.level, tile.index] = content
    for tile in ahead:
        found = log.read(tile.path)
        length = tile.width * (HASH_SIZE if tile.level != ENTRIES else HASH_SIZE + 2)
        content = expected.get((tile.level, tile.index), b"")
        if found is not None and (len(found) != length or found != content[:length]):
            raise wrong(
                tile.path, "it lies beyond the signed size and does not follow from the entries there",
                tile.start, _AHEAD,
            )  # fmt: skip


def _entries_ahead(log: LogFolder, size: int) -> tuple[list[bytes], str]:
    """The entries from the first unfinished bundle on, as far as bundles follow one another; the first's path."""
    widest: dict[int, int] = {}
    for path in log.paths():
        tile = _tile(path)
        if tile is not None and tile.level == ENTRIES:
            widest[tile.index] = max(widest.get(tile.index, 0), tile.width)
    entries: list[bytes] = []
    first = ""
    index = size // WIDTH
    while index in widest:
        bundle = Tile(ENTRIES, index, widest[index])
        first = first or bundle.path
        entries += TileFiles(log).entries(bundle)
        if bundle.width < WIDTH:
            break
        index += 1
    return entries, first
