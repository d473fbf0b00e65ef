"""Publishing: whole after every crash, never against what was signed, and only as much work as the growth."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from comity.errors import StorageError, TrustError
from comity.ledger import (
    LogForked,
    LogRolledBack,
    Publisher,
    add_cosignatures,
    publish,
    read_checkpoint,
    rebuild,
    verify_log,
)
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.note import BadSignature, KeySigner, UnknownKey, verifier_of
from comity.proofs.tiles import new_tiles, parse_tile_path, tile_at, tiles_of
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
    assert sorted(tiles.written[:-1]) == sorted(tile.path for tile in new_tiles(70_000, 70_300))
    assert tiles.written[-1] == "checkpoint"
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
        refused(MemoryEvents(size), tiles, LogRolledBack)


@pytest.mark.parametrize("size", [1, 255, 256, 300, 700])
def test_a_store_that_was_put_back_and_grew_again_is_refused(size: int) -> None:
    _, tiles = published(size)
    other = MemoryEvents(size + 5)
    other.committed[size - 1 :] = MemoryEvents(size + 5, story="another").committed[size - 1 :]
    refused(other, tiles, LogForked)


def test_rebuild_writes_nothing_over_a_log_it_disagrees_with() -> None:
    _, tiles = published(300)
    other = MemoryEvents(300, story="another")
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


# --- unfinished tiles are not synced, and are removed when the full ones are there --------------------------


def unfinished(tiles: MemoryTiles) -> list[str]:
    return sorted(path for path in tiles.files if ".p/" in path)


LOSSES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda raw: None,
    "empty": lambda raw: b"",
    "cut": lambda raw: raw[:17],
    "zeroed": lambda raw: bytes(len(raw)),
}


@pytest.mark.parametrize("size", [1, 255, 300, 512, 700, 65_536 + 300])
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_unfinished_tiles_lost_with_the_power_are_made_anew(size: int, loss: str) -> None:
    """All of them at once, those of older checkpoints too; nothing new happened since."""
    events, tiles = MemoryEvents(), MemoryTiles()
    publisher = Publisher(events, tiles, SIGNER)
    for step in (size - min(size, 3) + 1, *[1] * (min(size, 3) - 1)):
        events.add(step)
        publisher.publish(now=NOW, limit=100_000)
    whole = dict(tiles.files)
    for path in unfinished(tiles):
        lost = LOSSES[loss](tiles.files.pop(path))
        if lost is not None:
            tiles.files[path] = lost
    events.reads.clear()
    checkpoint = Publisher(events, tiles, SIGNER).publish(now=NOW)
    assert checkpoint is not None
    assert checkpoint.size == size
    assert verify_log(tiles, KEY).fault is None
    kept = {path: raw for path, raw in whole.items() if path in tiles.files}
    assert tiles.files == kept
    if loss != "gone":  # then nobody knows which there were
        assert set(unfinished(tiles)) == {path for path in whole if ".p/" in path and is_open(path, size)}
    assert sum(end - start for start, end in events.reads) <= 256, "full tiles are enough to go on from"


def is_open(path: str, size: int) -> bool:
    tile = parse_tile_path(path)
    return tile_at(tile.level, tile.index, size).width < 256


def test_an_older_checkpoint_after_a_power_loss_is_gone_on_from() -> None:
    """The rename of the newest checkpoint was lost: what is ahead of it may be anything."""
    events, tiles = published(300)
    older = tiles.files["checkpoint"]
    events.add(100)
    put(events, tiles)
    tiles.files["checkpoint"] = older
    for path in ("tile/0/001.p/144", "tile/entries/001.p/144"):
        tiles.files[path] = bytes(7)
    events.add(200)
    checkpoint = put(events, tiles)
    assert checkpoint is not None
    assert checkpoint.size == 600
    assert verify_log(tiles, KEY).fault is None
    assert "tile/0/001.p/144" not in tiles.files


def test_nothing_is_mended_from_full_tiles_that_were_changed() -> None:
    """Folding full tiles into a lost edge must give the signed root, or the store decides."""
    events, tiles = published(700)
    whole = dict(tiles.files)
    for path in unfinished(tiles):
        del tiles.files[path]
    tiles.files["tile/0/000"] = bytes(256 * 32)
    put(events, tiles)
    assert tiles.files == whole


def test_a_publisher_goes_on_from_memory_and_reads_only_what_is_new() -> None:
    events, tiles = MemoryEvents(70_000), MemoryTiles()
    publisher = Publisher(events, tiles, SIGNER)
    publisher.publish(now=NOW, limit=100_000)
    for step in (1, 254, 1, 300, 7):
        events.reads.clear()
        events.add(step)
        publisher.publish(now=NOW)
        assert events.reads == [(len(events.committed) - step, len(events.committed))]
        assert verify_log(tiles, KEY).fault is None


def test_a_publisher_starts_anew_when_another_one_published() -> None:
    events, tiles = MemoryEvents(300), MemoryTiles()
    one, other = Publisher(events, tiles, SIGNER), Publisher(events, tiles, SIGNER)
    for step in (1, 255, 300, 5):
        for publisher in (one, other):
            events.add(step)
            checkpoint = publisher.publish(now=NOW)
            assert checkpoint is not None
            assert checkpoint.size == len(events.committed)
            assert verify_log(tiles, KEY).fault is None


def stranger() -> KeySigner:
    """Another key under the log's own name."""
    return KeySigner("log.example", key_of("other.example").private)


