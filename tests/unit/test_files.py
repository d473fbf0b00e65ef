"""Files that are whole or not there, and of which the first stays."""

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.backends.files import create_durably
from comity.errors import StorageError

Refusal = Callable[..., None]


def refusing(number: int) -> Refusal:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.fixture(params=["links", "no links"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, also as on a medium whose file system knows no hard links."""
    if request.param == "no links":
        monkeypatch.setattr(os, "link", refusing(errno.EPERM))
    return tmp_path


def test_a_new_file_is_there_whole_and_for_its_owner_only(place: Path) -> None:
    create_durably(place / "key", b"secret", mode=0o600)
    assert (place / "key").read_bytes() == b"secret"
    assert stat.S_IMODE((place / "key").stat().st_mode) == 0o600
    assert [one.name for one in place.iterdir()] == ["key"]


def test_what_is_there_stays(place: Path) -> None:
    (place / "key").write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        create_durably(place / "key", b"ours")
    assert (place / "key").read_bytes() == b"theirs"
    assert [one.name for one in place.iterdir()] == ["key"]


def test_a_file_that_appears_at_the_last_moment_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process finishes first: while our bytes go to the disk, before they get their name."""
    real = os.fsync

    def others_first(descriptor: int) -> None:
        real(descriptor)
        if not (place / "key").exists():
            (place / "key").write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", others_first)
    with pytest.raises(FileExistsError):
        create_durably(place / "key", b"ours")
    assert (place / "key").read_bytes() == b"theirs"
    assert [one.name for one in place.iterdir()] == ["key"]


def test_of_many_creators_one_succeeds_and_its_bytes_stay(place: Path) -> None:
    won: list[int] = []
    ready = threading.Barrier(8)

    def create(number: int) -> None:
        ready.wait()
        try:
            create_durably(place / "key", bytes([number]) * 5000)
        except FileExistsError:
            return
        won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert (place / "key").read_bytes() == bytes(won) * 5000


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    monkeypatch.setattr(os, call, refusing(errno.ENOSPC))
    with pytest.raises(StorageError, match="No space left"):
        create_durably(tmp_path / "key", b"secret")
    assert list(tmp_path.iterdir()) == []
