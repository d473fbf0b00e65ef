"""Tiles of C2SP tlog-tiles: their paths, their bytes, and reading and growing a tree through them. Pure.

A hash tile is up to 256 consecutive hashes of the tree level 8 × its own level; an entry bundle is the up to
256 entries under one tile of level 0, each behind its length as big-endian uint16. Reading refuses paths,
lengths and bundles in any form but the one the specification gives them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from comity.errors import InputError
from comity.proofs.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
FULL_BYTES = WIDTH * HASH_SIZE
ENTRIES = -1
"""The level of entry bundles, which stand under the tiles of level 0."""
MAX_LEVEL = 63
MAX_ENTRY = 2**16 - 1

_LONGEST_PATH = 64
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]\d?)/(?P<index>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Tile `index` of `level` with the first `width` of its 256 places filled; positional, as its path is."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """`tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last behind an `x`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        rest, last = divmod(self.index, 1000)
        groups = f"{last:03d}"
        while rest:
            rest, group = divmod(rest, 1000)
            groups = f"x{group:03d}/{groups}"
        return f"tile/{level}/{groups}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @property
    def full(self) -> "Tile":
        return Tile(self.level, self.index)

    @property
    def start(self) -> int:
        """The index of its first hash on its tree level; for level 0 and bundles, of its first entry."""
        return self.index * WIDTH


def parse_tile_path(path: str) -> Tile:
    """Return the tile at `path`; `InputError` for anything that is not exactly a tile's path."""
    found = _PATH.fullmatch(path) if len(path) <= _LONGEST_PATH else None
    if found is not None:
        level = ENTRIES if found["level"] == "entries" else int(found["level"])
        index = int(re.sub("[x/]", "", found["index"]))
        tile = Tile(level, index, int(found["width"] or WIDTH))
        if level <= MAX_LEVEL and tile.width <= WIDTH and tile.path == path:
            return tile
    raise InputError.because(expected="a path such as tile/0/x001/234.p/17", got=repr(path[:120]))


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile and bundle of the tree of `size` entries: bundles, then hash tiles level by level."""
    return new_tiles(0, size)


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """The tiles and bundles that appear or widen when the tree grows from `old` to `new` entries."""
    for level in (ENTRIES, *range(levels_of(new))):
        had, has = (size >> HEIGHT * max(level, 0) for size in (old, new))
        for index in range(had // WIDTH, has // WIDTH):
            yield Tile(level, index)
        if has % WIDTH and has != had:
            yield Tile(level, has // WIDTH, has % WIDTH)


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile as wide as the tree of `size` entries fills it."""
    has = size >> HEIGHT * max(level, 0)
    return Tile(level, index, min(WIDTH, has - index * WIDTH))


def levels_of(size: int) -> int:
    """How many levels of hash tiles the tree of `size` entries has."""
    return -(-size.bit_length() // HEIGHT)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Write up to 256 entries, each behind its length."""
    if not 1 <= len(entries) <= WIDTH or any(len(entry) > MAX_ENTRY for entry in entries):
        raise InputError.because(expected="1 to 256 entries of at most 65,535 bytes", got=str(len(entries)))
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Read the `width` entries of a bundle; `InputError` names the first cut short, or what follows."""
    entries: list[bytes] = []
    at = 0
    for number in range(width):
        length = int.from_bytes(data[at : at + 2], "big")
        end = at + 2 + length
        if at + 2 > len(data) or end > len(data):
            raise InputError.because(
                expected=f"{width} entries", got=f"an end inside entry {number} of the bundle"
            )
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data):
        raise InputError.because(
            expected=f"an end after {width} entries", got=f"{len(data) - at} more bytes at byte {at}"
        )
    return entries


def leaf_hashes(entries: Sequence[bytes]) -> bytes:
    """The hashes of `entries`, one after the other, as a tile of level 0 holds them."""
    return b"".join([leaf_hash(entry) for entry in entries])


def subtree_root(hashes: bytes) -> bytes:
    """Fold 2**k hashes standing one after the other into the root above them."""
    while len(hashes) > HASH_SIZE:
        hashes = b"".join(
            [node_hash(hashes[at : at + 32], hashes[at + 32 : at + 64]) for at in range(0, len(hashes), 64)]
        )
    return hashes


class TileHashes:
    """Hashes of complete subtrees in the tree of `size` entries, from its hash tiles.

    `read` returns the bytes of exactly the tile it is given. Nothing is authenticated here: check what is
    built from these hashes against a signed root.
    """

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._read = read
        self._seen: dict[Tile, bytes] = {}

    def hash_at(self, level: int, index: int) -> bytes:
        above, within = divmod(level, HEIGHT)
        number, first = divmod(index << within, WIDTH)
        hashes = self._tile(tile_at(above, number, self._size))
        return subtree_root(hashes[first * HASH_SIZE : (first + (1 << within)) * HASH_SIZE])

    def _tile(self, tile: Tile) -> bytes:
        if tile not in self._seen:
            self._seen[tile] = sized(self._read(tile), tile)
        return self._seen[tile]


def sized(data: bytes, tile: Tile) -> bytes:
    """Return `data` if a hash tile may have that length, otherwise raise `InputError`."""
    if len(data) != tile.width * HASH_SIZE:
        raise InputError.because(
            expected=f"{tile.width * HASH_SIZE} bytes", got=str(len(data)), where=tile.path
        )
    return data


class RightEdge:
    """The part of a tree that still grows: the hashes in the unfinished tile of each level.

    It is all that is needed to append and to compute the root, whatever the size.
    """

    def __init__(self, size: int = 0, tails: Sequence[bytes] = ()) -> None:
        self.size = size
        self._tails = list(tails)

    @classmethod
    def read(cls, size: int, read: Callable[[Tile], bytes]) -> "RightEdge":
        """Take the edge from the unfinished tiles of the tree of `size`; `InputError` on a wrong length."""
        tails = []
        for level in range(levels_of(size)):
            number, width = divmod(size >> HEIGHT * level, WIDTH)
            tile = Tile(level, number, width)
            tails.append(sized(read(tile), tile) if width else b"")
        return cls(size, tails)

    def append(self, hashes: bytes) -> list[tuple[Tile, bytes]]:
        """Add leaf hashes standing one after the other; return every tile this fills, lower levels first."""
        before = self.size
        self.size += len(hashes) // HASH_SIZE
        filled: list[tuple[Tile, bytes]] = []
        level = 0
        while hashes:
            if level == len(self._tails):
                self._tails.append(b"")
            tail = self._tails[level] + hashes
            number = before >> HEIGHT * (level + 1)
            whole = [tail[at : at + FULL_BYTES] for at in range(0, len(tail) - FULL_BYTES + 1, FULL_BYTES)]
            filled += [(Tile(level, number + offset), data) for offset, data in enumerate(whole)]
            self._tails[level] = tail[len(whole) * FULL_BYTES :]
            hashes = b"".join([subtree_root(data) for data in whole])
            level += 1
        return filled

    def unfinished(self) -> Iterator[tuple[Tile, bytes]]:
        """The unfinished tile of each level that has one."""
        for level, tail in enumerate(self._tails):
            if tail:
                yield Tile(level, self.size >> HEIGHT * (level + 1), len(tail) // HASH_SIZE), tail

    def root(self) -> bytes:
        """The root of the tree: its complete subtrees folded from the right."""
        found: bytes | None = None
        for tail in self._tails:
            count = len(tail) // HASH_SIZE
            while count:
                take = count & -count
                part = subtree_root(tail[(count - take) * HASH_SIZE : count * HASH_SIZE])
                found = part if found is None else node_hash(part, found)
                count -= take
        return EMPTY_ROOT if found is None else found
