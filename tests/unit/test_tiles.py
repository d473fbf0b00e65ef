"""Tiles: paths, widths, bundles and what changes as a tree grows (C2SP tlog-tiles)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError
from comity.proofs.tiles import (
    ENTRIES,
    RightEdge,
    Tile,
    TileHashes,
    decode_bundle,
    encode_bundle,
    leaf_hashes,
    levels_of,
    new_tiles,
    parse_tile_path,
    tile_at,
    tiles_of,
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(1, 1234067), "tile/1/x001/x234/067"),
        (Tile(ENTRIES, 1000), "tile/entries/x001/000"),
        (Tile(ENTRIES, 999_999, 255), "tile/entries/x999/999.p/255"),
        (Tile(63, 1, 1), "tile/63/001.p/1"),
    ],
)
def test_paths_are_those_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_tile_path(path) == tile


@given(st.integers(-1, 63), st.integers(0, 10**15), st.integers(1, 256))
def test_every_path_reads_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_tile_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/64/000",
        "tile/-1/000", "tile/data/000", "tile/8/0/000", "tile/0/x000/000", "tile/0/x00/000", "tile/0/001/000",
        "tile/0/x001", "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/01", "tile/0/000.p/-1", "tile/0/000/", "/tile/0/000", "tile/0/000\n", "tile/0/..",
        "tile/0/../../key", "tile//000", "tile/0/٠٠٠", "tile/entries/000.p/1/2", "tile/Entries/000",
        "tile/0/" + "x001/" * 20 + "000",
    ],
)  # fmt: skip
def test_anything_else_is_no_path(path: str) -> None:
    with pytest.raises(InputError):
        parse_tile_path(path)


def test_the_specifications_example_of_70000_entries() -> None:
    tiles = list(tiles_of(70_000))
    bundles = [tile.path for tile in tiles if tile.level == ENTRIES]
    hashes = [tile for tile in tiles if tile.level >= 0]
    assert hashes[:273] == [Tile(0, number) for number in range(273)]
    assert hashes[273:] == [Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert len(bundles) == 274
    assert bundles[-1] == "tile/entries/273.p/112"
    assert [tile.path for tile in tiles_of(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]


def test_no_tiles_for_no_entries() -> None:
    assert list(tiles_of(0)) == []
    assert levels_of(0) == 0


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        (5, 5, []),
        (5, 6, ["tile/entries/000.p/6", "tile/0/000.p/6"]),
        (255, 256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]),
        (256, 257, ["tile/entries/001.p/1", "tile/0/001.p/1"]),
        (
            511, 513,
            ["tile/entries/001", "tile/entries/002.p/1", "tile/0/001", "tile/0/002.p/1", "tile/1/000.p/2"],
        ),
    ],
)  # fmt: skip
def test_growth_changes_these_tiles(old: int, new: int, paths: list[str]) -> None:
    assert [tile.path for tile in new_tiles(old, new)] == paths


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_bundles_read_back(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


def test_a_bundle_is_length_then_entry() -> None:
    assert encode_bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    assert decode_bundle(b"\xff\xff" + bytes(65535), 1) == [bytes(65535)]


@pytest.mark.parametrize("entries", [[], [b""] * 257, [bytes(65536)]])
def test_what_fits_no_bundle_is_refused(entries: list[bytes]) -> None:
    with pytest.raises(InputError):
        encode_bundle(entries)


@pytest.mark.parametrize(
    ("raw", "width", "message"),
    [
        (b"", 1, "entry 0"),
        (b"\x00", 1, "entry 0"),
        (b"\x00\x02a", 1, "entry 0"),
        (b"\x00\x01a\x00", 2, "entry 1"),
        (b"\x00\x01a", 2, "entry 1"),
        (b"\x00\x01ab", 1, "1 more bytes at byte 3"),
        (b"\x00\x01a\x00\x00", 1, "2 more bytes"),
    ],
)
def test_a_bundle_of_another_length_is_refused(raw: bytes, width: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decode_bundle(raw, width)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_hash_tile_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InputError, match="32"):
        TileHashes(1, lambda tile: bytes(length)).hash_at(0, 0)
    with pytest.raises(InputError, match="32"):
        RightEdge.read(1, lambda tile: bytes(length))


def test_the_edge_alone_is_enough_to_go_on() -> None:
    """Only unfinished tiles are read: one a level, not one for every 256 entries."""
    whole = RightEdge()
    stored = dict(whole.append(leaf_hashes([b"%d" % number for number in range(70_000)])))
    stored.update(whole.unfinished())
    asked: list[Tile] = []

    def read(tile: Tile) -> bytes:
        asked.append(tile)
        return stored[tile]

    edge = RightEdge.read(70_000, read)
    assert [tile.path for tile in asked] == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert edge.root() == whole.root()
    assert tile_at(1, 1, 70_000) == Tile(1, 1, 17)
