"""Mirrors: the copy is the log, whatever stops it and whoever serves it; and the proof that a log told two stories."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError, NetworkError, TrustError
from comity.ledger import (
    LogWrong,
    MirrorRefused,
    Misconduct,
    check_misconduct,
    mirror,
    parse_misconduct,
    parse_policy,
    publish,
    read_checkpoint,
    verify_log,
)
from comity.ledger.cosign import add_cosignatures
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.note import SignedNote, sign_note, verifier_of
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, PowerCut, cut_at, key_of

LOG = key_of("log.example")
KEY = verifier_of(LOG)
WITNESS = key_of("witness.example")


def log_of(*sizes: int, story: str = "") -> MemoryTiles:
    """A log that was published at these sizes."""
    tiles, events = MemoryTiles(), MemoryEvents(max(sizes, default=0), story=story)
    committed = events.committed
    for size in sizes:
        events.committed = committed[:size]
        publish(events, tiles, LOG, now=NOW, limit=size)
    return tiles


def tree(tiles: MemoryTiles) -> dict[str, bytes]:
    return {path: content for path, content in tiles.files.items() if path.startswith("tile/")}


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300, 700, 65_536 + 300])
def test_a_copy_is_the_log_and_can_be_verified(size: int) -> None:
    source, copy = log_of(size), MemoryTiles()
    done = mirror(source, copy, KEY)
    assert (done.before, done.checkpoint.size) == (0, size)
    assert tree(copy) == tree(source)
    assert copy.files["checkpoint"] == source.files["checkpoint"]
    assert copy.files["key"] == f"{KEY}\n".encode()
    assert verify_log(copy, KEY).holds
    again = mirror(source, copy, KEY)
    assert (again.before, again.files) == (size, 0)


class Counting:
    def __init__(self, tiles: MemoryTiles) -> None:
        self.tiles = tiles
        self.asked: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.asked.append(path)
        return self.tiles.read(path)


def test_only_what_is_new_is_fetched() -> None:
    copy = MemoryTiles()
    mirror(log_of(600), copy, KEY)
    reader = Counting(log_of(600, 900))
    assert mirror(reader, copy, KEY).before == 600
    assert verify_log(copy, KEY).holds
    assert not {"tile/entries/000", "tile/entries/001", "tile/0/000", "tile/0/001"} & set(reader.asked)
    assert "tile/entries/002" in reader.asked


@pytest.mark.parametrize("nth", range(12))
def test_a_copy_that_is_stopped_anywhere_is_whole_and_goes_on(nth: int) -> None:
    copy = MemoryTiles()
    mirror(log_of(300), copy, KEY)
    source = log_of(300, 900)
    for place in ("before", "after"):
        stopped = MemoryTiles()
        stopped.files = dict(copy.files)
        setattr(stopped, place, cut_at(nth))
        try:
            mirror(source, stopped, KEY)
        except PowerCut:
            assert verify_log(stopped, KEY).holds
        stopped.before = stopped.after = lambda path: None
        mirror(source, stopped, KEY)
        assert verify_log(stopped, KEY).entries_checked == 900
        assert {**tree(copy), **tree(source)} == tree(stopped)


def test_a_network_that_fails_leaves_the_copy_whole() -> None:
    source, copy = log_of(900), MemoryTiles()

    class Failing:
        left = 5

        def read(self, path: str) -> bytes | None:
            self.left -= 1
            if self.left < 0:
                raise NetworkError("no answer")
            return source.read(path)

    with pytest.raises(NetworkError):
        mirror(Failing(), copy, KEY)
    assert "checkpoint" not in copy.files
    mirror(source, copy, KEY)
    assert verify_log(copy, KEY).entries_checked == 900


def test_nothing_wrong_is_ever_laid_down() -> None:
    """Every file of the log changed in turn: the mirror names it, and the copy has only bytes of the true log."""
    honest, choice = log_of(700), random.Random(3)
    for path in [path for path in honest.files if path != "checkpoint"]:
        for change in ("flip", "cut", "grow", "gone"):
            bad = MemoryTiles()
            bad.files = dict(honest.files)
            raw = bytearray(honest.files[path])
            raw[choice.randrange(len(raw))] ^= 1 << choice.randrange(8)
            changed = {"flip": bytes(raw), "cut": bytes(raw[:-1]), "grow": honest.files[path] + b"\0"}
            if change == "gone":
                del bad.files[path]
            else:
                bad.files[path] = changed[change]
            copy = MemoryTiles()
            with pytest.raises(LogWrong):
                mirror(bad, copy, KEY)
            assert "checkpoint" not in copy.files
            assert tree(copy).items() <= tree(honest).items(), (path, change)


def test_swapped_tiles_are_named() -> None:
    bad = log_of(700)
    one, two = "tile/entries/000", "tile/entries/001"
    bad.files[one], bad.files[two] = bad.files[two], bad.files[one]
    with pytest.raises(LogWrong, match=one):
        mirror(bad, MemoryTiles(), KEY)


def test_damage_on_our_own_disk_is_fetched_again() -> None:
    source, copy = log_of(700), MemoryTiles()
    for path in ("tile/0/001", "tile/entries/001", "tile/1/000.p/2"):
        copy.files = {path: source.files[path][:-32] + bytes(32)}
        mirror(source, copy, KEY)
        assert verify_log(copy, KEY).holds


def test_an_older_state_is_refused_and_is_no_proof() -> None:
    copy = MemoryTiles()
    mirror(log_of(600), copy, KEY)
    before = dict(copy.files)
    with pytest.raises(MirrorRefused, match="older state") as caught:
        mirror(log_of(300), copy, KEY)
    assert caught.value.misconduct is None
    assert copy.files == before


@pytest.mark.parametrize("ours", [2, 5, 256, 300, 512, 600])
@pytest.mark.parametrize("theirs", [1, 2, 4, 256, 300, 511, 700])
def test_a_fork_is_refused_and_proved_whatever_the_sizes(ours: int, theirs: int) -> None:
    copy = MemoryTiles()
    mirror(log_of(ours), copy, KEY)
    before = dict(copy.files)
    other = log_of(theirs, story="another")
    with pytest.raises(MirrorRefused) as caught:
        mirror(other, copy, KEY)
    assert copy.files == before
    case = caught.value.misconduct
    assert case is not None
    assert parse_misconduct(case.encode()) == case
    found = check_misconduct(case, KEY)
    assert {found.first.size, found.second.size} == {ours, theirs}
    assert {case.first, case.second} == {before["checkpoint"], other.files["checkpoint"]}
    with pytest.raises(TrustError):
        check_misconduct(case, verifier_of(key_of("other.example")))


def test_a_log_that_grew_as_it_should_cannot_be_accused() -> None:
    honest = log_of(5, 300)
    five, more = log_of(5).files["checkpoint"], honest.files["checkpoint"]
    copy = MemoryTiles()
    mirror(log_of(7, story="another"), copy, KEY)
    with pytest.raises(MirrorRefused) as caught:
        mirror(log_of(300), copy, KEY)
    forged = caught.value.misconduct
    assert forged is not None
    root = read_root(five)
    for case in (
        Misconduct(key=KEY, first=five, second=more),
        Misconduct(key=KEY, first=five, second=five),
        Misconduct(key=KEY, first=five, second=more, prefix=root),
        Misconduct(key=KEY, first=five, second=more, prefix=forged.prefix, proof=forged.proof),
        Misconduct(key=KEY, first=five, second=more, prefix=bytes(32), proof=forged.proof),
        Misconduct(key=KEY, first=more, second=five, prefix=root),
        Misconduct(key=KEY, first=five, second=more, prefix=bytes(31)),
    ):
        with pytest.raises((InputError, TrustError)):
            check_misconduct(case, KEY)


def read_root(note: bytes) -> bytes:
    tiles = MemoryTiles()
    tiles.files["checkpoint"] = note
    found = read_checkpoint(tiles, KEY)
    assert found is not None
    return found[0].root


def a_case() -> Misconduct:
    copy = MemoryTiles()
    mirror(log_of(300), copy, KEY)
    with pytest.raises(MirrorRefused) as caught:
        mirror(log_of(700, story="another"), copy, KEY)
    assert caught.value.misconduct is not None
    return caught.value.misconduct


CASE = a_case()


def test_every_changed_byte_of_a_proof_is_noticed() -> None:
    raw = CASE.encode()
    said = str(check_misconduct(CASE, KEY))
    for at in range(len(raw)):
        altered = bytearray(raw)
        altered[at] ^= 1
        try:
            found = parse_misconduct(bytes(altered))
            after = check_misconduct(found, KEY)
        except (InputError, TrustError):
            continue
        assert str(after) == said, f"byte {at}"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        CASE.encode()[:-1],
        CASE.encode() + b"\n",
        CASE.encode().replace(b"/v1", b"/v2"),
        CASE.encode().replace(b"first ", b"first 0"),
        CASE.encode().replace(b"first ", b"first 9"),
        CASE.encode().replace(b"prefix ", b"prefix A"),
        CASE.encode().replace(b"log ", b"log x"),
        CASE.encode().replace(b"\n", b"\r\n"),
        b"x" * 400_000,
    ],
)
def test_malformed_proofs_are_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        parse_misconduct(raw)


@given(st.binary(max_size=200))
def test_nothing_but_our_errors_comes_of_garbage(raw: bytes) -> None:
    for attempt in (raw, b"comity/misconduct/v1\n" + raw, CASE.encode()[:120] + raw):
        try:
            check_misconduct(parse_misconduct(attempt), KEY)
        except (InputError, TrustError):
            continue
        pytest.fail("garbage was accepted")


def test_the_copy_takes_only_what_a_quorum_has_cosigned() -> None:
    asked = parse_policy(f"witness W {cosigner_of(WITNESS)}\nquorum W\n".encode())
    source, copy = log_of(300), MemoryTiles()
    with pytest.raises(LogWrong, match="quorum"):
        mirror(source, copy, KEY, policy=asked)
    assert copy.files == {}
    found = read_checkpoint(source, KEY)
    assert found is not None
    line = str(cosign(found[0].text, WITNESS, at=NOW))
    add_cosignatures(source, line, on=found[0], log=KEY, witnesses=list(asked.keys))
    done = mirror(source, copy, KEY, policy=asked)
    assert done.finding is not None
    assert done.finding.met
    assert verify_log(copy, KEY, policy=asked).holds


def test_a_checkpoint_of_another_key_or_log_is_refused() -> None:
    source = log_of(5)
    with pytest.raises(LogWrong, match="checkpoint"):
        mirror(source, MemoryTiles(), verifier_of(key_of("other.example")))
    text = Checkpoint(origin="other.example", size=5, root=bytes(32)).text
    source.files["checkpoint"] = SignedNote(text=text, signatures=(sign_note(text, LOG),)).encode()
    with pytest.raises(LogWrong, match=r"other\.example"):
        mirror(source, MemoryTiles(), KEY)
    with pytest.raises(LogWrong, match="missing"):
        mirror(MemoryTiles(), MemoryTiles(), KEY)
