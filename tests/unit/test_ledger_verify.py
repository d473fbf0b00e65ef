"""Checking a log: whatever byte of it is changed is found, and the first wrong thing is named."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from comity.errors import NetworkError
from comity.ledger import Verdict, add_cosignatures, publish, read_checkpoint, verify_log
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.merkle import EMPTY_ROOT
from comity.proofs.note import SignedNote, VerifierKey, sign_note, verifier_of
from comity.proofs.tiles import encode_bundle, leaf_hashes, subtree_root
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, entry, key_of

SIGNER = key_of("log.example")
KEY = verifier_of(SIGNER)
WITNESSES = [key_of(f"witness{number}.example") for number in range(3)]
WITNESS_KEYS = [cosigner_of(witness) for witness in WITNESSES]


def log_of(size: int) -> MemoryTiles:
    tiles = MemoryTiles()
    publish(MemoryEvents(size), tiles, SIGNER, now=NOW, limit=size)
    found = read_checkpoint(tiles, KEY)
    assert found is not None
    lines = "".join(str(cosign(found[0].text, witness, at=NOW)) for witness in WITNESSES[:2])
    add_cosignatures(tiles, lines, on=found[0], log=KEY, witnesses=WITNESS_KEYS)
    return tiles


def fault_of(tiles: MemoryTiles, key: VerifierKey = KEY) -> tuple[str, int | None, str]:
    fault = verify_log(tiles, key, WITNESS_KEYS).fault
    assert fault is not None
    return fault.file, fault.index, fault.problem


def test_a_whole_log_holds_and_says_who_cosigned() -> None:
    verdict = verify_log(log_of(700), KEY, WITNESS_KEYS, quorum=2)
    assert (verdict.holds, verdict.entries_checked, verdict.dated) == (True, 700, NOW)
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.size == 700
    assert [one.key for one in verdict.cosigned] == WITNESS_KEYS[:2]
    assert {one.at for one in verdict.cosigned} == {NOW}
    assert verdict.missing == (WITNESS_KEYS[2],)


def flips(tiles: MemoryTiles, path: str, choice: random.Random) -> list[bytes]:
    """The file changed in one bit of every 37th byte, cut, emptied, and grown."""
    raw = tiles.files[path]
    changed = []
    for at in range(choice.randrange(37) % len(raw), len(raw), 37):
        altered = bytearray(raw)
        altered[at] ^= 1 << choice.randrange(8)
        changed.append(bytes(altered))
    return [*changed, b"", raw[:-1], raw[:-32], raw + b"\x00", raw + raw]


def test_every_changed_tile_is_found_and_named() -> None:
    tiles, choice = log_of(600), random.Random(1)
    paths = [path for path in tiles.files if path != "checkpoint"]
    assert len(paths) == 7
    for path in paths:
        whole = tiles.files[path]
        for changed in flips(tiles, path, choice):
            tiles.files[path] = changed
            assert fault_of(tiles)[0] == path
        del tiles.files[path]
        assert fault_of(tiles) == (path, None, "missing")
        tiles.files[path] = whole
    assert verify_log(tiles, KEY).holds


def test_every_changed_byte_of_the_checkpoint_is_found() -> None:
    """All of it: text, the log's signatures, and the lines of the two witnesses that were named.

    Only the line that dates the checkpoint may be turned into a stranger's, which must be ignored (signed-note):
    then the checkpoint has no date.
    """
    tiles = log_of(5)
    raw = tiles.files["checkpoint"]
    before = verify_log(tiles, KEY, WITNESS_KEYS[:2], quorum=2)
    for at in range(len(raw)):
        altered = bytearray(raw)
        altered[at] ^= 1
        tiles.files["checkpoint"] = bytes(altered)
        verdict = verify_log(tiles, KEY, WITNESS_KEYS[:2], quorum=2)
        if verdict.fault is None:
            assert (before.dated, verdict.dated) == (NOW, None), f"byte {at}"
        else:
            assert verdict.fault.file == "checkpoint"


@pytest.mark.parametrize(
    ("path", "at", "index", "named"),
    [
        ("tile/entries/000", 2 + 34 * 17, 17, "tile/entries/000"),
        ("tile/entries/001", 2 + 34 * 3, 259, "tile/entries/001"),
        ("tile/entries/002.p/88", 2 + 34 * 87, 599, "tile/entries/002.p/88"),
        ("tile/0/001", 32 * 3, 259, "tile/0/001"),
        ("tile/0/002.p/88", 32 * 87 + 31, 599, "tile/0/002.p/88"),
        ("tile/1/000.p/2", 32, 1, "tile/1/000.p/2"),
    ],
)
def test_the_wrong_entry_or_hash_is_named(path: str, at: int, index: int, named: str) -> None:
    tiles = log_of(600)
    altered = bytearray(tiles.files[path])
    altered[at] ^= 128
    tiles.files[path] = bytes(altered)
    file, found, problem = fault_of(tiles)
    assert (file, found) == (named, index)
    assert str(index) in problem


def test_an_entry_swapped_together_with_its_hashes_is_still_found() -> None:
    """Whoever holds the directory but not the key can make tiles agree with each other, not with the root."""
    tiles = log_of(600)
    entries = [entry(number) for number in range(256)]
    entries[17] = entry(17, "forged")
    tiles.files["tile/entries/000"] = encode_bundle(entries)
    tiles.files["tile/0/000"] = leaf_hashes(entries)
    file, index, problem = fault_of(tiles)
    assert (file, index) == ("tile/0/000", 0)
    assert "not those that were signed" in problem
    above = tiles.files["tile/1/000.p/2"]
    tiles.files["tile/1/000.p/2"] = subtree_root(tiles.files["tile/0/000"]) + above[32:]
    assert fault_of(tiles)[0] == "checkpoint"


def test_the_first_wrong_thing_is_named_when_there_are_several() -> None:
    tiles = log_of(600)
    for path in ("tile/entries/001", "tile/0/000", "tile/1/000.p/2", "tile/entries/002.p/88"):
        tiles.files[path] = b""
    assert fault_of(tiles)[0] == "tile/0/000"
    del tiles.files["checkpoint"]
    assert fault_of(tiles) == ("checkpoint", None, "missing")


def test_entries_that_are_no_commitments_are_named() -> None:
    tiles = log_of(10)
    entries = [entry(number) for number in range(10)]
    entries[4] += b"\x00"
    tiles.files["tile/entries/000.p/10"] = encode_bundle(entries)
    file, index, problem = fault_of(tiles)
    assert (file, index) == ("tile/entries/000.p/10", 4)
    assert "expected 32 bytes, got 33" in problem


def test_what_is_ahead_of_the_checkpoint_is_no_error() -> None:
    """A crash between tiles and checkpoint, or a log that grows while it is being checked."""
    old, new = log_of(300), log_of(700)
    ahead = MemoryTiles()
    ahead.files = {**old.files, **new.files, "checkpoint": old.files["checkpoint"]}
    assert verify_log(ahead, KEY).holds
    for path in [path for path in ahead.files if path in ("tile/entries/001.p/44", "tile/0/001.p/44")]:
        del ahead.files[path]
    verdict = verify_log(ahead, KEY)
    assert (verdict.holds, verdict.entries_checked) == (True, 300)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("tile/0/001", lambda raw: raw[: 44 * 32]),
        ("tile/entries/001", lambda raw: raw[: 44 * 34]),
        ("tile/0/001", lambda raw: bytes(32) + raw[32:]),
    ],
)
def test_a_full_tile_standing_in_for_an_unfinished_one_is_checked_as_one(
    path: str, change: Callable[[bytes], bytes]
) -> None:
    tiles = log_of(300)
    full = log_of(512).files
    tiles.files.update({"tile/0/001": full["tile/0/001"], "tile/entries/001": full["tile/entries/001"]})
    del tiles.files["tile/0/001.p/44"], tiles.files["tile/entries/001.p/44"]
    assert verify_log(tiles, KEY).holds
    tiles.files[path] = change(tiles.files[path])
    assert fault_of(tiles)[0] == path


def test_another_key_is_named() -> None:
    tiles = log_of(5)
    assert "other.example" in fault_of(tiles, verifier_of(key_of("other.example")))[2]
    same_name = VerifierKey(name="log.example", kind=1, public=key_of("other.example").public)
    assert "log.example" in fault_of(tiles, same_name)[2]


def test_a_checkpoint_signed_for_another_log_is_refused() -> None:
    tiles = log_of(5)
    text = Checkpoint(origin="other.example", size=5, root=bytes(32)).text
    tiles.files["checkpoint"] = SignedNote(text=text, signatures=(sign_note(text, SIGNER),)).encode()
    assert "other.example" in fault_of(tiles)[2]


@pytest.mark.parametrize("size", [4, 6, 0, 300])
def test_a_signed_size_that_the_files_do_not_bear_out_is_refused(size: int) -> None:
    tiles = log_of(5)
    found = read_checkpoint(tiles, KEY)
    assert found is not None
    text = Checkpoint(origin="log.example", size=size, root=found[0].root).text
    tiles.files["checkpoint"] = SignedNote(text=text, signatures=(sign_note(text, SIGNER),)).encode()
    assert not verify_log(tiles, KEY).holds


def test_too_few_cosignatures_are_a_fault_only_if_asked_for() -> None:
    tiles = log_of(5)
    assert verify_log(tiles, KEY, WITNESS_KEYS, quorum=2).holds
    fault = verify_log(tiles, KEY, WITNESS_KEYS, quorum=3).fault
    assert fault is not None
    assert "witness2.example" in fault.problem
    assert verify_log(tiles, KEY, WITNESS_KEYS[2:]).missing == (WITNESS_KEYS[2],)


def test_one_witness_counts_once_and_the_log_does_not_count_as_its_own() -> None:
    tiles = log_of(5)
    own = cosigner_of(SIGNER)
    verdict = verify_log(tiles, KEY, [WITNESS_KEYS[0], WITNESS_KEYS[0], own], quorum=2)
    assert verdict.fault is not None
    assert [one.key for one in verify_log(tiles, KEY, [WITNESS_KEYS[0], own]).cosigned] == [WITNESS_KEYS[0]]


def test_a_forged_cosignature_is_a_fault_even_without_quorum() -> None:
    tiles = log_of(5)
    found = read_checkpoint(tiles, KEY)
    assert found is not None
    _, note = found
    other = cosign(note.text, WITNESSES[0], at=NOW + timedelta(seconds=1))
    forged = type(other)(name=other.name, key_id=other.key_id, signature=other.signature[:8] + bytes(64))
    tiles.files["checkpoint"] = SignedNote(text=note.text, signatures=(*note.signatures, forged)).encode()
    assert verify_log(tiles, KEY).holds
    assert "witness0.example" in fault_of(tiles)[2]


def compared(tiles: MemoryTiles, known: list[bytes]) -> Verdict:
    return verify_log(tiles, KEY, expected_entries=lambda start, end: known[start:end])


def test_entries_are_compared_with_the_nodes_own() -> None:
    tiles = log_of(600)
    known = [entry(number) for number in range(600)]
    assert compared(tiles, [*known, entry(600)]).holds
    known[300] = entry(300, "another")
    fault = compared(tiles, known).fault
    assert fault is not None
    assert (fault.file, fault.index) == ("tile/entries/001", 300)
    fault = compared(tiles, known[:260]).fault
    assert fault is not None
    assert (fault.file, fault.index) == ("tile/entries/001", 260)


def test_progress_is_told_up_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    verify_log(log_of(600), KEY, progress=lambda done, total: told.append((done, total)))
    assert told == [(256, 600), (512, 600), (600, 600)]


def test_a_reader_that_fails_is_not_a_wrong_log() -> None:
    class Offline:
        def read(self, path: str) -> bytes | None:
            raise NetworkError("no answer")

    with pytest.raises(NetworkError):
        verify_log(Offline(), KEY)


def test_an_empty_log_with_a_signed_checkpoint_holds() -> None:
    tiles = MemoryTiles()
    text = Checkpoint(origin="log.example", size=0, root=EMPTY_ROOT).text
    tiles.files["checkpoint"] = SignedNote(text=text, signatures=(sign_note(text, SIGNER),)).encode()
    verdict = verify_log(tiles, KEY)
    assert (verdict.holds, verdict.entries_checked, verdict.dated) == (True, 0, None)
