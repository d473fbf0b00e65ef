"""What a stand-alone witness knows, in one SQLite file (port `ledger.WitnessStore`, and the logs it witnesses).

Every write is a transaction of its own that takes the write lock first and is synced to the disk before it
returns, so that neither threads nor processes nor a power cut can make it forget a tree it has cosigned.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from comity.errors import Conflict, StorageError
from comity.ledger import Seen, TwoStories
from comity.proofs.note import VerifierKey

_VERSION = 1
_BUSY_SECONDS = 10.0
MOST_DOUBTS = 100
"""Doubts kept for each log: anybody can raise one with a wrong proof."""
_SCHEMA = """
CREATE TABLE logs (origin TEXT PRIMARY KEY, key TEXT NOT NULL, follow TEXT NOT NULL, added_at TEXT NOT NULL);
CREATE TABLE seen (
    origin TEXT PRIMARY KEY REFERENCES logs (origin),
    size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL, at TEXT NOT NULL
);
CREATE TABLE evidence (
    digest TEXT PRIMARY KEY, origin TEXT NOT NULL, at TEXT NOT NULL, conclusive INTEGER NOT NULL,
    trusted BLOB NOT NULL, offered BLOB NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A log, and the newest tree of it that was cosigned (`seen`, at `at`), if any."""

    key: VerifierKey
    follow: str
    """Where the witness looks for new checkpoints by itself; empty if it waits to be asked."""
    seen: Seen | None
    at: str


class WitnessRecords:
    """The file must be there (`create_records`). Threads may share this: one connection, one user at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.RLock()
        with self._failures():
            self._connection = sqlite3.connect(
                f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None,
                check_same_thread=False,
            )  # fmt: skip
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            self._connection.close()
            raise StorageError(
                f"expected version {_VERSION} of what a witness has seen, got {version}", where=str(file)
            )

    def close(self) -> None:
        self._connection.close()

    def add_log(self, key: VerifierKey, *, follow: str, now: datetime) -> None:
        """Witness the log of `key` from now on; `Conflict` if its origin is known under another key."""
        with self._writing() as connection:
            row = connection.execute("SELECT key FROM logs WHERE origin = ?", (key.name,)).fetchone()
            if row is not None and row[0] != str(key):
                raise Conflict.because(expected=f"the key {key.name} is known under: {row[0]}", got=str(key))
            connection.execute(
                "INSERT INTO logs VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET follow = excluded.follow",
                (key.name, str(key), follow, _text(now)),
            )

    def logs(self) -> dict[str, VerifierKey]:
        """The key of each witnessed log by its origin."""
        with self._reading() as connection:
            rows = connection.execute("SELECT origin, key FROM logs").fetchall()
        return {origin: VerifierKey.parse(key) for origin, key in rows}

    def all(self) -> list[Witnessed]:
        """Every log, by origin."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT logs.key, follow, size, root, note, seen.at FROM logs LEFT JOIN seen USING (origin) "
                "ORDER BY origin"
            ).fetchall()
        return [
            Witnessed(
                key=VerifierKey.parse(key), follow=follow,
                seen=None if size is None else Seen(size=size, root=root, note=note), at=at or "",
            )
            for key, follow, size, root, note, at in rows
        ]  # fmt: skip

    def newest(self, origin: str) -> Seen | None:
        with self._reading() as connection:
            row = connection.execute(
                "SELECT size, root, note FROM seen WHERE origin = ?", (origin,)
            ).fetchone()
        return None if row is None else Seen(size=row[0], root=row[1], note=row[2])

    def replace(self, origin: str, old: Seen | None, new: Seen) -> bool:
        """Compare and swap; durable on return."""
        at = _text(datetime.now(UTC))
        with self._writing() as connection:
            if old is None:
                changed = connection.execute(
                    "INSERT INTO seen VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO NOTHING",
                    (origin, new.size, new.root, new.note, at),
                )
            else:
                changed = connection.execute(
                    "UPDATE seen SET size = ?, root = ?, note = ?, at = ? "
                    "WHERE origin = ? AND size = ? AND root = ?",
                    (new.size, new.root, new.note, at, origin, old.size, old.root),
                )
            return changed.rowcount == 1

    def keep_evidence(self, found: TwoStories, *, now: datetime) -> str | None:
        """Keep two notes that speak against a log; its digest, or None if it is known or one doubt too many."""
        digest = hashlib.sha256(found.trusted + b"\0" + found.offered).hexdigest()
        with self._writing() as connection:
            (doubts,) = connection.execute(
                "SELECT count(*) FROM evidence WHERE origin = ? AND NOT conclusive", (found.origin,)
            ).fetchone()
            if not found.conclusive and doubts >= MOST_DOUBTS:
                return None
            changed = connection.execute(
                "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                (digest, found.origin, _text(now), int(found.conclusive), found.trusted, found.offered),
            )
            return digest if changed.rowcount == 1 else None

    def evidence_counts(self) -> dict[str, tuple[int, int]]:
        """By origin: how many proofs of two stories, and how many doubts."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT origin, sum(conclusive), count(*) - sum(conclusive) FROM evidence GROUP BY origin"
            ).fetchall()
        return {origin: (proofs, doubts) for origin, proofs, doubts in rows}

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._failures():
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._failures():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"the database refused: {error}", where=str(self._file)) from error


def create_records(file: Path) -> None:
    """Make the file of a witness that has seen nothing; `StorageError` if there is one."""
    try:
        file.touch(mode=0o600, exist_ok=False)
        connection = sqlite3.connect(file, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={_VERSION};COMMIT;")
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"the witness's database could not be made: {error}", where=str(file)) from error


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
