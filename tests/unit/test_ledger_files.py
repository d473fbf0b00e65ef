"""The log as files: atomic, durable, locked; and the readers, which trust nothing they are shown."""

import errno
import gzip
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from comity.backends import log_files
from comity.backends.log_files import FileTileStore, LogBusy
from comity.backends.log_reader import MAX_FILE_BYTES, FileLogReader, HttpLogReader
from comity.errors import InputError, NetworkError, StorageError
from comity.ledger import publish, verify_log
from comity.proofs.note import verifier_of
from comity.proofs.tiles import Tile
from tests.unit.ledger_stores import NOW, MemoryEvents, key_of

SIGNER = key_of("log.example")
KEY = verifier_of(SIGNER)


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = FileTileStore(tmp_path / "node" / "log")
    assert store.read("checkpoint") is None
    store.write("checkpoint", b"one")
    store.write("checkpoint", b"two")
    store.write_all([("tile/0/x001/234.p/5", b"partial"), ("tile/0/x001/234", b"full"), ("key", b"")])
    assert store.read("checkpoint") == b"two"
    assert store.read("tile/0/x001/234.p/5") == b"partial"
    assert store.read("tile/0/x001/234") == b"full"
    assert store.read("key") == b""
    assert files_in(tmp_path / "node" / "log") == {
        "checkpoint", "tile/0/x001/234.p/5", "tile/0/x001/234", "key",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path", ["", "../key", "/etc/passwd", "tile/0/../../x", ".lock", "keys", "tile/0/000/x"]
)
def test_only_log_files_are_written(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError):
        FileTileStore(tmp_path).write(path, b"")
    assert files_in(tmp_path) == set()


def test_a_published_directory_verifies(tmp_path: Path) -> None:
    store, events = FileTileStore(tmp_path), MemoryEvents()
    for step in (1, 255, 300):
        events.add(step)
        publish(events, store, SIGNER, now=NOW)
        assert verify_log(FileLogReader(tmp_path), KEY).holds


class FullDisk:
    """Stands in for `os`: the chosen call fails from its `nth` time on, before or after it did its work."""

    def __init__(self, call: str, nth: int, *, persisted: bool) -> None:
        self.call, self.left, self.persisted = call, nth, persisted

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._failing(real) if name == self.call else real

    def _failing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left < 0 and not self.persisted:
                raise OSError(errno.ENOSPC, "No space left on device")
            result = real(*args, **kwargs)
            if self.left < 0:
                raise OSError(errno.EIO, "Input/output error")
            return result

        return call


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize("call", ["open", "fsync"])
def test_a_full_disk_is_a_storage_error_and_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, persisted: bool
) -> None:
    for nth in range(40):
        folder = tmp_path / str(nth)
        store, events = FileTileStore(folder), MemoryEvents(300)
        publish(events, store, SIGNER, now=NOW)
        events.add(400)
        with monkeypatch.context() as patch:
            patch.setattr(log_files, "os", FullDisk(call, nth, persisted=persisted))
            try:
                publish(events, store, SIGNER, now=NOW)
            except StorageError:
                finished = False
            else:
                finished = True
        assert verify_log(store, KEY).holds, f"{call} {nth}"
        assert not [path for path in files_in(folder) if path.endswith(".new")]
        checkpoint = publish(events, FileTileStore(folder), SIGNER, now=NOW)
        assert checkpoint is not None
        assert checkpoint.size == 700
        assert verify_log(store, KEY).holds
        if finished:
            assert nth > 3
            return
    pytest.fail("the run never finished")


def test_a_read_only_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "tile").write_bytes(b"in the way")
    with pytest.raises(StorageError):
        FileTileStore(tmp_path).write("tile/0/000", b"")


