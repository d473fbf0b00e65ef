"""Attachments on disk: sealed, taken in chunk by chunk, opened again; and every way in which bytes can be wrong."""

import hashlib
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comity.backends.attachment_courier import OtherLength
from comity.backends.attachment_files import AttachmentFiles, ChangedAttachment, NoRoom
from comity.backends.attachment_part import OtherDigest, Part
from comity.errors import ComityError, Conflict, InputError, StorageError
from comity.exchange.attachment import Attachment, read_attachment, write_attachment
from comity.exchange.fields import Fields, read_object
from comity.proofs.chunks import ChangedChunk
from tests.unit.exchange_world import vectors
from tests.vectors.attachment_cases import CHUNK, PLAIN

PEER = "ca-centre"


@pytest.fixture
def files(tmp_path: Path) -> AttachmentFiles:
    return AttachmentFiles(tmp_path / "attachments")


def sealed(files: AttachmentFiles, folder: Path, plain: bytes = PLAIN) -> Attachment:
    source = folder / "source"
    source.write_bytes(plain)
    return files.seal(source, name="source", media_type="text/plain", chunk=CHUNK)


def chunks_of(files: AttachmentFiles, one: Attachment) -> list[bytes]:
    raw, layout = files.offered(one.id).read_bytes(), one.layout
    return [raw[layout.start(index) : layout.start(index + 1)] for index in range(layout.count)]


def arrive(files: AttachmentFiles, one: Attachment, *, upto: int | None = None) -> Part:
    part = files.part(PEER, one)
    for sealed_chunk in chunks_of(files, one)[part.next : upto]:
        part.add(sealed_chunk)
    return part


def taken(folder: Path, wire: bytes) -> bytes:
    """What a receiver makes of a description and sealed bytes."""
    line, _, raw = wire.partition(b"\n")
    one = read_attachment(read_object(line, where="attachment", max_bytes=4096))
    if len(raw) != one.layout.sealed_size:
        raise OtherLength(f"expected {one.layout.sealed_size}, got {len(raw)}")
    files = AttachmentFiles(folder / "attachments")
    part = files.part(PEER, one)
    for index in range(one.layout.count):
        part.add(raw[one.layout.start(index) : one.layout.start(index + 1)])
    part.finish()
    files.save(PEER, one, folder / "opened")
    return (folder / "opened").read_bytes()


@pytest.mark.parametrize(("expect", "wire"), vectors("attachment"))
def test_every_vector(expect: str, wire: bytes, tmp_path: Path) -> None:
    if expect == "ok":
        said = json.loads(wire.partition(b"\n")[0])
        assert hashlib.sha256(taken(tmp_path, wire)).hexdigest() == said["digest"]
        return
    with pytest.raises(ComityError) as caught:
        taken(tmp_path, wire)
    assert caught.value.code == expect
    assert [one for one in tmp_path.rglob("*") if one.is_file() and one.suffix != ".part"] == []


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_is_sealed_arrives_and_opens_as_it_was(
    files: AttachmentFiles, tmp_path: Path, size: int
) -> None:
    plain = os.urandom(size)
    one = sealed(files, tmp_path, plain)
    assert one.id == hashlib.sha256(files.offered(one.id).read_bytes()).hexdigest()
    assert (one.size, one.digest) == (size, hashlib.sha256(plain).hexdigest())
    assert read_attachment(Fields(write_attachment(one), "x")) == one
    arrive(files, one).finish()
    said: list[int] = []
    files.save(PEER, one, tmp_path / "out", on_progress=said.append)
    assert (tmp_path / "out").read_bytes() == plain
    assert said[-1] == size
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_what_is_on_the_disk_is_sealed(files: AttachmentFiles, tmp_path: Path) -> None:
    one = sealed(files, tmp_path)
    arrive(files, one).finish()
    for file in (tmp_path / "attachments").rglob("*"):
        assert not file.is_file() or b"Statement" not in file.read_bytes()


