"""Publishing: whole after every crash, never against what was signed, and only as much work as the growth."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from comity.errors import StorageError, TrustError
from comity.ledger import LogForked, LogRolledBack, publish, read_checkpoint, rebuild, verify_log
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.note import BadSignature, UnknownKey, verifier_of
from comity.proofs.tiles import new_tiles, tiles_of
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, PowerCut, cut_at, entry, key_of

SIGNER = key_of("log.example")
KEY = verifier_of(SIGNER)


def put(events: MemoryEvents, tiles: MemoryTiles, limit: int = 65_536) -> Checkpoint | None:
    return publish(events, tiles, SIGNER, now=NOW, limit=limit)


def published(size: int) -> tuple[MemoryEvents, MemoryTiles]:
    events, tiles = MemoryEvents(size), MemoryTiles()
    put(events, tiles)
    return events, tiles


def test_an_empty_log_publishes_nothing() -> None:
    events, tiles = published(0)
    assert put(events, tiles) is None
    assert tiles.files == {}


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700, 65_536, 66_000])
def test_the_files_are_those_of_the_tree_and_verify(size: int) -> None:
    events, tiles = MemoryEvents(size), MemoryTiles()
    checkpoint = put(events, tiles, limit=100_000)
    assert checkpoint is not None
    assert checkpoint.size == size
    assert set(tiles.files) == {"checkpoint", *(tile.path for tile in tiles_of(size))}
    assert tiles.written[-1] == "checkpoint"
    verdict = verify_log(tiles, KEY)
    assert verdict.holds
    assert (verdict.entries_checked, verdict.dated) == (size, NOW)


def test_growing_step_by_step_gives_the_same_tree_as_at_once() -> None:
    events, tiles = published(0)
    for step in (1, 1, 253, 1, 1, 255, 300, 1000, 512):
        events.add(step)
        checkpoint = put(events, tiles)
        assert verify_log(tiles, KEY).fault is None
    assert checkpoint == put(*published(len(events.committed)))


def test_the_work_follows_the_growth_not_the_log() -> None:
    events, tiles = MemoryEvents(70_000), MemoryTiles()
    put(events, tiles, limit=70_000)
    tiles.written.clear()
    events.reads.clear()
    events.add(300)
    put(events, tiles)
    assert tiles.written == [*(tile.path for tile in new_tiles(70_000, 70_300)), "checkpoint"]
    assert sum(end - start for start, end in events.reads) < 300 + 3 * 256


def test_nothing_new_writes_nothing_and_keeps_the_checkpoint() -> None:
    events, tiles = published(300)
    before = dict(tiles.files)
    tiles.written.clear()
    again = publish(events, tiles, SIGNER, now=NOW + timedelta(hours=1))
    assert again is not None
    assert again.size == 300
    assert (tiles.written, tiles.files) == ([], before)


def test_one_run_gives_places_to_no_more_than_asked_for() -> None:
    events, tiles = MemoryEvents(1000), MemoryTiles()
    sizes = [checkpoint.size for _ in range(4) if (checkpoint := put(events, tiles, limit=300))]
    assert sizes == [300, 600, 900, 1000]
    assert verify_log(tiles, KEY).holds


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize(("first", "more"), [(0, 700), (1, 1), (255, 1), (256, 1), (300, 500), (511, 1)])
def test_a_power_cut_at_any_write_heals_itself(first: int, more: int, persisted: bool) -> None:
    """Each write in turn is the last: not persisted, or persisted though it failed."""
    for nth in range(40):
        events, tiles = published(first)
        events.add(more)
        if persisted:
            tiles.after = cut_at(nth)
        else:
            tiles.before = cut_at(nth)
        try:
            put(events, tiles)
        except PowerCut:
            finished = False
        else:
            finished = True
        tiles.before = tiles.after = lambda path: None
        if "checkpoint" in tiles.files:
            assert verify_log(tiles, KEY).fault is None, f"cut at write {nth}"
        events.add(3)
        healed = put(events, tiles)
        assert healed is not None
        assert healed.size == first + more + 3
        assert verify_log(tiles, KEY).fault is None, f"healed after write {nth}"
        if finished:
            return
    pytest.fail("the run never finished")


def test_a_crash_after_giving_places_is_caught_up() -> None:
    events, tiles = published(10)
    events.add(5)
    events.sequence(5)
    checkpoint = put(events, tiles)
    assert checkpoint is not None
    assert checkpoint.size == 15


def test_leftovers_of_a_crash_are_not_believed() -> None:
    events, tiles = published(300)
    for path in ("tile/0/001.p/144", "tile/entries/001.p/144", "tile/1/000.p/2", "tile/0/001"):
        tiles.files[path] = b"torn"
    events.add(600)
    put(events, tiles)
    assert verify_log(tiles, KEY).holds


RIGHT_EDGES = [
    (size, tile.path)
    for size in (512, 700, 65_536)
    for tile in tiles_of(size)
    if tile.index == (size - 1) // 256
] + [(512, "tile/1/000.p/2"), (700, "tile/1/000.p/2"), (65_536, "tile/1/000"), (65_536, "tile/2/000.p/1")]


@pytest.mark.parametrize(("size", "path"), RIGHT_EDGES)
@pytest.mark.parametrize("damage", [lambda raw: None, lambda raw: raw[:-1], lambda raw: raw[:-1] + b"\x00"])
def test_a_damaged_right_edge_is_mended_from_the_store(
    size: int, path: str, damage: Callable[[bytes], bytes | None]
) -> None:
    events, tiles = published(size)
    whole = dict(tiles.files)
    damaged = damage(tiles.files.pop(path))
    if damaged is not None:
        tiles.files[path] = damaged
    put(events, tiles)
    assert tiles.files == whole


@pytest.mark.parametrize("size", [300, 512])
def test_a_store_and_tiles_changed_together_do_not_pass(size: int) -> None:
    """Whoever can change both still has no signature for the other tree."""
    events, tiles = published(size)
    checkpoint = tiles.files["checkpoint"]
    events.committed[size - 1] = entry(size, "another")
    forged = MemoryTiles()
    publish(events, forged, SIGNER, now=NOW)
    tiles.files = {**forged.files, "checkpoint": checkpoint}
    refused(events, tiles, LogForked)


def test_rebuild_mends_every_tile_and_says_which() -> None:
    events, tiles = published(66_000)
    whole = dict(tiles.files)
    del tiles.files["tile/entries/100"]
    tiles.files["tile/0/007"] = b"wrong"
    assert sorted(rebuild(events, tiles, KEY)) == ["tile/0/007", "tile/entries/100"]
    assert tiles.files == whole
    assert rebuild(events, tiles, KEY) == ()


def refused(events: MemoryEvents, tiles: MemoryTiles, error: type[TrustError]) -> None:
    before = dict(tiles.files)
    with pytest.raises(error):
        put(events, tiles)
    assert tiles.files == before


def test_a_store_put_back_to_an_older_state_is_refused() -> None:
    _, tiles = published(300)
    for size in (0, 299):
        older = MemoryEvents(size)
        older.sequence(size)
        refused(older, tiles, LogRolledBack)
    refused(MemoryEvents(400), tiles, LogRolledBack)


@pytest.mark.parametrize("size", [1, 255, 256, 300, 700])
def test_a_store_that_was_put_back_and_grew_again_is_refused(size: int) -> None:
    _, tiles = published(size)
    other = MemoryEvents(size + 5)
    other.committed[size - 1 :] = MemoryEvents(size + 5, story="another").committed[size - 1 :]
    other.sequence(size + 5)
    refused(other, tiles, LogForked)


def test_rebuild_writes_nothing_over_a_log_it_disagrees_with() -> None:
    _, tiles = published(300)
    other = MemoryEvents(300, story="another")
    other.sequence(300)
    before = dict(tiles.files)
    with pytest.raises(LogForked):
        rebuild(other, tiles, KEY)
    assert tiles.files == before


def test_a_checkpoint_of_another_key_or_log_or_none_at_all_is_never_replaced() -> None:
    events, tiles = published(10)
    events.add(1)
    raw = tiles.files["checkpoint"]
    tiles.files["checkpoint"] = raw.replace(b"\n10\n", b"\n09\n", 1)
    refused(events, tiles, BadSignature)
    tiles.files["checkpoint"] = b""
    refused(events, tiles, LogForked)
    tiles.files["checkpoint"] = raw
    with pytest.raises(UnknownKey):
        publish(events, tiles, key_of("other.example"), now=NOW)
    assert tiles.files["checkpoint"] == raw


def test_a_store_that_lost_durable_entries_stops_the_log() -> None:
    events, tiles = published(10)
    events.add(5)
    events.entries = lambda start, end: events.committed[start : end - 1]  # type: ignore[method-assign]
    with pytest.raises(StorageError, match="entries"):
        put(events, tiles)
    assert verify_log(tiles, KEY).holds


def test_the_checkpoint_is_dated_by_the_log_and_named_after_its_key() -> None:
    _, tiles = published(10)
    found = read_checkpoint(tiles, KEY)
    assert found is not None
    checkpoint, note = found
    assert checkpoint.origin == "log.example"
    assert [line.name for line in note.signatures] == ["log.example", "log.example"]
    assert checkpoint.extensions == ()
