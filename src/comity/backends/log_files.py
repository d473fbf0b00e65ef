"""The published log as files: whole or not there, and durable when a write returns (port `ledger.TileStore`).

Each file is written beside its place under a dotted name, synced, renamed over it, and the folder synced. A
crash may leave a dotted file behind; no reader looks at those and the next write of the same file replaces
them. Unfinished tiles are renamed into place as well, so that no reader sees half of one, but nothing waits
for the disk (`ledger.publish` says why that is enough).
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from comity.backends.log_reader import FileLogReader
from comity.errors import Conflict, InputError, StorageError
from comity.proofs.tiles import WIDTH, Tile, parse_tile_path

_NAMED = ("checkpoint", "key")
_LOCK = ".lock"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class LogBusy(Conflict):
    """Another process is publishing to this directory."""

    code = "ledger.busy"
    remedy = "Only one node may run on a log directory: stop the other one, then try again."


class FileTileStore(FileLogReader):
    """The directory `root`, made if it is not there. `patience`: seconds to wait for another writer."""

    def __init__(self, root: Path, *, patience: float = 10.0) -> None:
        super().__init__(root)
        self._root = root
        self._base = str(root)
        self._patience = patience
        self._ready: set[str] = set()

    def write(self, path: str, content: bytes) -> None:
        self.write_all([(path, content)])

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Stage every file, sync the durable ones, then rename them, then sync each of their folders once."""
        staged: list[tuple[str, str]] = []
        folders: dict[str, None] = {}
        try:
            for path, content in files:
                place, folder, draft, soft = self._place(path)
                staged.append((draft, place))
                if soft:
                    _write_soft(draft, content)
                else:
                    folders[folder] = None
                    _write_synced(draft, content)
            for draft, place in staged:
                os.replace(draft, place)
            for folder in folders:
                _sync_folder(folder)
        except OSError as error:
            for draft, _ in staged:
                with suppress(OSError):
                    os.unlink(draft)
            raise StorageError(f"the log could not be written: {error}", where=str(self._root)) from error

    def widths(self, tile: Tile) -> list[int]:
        """The widths in which this tile is there unfinished."""
        try:
            names = os.listdir(f"{self._base}/{tile.full.path}.p")
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StorageError(f"the log could not be read: {error}", where=str(self._root)) from error
        return sorted(int(name) for name in names if name.isascii() and name.isdecimal())

    def remove(self, tile: Tile, widths: Sequence[int]) -> None:
        """Remove these unfinished forms of a tile, and their folder once it is empty."""
        folder = f"{self._base}/{tile.full.path}.p"
        try:
            for width in widths:
                with suppress(FileNotFoundError):
                    os.unlink(f"{folder}/{width}")
            if not [name for name in os.listdir(folder) if not name.startswith(".")]:
                for draft in os.listdir(folder):
                    os.unlink(f"{folder}/{draft}")
                os.rmdir(folder)
                self._ready.discard(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageError(f"the log could not be tidied: {error}", where=str(self._root)) from error

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

    def _place(self, path: str) -> tuple[str, str, str, bool]:
        """Where `path` lies, its folder (made if it is not there), its draft, and whether it is not synced.

        Only the files of a log have a place here, so that no path leads out of the directory.
        """
        soft = False
        if path not in _NAMED:
            tile = parse_tile_path(path)
            soft = tile.width < WIDTH
            if tile.path != path:
                raise InputError.because(expected="the path of a log file", got=repr(path))
        place = f"{self._base}/{path}"
        folder, _, name = place.rpartition("/")
        if folder not in self._ready:
            self._make_folder(Path(folder).parent if soft else Path(folder))
            if soft:
                os.makedirs(folder, exist_ok=True)
            self._ready.add(folder)
        return place, folder, f"{folder}/.{name}.new", soft

    def _make_folder(self, folder: Path) -> None:
        """Make `folder` and what is above it, durably: a file in a folder that is lost is lost with it."""
        if str(folder) in self._ready:
            return
        missing = [folder]
        while not missing[-1].parent.is_dir():
            missing.append(missing[-1].parent)
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            _sync_folder(str(each.parent))
        self._ready.add(str(folder))


def _write_synced(draft: str, content: bytes) -> None:
    handle = os.open(draft, _FLAGS, 0o644)
    try:
        _write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_soft(draft: str, content: bytes) -> None:
    handle = os.open(draft, _FLAGS, 0o644)
    try:
        _write(handle, content)
    finally:
        os.close(handle)


def _write(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
