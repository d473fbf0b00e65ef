"""Speed of the log: durable, tiled, signed appends beside bare fsync and bare SQLite; and a full audit.

    python -m benchmarks.log [--seconds 3] [--writers 1 16 256] [--audit 1000000] [--directory DIR]

An append counts when its entry is durable in SQLite (WAL, synchronous=FULL), has its place, is in tiles on the
disk and under a signed checkpoint. The peers run on the same disk in the same run.
"""

import argparse
import hashlib
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.backends.log_files import FileTileStore
from comity.backends.log_reader import FileLogReader
from comity.ledger import Sequencer, publish, verify_log
from comity.proofs.note import KeySigner, verifier_of
from comity.proofs.tiles import tiles_of


class SqliteEvents:
    """The least an event store can be: entries in one table, placed in the order of their rows."""

    def __init__(self, file: Path) -> None:
        self._base = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.execute("CREATE TABLE entry (place INTEGER PRIMARY KEY, raw BLOB NOT NULL)")
        self._base.execute("CREATE TABLE placed (size INTEGER NOT NULL)")
        self._base.execute("INSERT INTO placed VALUES (0)")

    def append(self, entries: Sequence[bytes]) -> None:
        self._base.execute("BEGIN IMMEDIATE")
        self._base.executemany("INSERT INTO entry (raw) VALUES (?)", [(raw,) for raw in entries])
        self._base.execute("COMMIT")

    def size(self) -> int:
        return int(self._base.execute("SELECT size FROM placed").fetchone()[0])

    def sequence(self, limit: int) -> int:
        stored = int(self._base.execute("SELECT coalesce(max(place), 0) FROM entry").fetchone()[0])
        size = min(stored, self.size() + limit)
        self._base.execute("UPDATE placed SET size = ?", (size,))
        return size

    def entries(self, start: int, end: int) -> list[bytes]:
        rows = self._base.execute(
            "SELECT raw FROM entry WHERE place > ? AND place <= ? ORDER BY place", (start, end)
        )
        return [row[0] for row in rows]

    def close(self) -> None:
        self._base.close()


def signer() -> KeySigner:
    return KeySigner("bench.example/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def rate(writers: int, seconds: float, work: Callable[[], object]) -> float:
    """How often `writers` threads together finish `work` in a second."""
    done = [0] * writers
    end = time.perf_counter() + seconds

    def loop(writer: int) -> None:
        while time.perf_counter() < end:
            work()
            done[writer] += 1

    threads = [threading.Thread(target=loop, args=(writer,)) for writer in range(writers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def bare_fsync(folder: Path, seconds: float) -> float:
    handle = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def append() -> None:
        os.write(handle, bytes(34))
        os.fsync(handle)

    try:
        return rate(1, seconds, append)
    finally:
        os.close(handle)


def bare_sqlite(folder: Path, writers: int, seconds: float) -> float:
    """Group commit into SQLite and nothing else."""
    events = SqliteEvents(folder / f"bare-{writers}.db")
    group: Sequencer[bytes, None] = Sequencer(events.append)
    try:
        return rate(writers, seconds, lambda: group.submit(os.urandom(32)))
    finally:
        events.close()


def appends(folder: Path, writers: int, seconds: float) -> tuple[float, float]:
    """Appends a second, and how many shared a checkpoint on average."""
    events, tiles, key = (
        SqliteEvents(folder / f"log-{writers}.db"),
        FileTileStore(folder / f"log-{writers}"),
        signer(),
    )
    groups = [0]

    def commit(entries: Sequence[bytes]) -> None:
        events.append(entries)
        publish(events, tiles, key, now=datetime.now(UTC))
        groups[0] += 1

    group: Sequencer[bytes, None] = Sequencer(commit)
    try:
        found = rate(writers, seconds, lambda: group.submit(os.urandom(32)))
        assert verify_log(tiles, verifier_of(key)).holds
        return found, events.size() / groups[0]
    finally:
        events.close()


class NumberedEvents:
    """`count` entries that need no storing: for the audit, which reads files only."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._placed = 0

    def size(self) -> int:
        return self._placed

    def sequence(self, limit: int) -> int:
        self._placed = min(self._count, self._placed + limit)
        return self._placed

    def entries(self, start: int, end: int) -> list[bytes]:
        return [hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(start, end)]


def audit(folder: Path, count: int) -> tuple[float, float]:
    """Seconds to check the log of `count` entries, and to read its files and hash as often, checking nothing."""
    publish(
        NumberedEvents(count), FileTileStore(folder / "audit"), signer(), now=datetime.now(UTC), limit=count
    )
    reader = FileLogReader(folder / "audit")
    began = time.process_time()
    verdict = verify_log(reader, verifier_of(signer()))
    spent = time.process_time() - began
    assert verdict.holds
    assert verdict.entries_checked == count
    began = time.process_time()
    for tile in tiles_of(count):
        reader.read(tile.path)
    for _ in range(2 * count):
        hashlib.sha256(bytes(65)).digest()
    return spent, time.process_time() - began


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--writers", type=int, nargs="+", default=[1, 16, 256])
    options.add_argument("--audit", type=int, default=1_000_000)
    options.add_argument("--directory", type=Path, default=None, help="the disk to measure")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.directory) as name:
        folder = Path(name)
        print(f"bare write + fsync, one writer          {bare_fsync(folder, chosen.seconds):>12,.0f} /s")
        for writers in chosen.writers:
            bare = bare_sqlite(folder, writers, chosen.seconds)
            found, group = appends(folder, writers, chosen.seconds)
            print(f"bare SQLite group commit, {writers:>4} writers {bare:>15,.0f} /s")
            print(
                f"durable, tiled, signed,   {writers:>4} writers {found:>15,.0f} /s"
                f"   {found / bare:.2f} of bare, {group:,.1f} a checkpoint"
            )
        spent, least = audit(folder, chosen.audit)
        print(
            f"audit of {chosen.audit:,} entries, one core {spent:>13,.2f} s   ({least:.2f} s to read and hash alone)"
        )


if __name__ == "__main__":
    main()
