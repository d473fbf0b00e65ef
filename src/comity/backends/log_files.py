"""The published log as files: whole or not there, and durable when a write returns (port `ledger.TileStore`).

Each file is written beside its place under a dotted name, synced, renamed over it, and the folder synced. A
crash may leave a dotted file behind; no reader looks at those and the next write of the same file replaces
them.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from comity.backends.log_reader import FileLogReader
from comity.errors import Conflict, InputError, StorageError
from comity.proofs.tiles import parse_tile_path

_NAMED = ("checkpoint", "key")
_LOCK = ".lock"


class LogBusy(Conflict):
    """Another process is publishing to this directory."""

    code = "ledger.busy"
    remedy = "Only one node may run on a log directory: stop the other one, then try again."


class FileTileStore(FileLogReader):
    """The directory `root`, made if it is not there. `patience`: seconds to wait for another writer."""

    def __init__(self, root: Path, *, patience: float = 10.0) -> None:
        super().__init__(root)
        self._root = root
        self._patience = patience
        self._ready: set[Path] = set()

    def write(self, path: str, content: bytes) -> None:
        self.write_all([(path, content)])

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Stage and sync every file, then rename them, then sync each folder once."""
        staged: list[tuple[Path, Path]] = []
        try:
            for path, content in files:
                place = self._place(path)
                self._make_folder(place.parent)
                draft = place.with_name(f".{place.name}.new")
                staged.append((draft, place))
                _write_synced(draft, content)
            for draft, place in staged:
                draft.replace(place)
            for folder in dict.fromkeys(place.parent for _, place in staged):
                _sync_folder(folder)
        except OSError as error:
            for draft, _ in staged:
                with suppress(OSError):
                    draft.unlink(missing_ok=True)
            raise StorageError(f"the log could not be written: {error}", where=str(self._root)) from error

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold `.lock` (flock: the system frees it when a process dies); `LogBusy` if it stays taken."""
        try:
            self._make_folder(self._root)
            handle = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(f"the log could not be locked: {error}", where=str(self._root)) from error
        try:
            self._wait_for(handle)
            yield
        finally:
            os.close(handle)

    def _wait_for(self, handle: int) -> None:
        give_up = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= give_up:
                    raise LogBusy(
                        "expected to be the only writer, got another one", where=str(self._root)
                    ) from error
                time.sleep(0.005)
            except OSError as error:
                raise StorageError(f"the log could not be locked: {error}", where=str(self._root)) from error
            else:
                return

    def _place(self, path: str) -> Path:
        """Only the files of a log have a place here, so that no path leads out of the directory."""
        if path not in _NAMED and parse_tile_path(path).path != path:
            raise InputError.because(expected="the path of a log file", got=repr(path))
        return self._root / path

    def _make_folder(self, folder: Path) -> None:
        """Make `folder` and what is above it, durably: a file in a folder that is lost is lost with it."""
        if folder in self._ready:
            return
        missing = [folder]
        while not missing[-1].parent.is_dir():
            missing.append(missing[-1].parent)
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            _sync_folder(each.parent)
        self._ready.add(folder)


def _write_synced(draft: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(draft, flags, 0o644), "wb", buffering=0) as handle:
        rest = memoryview(content)
        while rest:
            rest = rest[handle.write(rest) or 0 :]
        os.fsync(handle.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
