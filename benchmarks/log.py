"""Speed of the log: durable, tiled, signed appends beside bare fsync and bare SQLite; and a full audit.

    python -m benchmarks.log [--seconds 3] [--writers 1 16 256] [--audit 1000000] [--directory DIR]

An append is an event of a node, as the product stores it: canonical bytes, a salt, a commitment to every field,
a row in the node's database (WAL, synchronous=FULL). It counts when that is durable and the event is in tiles
under a signed checkpoint that is on the disk: every writer waits for that before it appends again. A node itself
makes writers wait for the database only and publishes at ticks; `at ticks` is that, one checkpoint a second, and
counts what the last checkpoint covers. The peers run on the same disk in the same run, with the same group commit:
rows of 32 random bytes in a table without an index.
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
from comity.backends.sql import EventAppender, Records, SqlEventStore
from comity.backends.sql.events import Sealed, sealed
from comity.ledger import Publisher, Sequencer, publish, verify_log
from comity.model import Event
from comity.proofs.note import KeySigner, verifier_of
from comity.proofs.tiles import tiles_of


class BareSqlite:
    """Group commit into SQLite and nothing else: the least that "durable" can mean."""

    def __init__(self, file: Path) -> None:
        self._base = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.execute("CREATE TABLE entry (place INTEGER PRIMARY KEY, raw BLOB NOT NULL)")

    def append(self, entries: Sequence[bytes]) -> None:
        self._base.execute("BEGIN IMMEDIATE")
        self._base.executemany("INSERT INTO entry (raw) VALUES (?)", [(raw,) for raw in entries])
        self._base.execute("COMMIT")

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
    events = BareSqlite(folder / f"bare-{writers}.db")
    group: Sequencer[bytes, None] = Sequencer(events.append)
    try:
        return rate(writers, seconds, lambda: group.submit(os.urandom(32)))
    finally:
        events.close()


def reading() -> Event:
    """An event of the size that nodes record most often."""
    return Event(
        id=f"event-{os.urandom(8).hex()}", at=datetime.now(UTC), kind="message.received",
        case_id="case-5f0c0ffee0ddba11", actor="node",
        body={"message": "message-0a1b2c3d4e5f6071", "peer": "hk-unit", "type": "hold.changed"},
    )  # fmt: skip


def appends(folder: Path, writers: int, seconds: float) -> tuple[float, float]:
    """Appends a second, and how many shared a checkpoint on average; every writer waits for its checkpoint."""
    records, tiles, key = (
        Records(folder / f"log-{writers}.db"),
        FileTileStore(folder / f"log-{writers}"),
        signer(),
    )
    store = SqlEventStore(records)
    publisher = Publisher(store, tiles, key)
    checkpoints = [0]

    def cover(sizes: Sequence[int]) -> int:
        found = publisher.publish(now=datetime.now(UTC))
        assert found is not None
        assert found.size >= max(sizes)
        checkpoints[0] += 1
        return found.size

    covering: Sequencer[int, int] = Sequencer(cover)
    group: Sequencer[Sealed, int] = Sequencer(store.append_all, finish=covering.submit)
    try:
        found = rate(writers, seconds, lambda: group.submit(sealed(reading())))
        check(records, tiles, key)
        return found, store.size() / checkpoints[0]
    finally:
        records.close()


def ticking(folder: Path, writers: int, seconds: float) -> float:
    """Events a second that the last checkpoint covers; writers wait for the database, checkpoints for ticks."""
    records, tiles, key = (
        Records(folder / f"ticks-{writers}.db"),
        FileTileStore(folder / f"ticks-{writers}"),
        signer(),
    )
    appender, publisher, stop = (
        EventAppender(records),
        Publisher(SqlEventStore(records), tiles, key),
        threading.Event(),
    )

    def tick() -> None:
        while not stop.wait(1.0):
            publisher.publish(now=datetime.now(UTC))

    ticker = threading.Thread(target=tick)
    began = time.perf_counter()
    ticker.start()
    try:
        rate(writers, seconds, lambda: appender.append(reading()))
        stop.set()
        ticker.join()
        last = publisher.publish(now=datetime.now(UTC), limit=10_000_000)
        spent = time.perf_counter() - began
        check(records, tiles, key)
        return last.size / spent if last is not None else 0.0
    finally:
        stop.set()
        records.close()


def check(records: Records, tiles: FileTileStore, key: KeySigner) -> None:
    """Every event of the database is in the log, and opens its entry."""
    with records.reading() as tx:
        verdict = verify_log(tiles, verifier_of(key), expected_entries=tx.events.recomputed_entries)
        assert verdict.holds, verdict.fault
        assert verdict.entries_checked == tx.events.size()


class NumberedEvents:
    """`count` entries that need no storing: for the audit, which reads files only."""

    def __init__(self, count: int) -> None:
        self._count = count

    def size(self) -> int:
        return self._count

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
            tick = ticking(folder, writers, chosen.seconds)
            print(
                f"the same, signed at ticks, {writers:>4} writers {tick:>14,.0f} /s   {tick / bare:.2f} of bare"
            )
        spent, least = audit(folder, chosen.audit)
        print(
            f"audit of {chosen.audit:,} entries, one core {spent:>13,.2f} s   ({least:.2f} s to read and hash alone)"
        )


if __name__ == "__main__":
    main()