def test_a_draft_left_by_a_crash_is_neither_read_nor_in_the_way(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint.new").write_bytes(b"half of a longer one that")
    store = FileTileStore(tmp_path)
    assert store.read("checkpoint") is None
    store.write("checkpoint", b"whole")
    assert store.read("checkpoint") == b"whole"
    assert files_in(tmp_path) == {"checkpoint"}


def test_a_second_publisher_waits_and_gives_up(tmp_path: Path) -> None:
    with FileTileStore(tmp_path).exclusive():
        began = time.monotonic()
        with pytest.raises(LogBusy), FileTileStore(tmp_path, patience=0.05).exclusive():
            pass
        assert time.monotonic() - began >= 0.05
    with FileTileStore(tmp_path, patience=0).exclusive():
        pass


def test_threads_that_publish_at_once_take_turns(tmp_path: Path) -> None:
    events, errors = MemoryEvents(), list[Exception]()
    gate = threading.Lock()

    def work() -> None:
        try:
            for _ in range(10):
                with gate:
                    events.add(7)
                publish(events, FileTileStore(tmp_path), SIGNER, now=NOW)
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    verdict = verify_log(FileLogReader(tmp_path), KEY)
    assert (verdict.holds, verdict.entries_checked) == (True, 280)


def test_a_pipe_a_folder_and_a_long_file_do_not_hold_the_reader_up(tmp_path: Path) -> None:
    reader = FileLogReader(tmp_path)
    os.mkfifo(tmp_path / "checkpoint")
    (tmp_path / "key").mkdir()
    assert reader.read("checkpoint") is None
    assert reader.read("key") is None
    assert reader.read("key/below/it") is None
    (tmp_path / "long").write_bytes(bytes(MAX_FILE_BYTES * 3))
    assert len(reader.read("long") or b"") == MAX_FILE_BYTES + 1


def http(handler: Callable[[httpx.Request], httpx.Response]) -> HttpLogReader:
    client = httpx.Client(transport=httpx.MockTransport(handler), follow_redirects=True)
    return HttpLogReader("http://node.example/log/", client=client)


def raw(content: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, stream=httpx.ByteStream(content))


def test_a_log_verifies_over_http(tmp_path: Path) -> None:
    publish(MemoryEvents(600), FileTileStore(tmp_path), SIGNER, now=NOW)
    asked: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        content = FileLogReader(tmp_path).read(request.url.path.removeprefix("/log/"))
        if content is None:
            return httpx.Response(404)
        packed = len(asked) % 2 == 0
        return raw(gzip.compress(content, mtime=0), Content_Encoding="gzip") if packed else raw(content)

    with http(serve) as reader:
        assert verify_log(reader, KEY).holds
    assert asked[:3] == ["/log/checkpoint", "/log/key", "/log/tile/entries/000"]


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_none(status: int) -> None:
    assert http(lambda request: httpx.Response(status)).read("checkpoint") is None


@pytest.mark.parametrize("status", [204, 206, 301, 302, 307, 308, 401, 403, 418, 500, 503])
def test_other_answers_are_network_errors_and_no_redirect_is_followed(status: int) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "node.example"
        return httpx.Response(status, headers={"Location": "http://169.254.169.254/"})

    with pytest.raises(NetworkError, match=str(status)):
        http(serve).read("checkpoint")


def test_an_endless_answer_is_cut_off() -> None:
    sent = 0

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            nonlocal sent
            while True:
                sent += 65536
                yield bytes(65536)

    reader = http(lambda request: httpx.Response(200, stream=Endless()))
    assert len(reader.read("checkpoint") or b"") == MAX_FILE_BYTES + 1
    assert sent < 10 * MAX_FILE_BYTES


def test_a_compressed_answer_cannot_fill_the_memory() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    reader = http(lambda request: raw(bomb, Content_Encoding="gzip"))
    assert len(reader.read("checkpoint") or b"") == MAX_FILE_BYTES + 1


@pytest.mark.parametrize(
    ("content", "coding"),
    [
        (b"not gzip", "gzip"),
        (gzip.compress(bytes(100), mtime=0)[:-5], "gzip"),
        (b"", "gzip"),
        (b"x", "br"),
        (b"x", "gzip, gzip"),
    ],
)
def test_codings_that_do_not_hold_are_network_errors(content: bytes, coding: str) -> None:
    with pytest.raises(NetworkError):
        http(lambda request: raw(content, Content_Encoding=coding)).read("checkpoint")


def test_a_lost_connection_is_a_network_error() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    with pytest.raises(NetworkError, match="ReadTimeout"):
        http(serve).read("checkpoint")


@pytest.mark.parametrize(
    "url", ["ftp://x/log", "http:///log", "https://x/log?a=1", "https://x/log#a", "x/log"]
)
def test_urls_that_are_no_logs(url: str) -> None:
    with pytest.raises(InputError):
        HttpLogReader(url)


class Counting:
    """Stands in for `os`: notes which files and folders were synced."""

    def __init__(self) -> None:
        self.synced: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def fsync(self, handle: int) -> None:
        self.synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        os.fsync(handle)


def test_full_tiles_and_the_checkpoint_are_synced_and_unfinished_tiles_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, events = FileTileStore(tmp_path / "log"), MemoryEvents(700)
    counting = Counting()
    monkeypatch.setattr(log_files, "os", counting)
    publish(events, store, SIGNER, now=NOW)
    base = f"{tmp_path}/log"
    drafts = {path.removeprefix(base) for path in counting.synced if path.endswith(".new")}
    assert drafts == {
        "/tile/entries/.000.new", "/tile/entries/.001.new", "/tile/0/.000.new", "/tile/0/.001.new",
        "/.checkpoint.new",
    }  # fmt: skip
    folders = {path.removeprefix(base) for path in counting.synced if not path.endswith(".new")}
    assert {"", "/tile/entries", "/tile/0", "/tile"} <= folders
    assert not any(".p" in path for path in counting.synced)
    assert counting.synced.index(f"{base}/tile/0") < counting.synced.index(f"{base}/.checkpoint.new")


def test_unfinished_forms_are_listed_and_removed_with_their_folder(tmp_path: Path) -> None:
    store = FileTileStore(tmp_path)
    store.write_all([(f"tile/0/x001/234.p/{width}", b"x") for width in (7, 30, 200)])
    (tmp_path / "tile/0/x001/234.p/.9.new").write_bytes(b"a draft")
    tile = Tile(0, 1234)
    assert store.widths(tile) == [7, 30, 200]
    assert store.widths(Tile(0, 1235)) == []
    store.remove(tile, [7, 8, 200])
    assert store.widths(tile) == [30]
    store.remove(tile, [30])
    assert files_in(tmp_path) == set()
    assert not (tmp_path / "tile/0/x001/234.p").exists()
    store.remove(tile, [30])
    store.write("tile/0/x001/234.p/31", b"again")
    assert store.read("tile/0/x001/234.p/31") == b"again"