def test_a_publisher_believes_no_checkpoint_that_was_put_in_place_of_its_own() -> None:
    events, tiles = MemoryEvents(300), MemoryTiles()
    publisher = Publisher(events, tiles, SIGNER)
    publisher.publish(now=NOW)
    events.add(5)
    mine = tiles.files["checkpoint"]
    forged = MemoryTiles()
    publish(MemoryEvents(400), forged, stranger(), now=NOW)
    tiles.files["checkpoint"] = forged.files["checkpoint"]
    with pytest.raises(TrustError):
        publisher.publish(now=NOW)
    tiles.files["checkpoint"] = mine.replace(b"\n300\n", b"\n299\n", 1)
    with pytest.raises(BadSignature):
        publisher.publish(now=NOW)
    del tiles.files["checkpoint"]
    tiles.files.clear()
    again = publisher.publish(now=NOW)
    assert again is not None
    assert verify_log(tiles, KEY).fault is None


def test_cosignatures_under_its_checkpoint_do_not_send_a_publisher_back_to_the_files() -> None:
    events, tiles = MemoryEvents(300), MemoryTiles()
    publisher = Publisher(events, tiles, SIGNER)
    checkpoint = publisher.publish(now=NOW)
    assert checkpoint is not None
    witness = key_of("witness.example")
    line = str(cosign(checkpoint.text, witness, at=NOW))
    assert add_cosignatures(tiles, line, on=checkpoint, log=KEY, witnesses=[cosigner_of(witness)])
    events.reads.clear()
    publisher.publish(now=NOW)
    assert events.reads == []


@pytest.mark.parametrize("persisted", [False, True])
def test_a_publisher_that_failed_half_way_goes_on_by_itself(persisted: bool) -> None:
    for nth in range(12):
        events, tiles = MemoryEvents(250), MemoryTiles()
        publisher = Publisher(events, tiles, SIGNER)
        publisher.publish(now=NOW)
        events.add(300)
        if persisted:
            tiles.after = cut_at(nth)
        else:
            tiles.before = cut_at(nth)
        with suppress(PowerCut):
            publisher.publish(now=NOW)
        tiles.before = tiles.after = lambda path: None
        events.add(3)
        checkpoint = publisher.publish(now=NOW)
        assert checkpoint is not None
        assert checkpoint.size == 553
        assert verify_log(tiles, KEY).fault is None


def test_unfinished_tiles_stay_for_the_last_checkpoints_and_then_go() -> None:
    events, tiles = MemoryEvents(), MemoryTiles()
    publisher = Publisher(events, tiles, SIGNER, keep=3)
    checkpoints = []
    for _ in range(12):
        events.add(100)
        publisher.publish(now=NOW)
        checkpoints.append(tiles.files["checkpoint"])
        for raw in checkpoints[-3:]:
            size = open_checkpoint(raw, [KEY])[0].size
            assert {tile.path for tile in tiles_of(size)} <= set(tiles.files)
    ends = {parse_tile_path(path).index for path in unfinished(tiles) if path.startswith("tile/entries")}
    assert ends == {3, 4}
    before = MemoryTiles()
    before.files = {**tiles.files, "checkpoint": checkpoints[0]}
    assert verify_log(before, KEY).fault is None, "an old checkpoint is served by the full tiles"


def test_a_restart_clears_away_what_a_crash_left_of_full_tiles() -> None:
    events, tiles = MemoryEvents(200), MemoryTiles()
    put(events, tiles)
    events.add(400)
    tiles.remove = lambda tile, widths: None  # type: ignore[method-assign]
    put(events, tiles)
    assert "tile/entries/000.p/200" in tiles.files
    del tiles.remove
    put(events, tiles)
    assert not [path for path in unfinished(tiles) if "/000.p/" in path and "tile/1" not in path]
    assert verify_log(tiles, KEY).fault is None