def test_the_same_file_twice_has_two_keys_and_ids(files: AttachmentFiles, tmp_path: Path) -> None:
    first, second = sealed(files, tmp_path), sealed(files, tmp_path)
    assert first.digest == second.digest
    assert first.id != second.id
    assert first.key != second.key
    for one in (first, second):
        arrive(files, one).finish()


# --- going on ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 1, CHUNK, CHUNK + 15, CHUNK + 16, CHUNK + 17, 2 * CHUNK + 40])
def test_it_goes_on_behind_the_last_chunk_that_opens(files: AttachmentFiles, tmp_path: Path, at: int) -> None:
    """A kill leaves any length behind; what is not a whole chunk is fetched again."""
    one = sealed(files, tmp_path)
    part = files.whole(PEER, one.id).with_name(f"{one.id}.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(files.offered(one.id).read_bytes()[:at])
    again = arrive(files, one, upto=0)
    assert again.next == at // (CHUNK + 16)
    arrive(files, one).finish()
    assert files.whole(PEER, one.id).read_bytes() == files.offered(one.id).read_bytes()


@pytest.mark.parametrize("junk", [b"\0" * 3 * CHUNK, b"x" * 20 * CHUNK, b"x"])
def test_what_a_power_cut_left_is_cut_off(files: AttachmentFiles, tmp_path: Path, junk: bytes) -> None:
    """Two good chunks, then what a disk may show after the power came back: zeros, rubbish, too much."""
    one = sealed(files, tmp_path)
    part = files.whole(PEER, one.id).with_name(f"{one.id}.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"".join(chunks_of(files, one)[:2]) + junk)
    again = files.part(PEER, one)
    assert again.next == 2
    assert part.stat().st_size == one.layout.start(2)
    arrive(files, one).finish()


def test_a_whole_one_that_nobody_noted_is_verified_and_named_again(
    files: AttachmentFiles, tmp_path: Path
) -> None:
    """Killed between the rename and the row."""
    one = sealed(files, tmp_path)
    arrive(files, one).finish()
    part = files.part(PEER, one)
    assert part.complete
    part.finish()
    assert files.whole(PEER, one.id).is_file()


def test_a_chunk_that_is_not_the_next_is_not_written(files: AttachmentFiles, tmp_path: Path) -> None:
    one = sealed(files, tmp_path)
    part, chunks = arrive(files, one, upto=1), chunks_of(files, one)
    for wrong in (chunks[0], chunks[2], chunks[1][:-1], chunks[1] + b"x", b"", bytes(len(chunks[1]))):
        with pytest.raises(ChangedChunk):
            part.add(wrong)
    part.add(chunks[1])
    assert files.arrived(PEER, one.id) == one.layout.start(2)


def test_a_part_that_was_removed_is_begun_anew(files: AttachmentFiles, tmp_path: Path) -> None:
    """Somebody erased it while it came: nothing is written beside what is gone."""
    one = sealed(files, tmp_path)
    part, chunks = arrive(files, one, upto=2), chunks_of(files, one)
    files.drop_arrived(PEER, one.id)
    with pytest.raises(StorageError):
        part.add(chunks[2])
    assert files.arrived(PEER, one.id) == 0
    arrive(files, one).finish()


def test_an_unfinished_one_is_never_whole(files: AttachmentFiles, tmp_path: Path) -> None:
    one = sealed(files, tmp_path)
    part = arrive(files, one, upto=2)
    with pytest.raises(OtherDigest):
        part.finish()
    assert not files.whole(PEER, one.id).exists()
    with pytest.raises(StorageError):
        files.save(PEER, one, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- opening -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 40, CHUNK + 16, -1])
def test_what_changed_on_our_own_disk_is_not_given_out(
    files: AttachmentFiles, tmp_path: Path, place: int
) -> None:
    one = sealed(files, tmp_path)
    arrive(files, one).finish()
    whole = files.whole(PEER, one.id)
    raw = bytearray(whole.read_bytes())
    raw[place] ^= 1
    whole.write_bytes(raw)
    with pytest.raises(ChangedChunk):
        files.save(PEER, one, tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir() if one.name not in ("attachments", "source")] == []


def test_more_than_was_verified_is_not_given_out(files: AttachmentFiles, tmp_path: Path) -> None:
    one = sealed(files, tmp_path)
    arrive(files, one).finish()
    with files.whole(PEER, one.id).open("ab") as more:
        more.write(b"more")
    with pytest.raises(ChangedAttachment):
        files.save(PEER, one, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(files: AttachmentFiles, tmp_path: Path) -> None:
    one = sealed(files, tmp_path)
    arrive(files, one).finish()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for target in (tmp_path / "source", tmp_path, tmp_path / "link"):
        with pytest.raises(Conflict):
            files.save(PEER, one, target)
    with pytest.raises(InputError):
        files.save(PEER, one, tmp_path / "no" / "folder")


@pytest.mark.parametrize(
    "id_", ["../../../etc/passwd", "A" * 64, "", "0" * 63, "0" * 64 + "/x", "0" * 64 + "\n"]
)
def test_no_name_leads_out_of_the_folder(files: AttachmentFiles, id_: str) -> None:
    for ask in (files.offered, lambda id_: files.whole(PEER, id_), lambda id_: files.whole(id_, "0" * 64)):
        with pytest.raises(InputError):
            ask(id_)


# --- the disk ------------------------------------------------------------------------------------------


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size`: writes fail as on a full disk, in the middle if need be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_while_it_arrives_costs_at_most_a_chunk(files: AttachmentFiles, tmp_path: Path) -> None:
    one = sealed(files, tmp_path)
    part, chunks = arrive(files, one, upto=1), chunks_of(files, one)
    with disk_full_after(CHUNK + CHUNK // 2), pytest.raises(StorageError):
        part.add(chunks[1])
    again = files.part(PEER, one)
    assert again.next == 1
    arrive(files, one).finish()


def test_a_full_disk_while_it_is_sealed_or_opened_leaves_nothing(
    files: AttachmentFiles, tmp_path: Path
) -> None:
    one = sealed(files, tmp_path)
    arrive(files, one).finish()
    before = sorted(tmp_path.rglob("*"))
    with disk_full_after(CHUNK + CHUNK // 2):
        with pytest.raises(StorageError):
            files.seal(tmp_path / "source", name="source", media_type="text/plain", chunk=CHUNK)
        with pytest.raises(StorageError):
            files.save(PEER, one, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_there_is_no_room_for_is_not_begun(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path / "attachments", free=lambda _: 1000)
    (tmp_path / "source").write_bytes(PLAIN)
    with pytest.raises(NoRoom):
        files.seal(tmp_path / "source", name="source", media_type="text/plain")
    assert list((tmp_path / "attachments" / "out").iterdir()) == []


def test_only_files_that_rest_can_be_sent(files: AttachmentFiles, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for source in (tmp_path, tmp_path / "gone", pipe):
        with pytest.raises(InputError):
            files.seal(source, name="x", media_type="text/plain")


def test_sweeping_leaves_what_is_named_and_what_is_new(files: AttachmentFiles, tmp_path: Path) -> None:
    kept, stray = sealed(files, tmp_path), sealed(files, tmp_path, b"stray")
    new = sealed(files, tmp_path, b"new")
    arrive(files, kept, upto=1)
    arrive(files, stray).finish()
    draft = tmp_path / "attachments" / "out" / ".0123.draft"
    draft.write_bytes(b"killed while it was sealed")
    for file in (*(tmp_path / "attachments").rglob("*"),):
        if file.is_file() and file.name != new.id:
            os.utime(file, (0, 0))
    assert files.sweep(offered={kept.id}, arrived={(PEER, kept.id)}) == 3
    left = sorted(file.name for file in (tmp_path / "attachments").rglob("*") if file.is_file())
    assert left == sorted([kept.id, new.id, f"{kept.id}.part"])
