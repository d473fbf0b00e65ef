"""Plain stores for ledger tests: in memory, honest by default, and failing where a test says so."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import StorageError
from comity.ledger import Seen
from comity.proofs.note import KeySigner
from comity.proofs.tiles import Tile

NOW = datetime(2025, 6, 20, 9, 30, tzinfo=UTC)


def key_of(name: str) -> KeySigner:
    """A signer whose key follows from its name."""
    return KeySigner(name, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


def entry(number: int, story: str = "") -> bytes:
    return hashlib.sha256(f"{story}{number}".encode()).digest()


class MemoryEvents:
    """Commits are `add`: a place each, at once."""

    def __init__(self, committed: int = 0, story: str = "") -> None:
        self.committed = [entry(number, story) for number in range(committed)]
        self.reads: list[tuple[int, int]] = []

    def add(self, count: int) -> None:
        self.committed += [entry(len(self.committed) + number) for number in range(count)]

    def size(self) -> int:
        return len(self.committed)

    def entries(self, start: int, end: int) -> list[bytes]:
        assert 0 <= start <= end <= len(self.committed)
        self.reads.append((start, end))
        return self.committed[start:end]


class MemoryTiles:
    """Files in a dict. `before` and `after` each file may raise: not persisted, or failed but persisted."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.written: list[str] = []
        self.before: Callable[[str], None] = lambda path: None
        self.after: Callable[[str], None] = lambda path: None
        self._lock = threading.Lock()

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def write(self, path: str, content: bytes) -> None:
        self.write_all([(path, content)])

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        for path, content in files:
            self.before(path)
            self.files[path] = content
            self.written.append(path)
            self.after(path)

    def widths(self, tile: Tile) -> list[int]:
        folder = f"{tile.full.path}.p/"
        return sorted(int(path.removeprefix(folder)) for path in self.files if path.startswith(folder))

    def remove(self, tile: Tile, widths: Sequence[int]) -> None:
        for width in widths:
            self.files.pop(Tile(tile.level, tile.index, width).path, None)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._lock:
            yield


class MemoryWitness:
    def __init__(self) -> None:
        self.known: dict[str, Seen] = {}
        self.interrupt: Callable[[], None] = lambda: None

    def newest(self, origin: str) -> Seen | None:
        return self.known.get(origin)

    def replace(self, origin: str, old: Seen | None, new: Seen) -> bool:
        self.interrupt()
        if self.known.get(origin) != old:
            return False
        self.known[origin] = new
        return True


class PowerCut(StorageError):
    """The disk stopped at the chosen write."""


def cut_at(nth: int) -> Callable[[str], None]:
    """Raise `PowerCut` at the `nth` write (from 0) and every one after it."""
    seen: dict[str, Any] = {"count": -1}

    def check(path: str) -> None:
        seen["count"] += 1
        if seen["count"] >= nth:
            raise PowerCut(f"power cut at {path}")

    return check
