"""A node's database in one file: SQLite, set so that a commit survives power loss."""

import fcntl
import os
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from comity.errors import StorageError

_BUSY_MS = 15_000


def sqlite_engine(file: Path) -> Engine:
    """Write-ahead log, full sync. Writers take the write lock at once (BEGIN IMMEDIATE)."""
    engine = create_engine(
        f"sqlite:///{file}", connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000}
    )
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    """Writers take the write lock at once, so that a decision is made on what it will be written over."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


class FileClaims:
    """`Claims` beside a database file: one process works on it, and each of its threads on names of its own.

    The process holds `FILE-work` (flock: the system frees it when the process dies) from its first claim until
    `close`.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.with_name(f"{file.name}-work")
        self._guard = threading.Lock()
        self._held: set[str] = set()
        self._handle: int | None = None

    def take(self, name: str) -> bool:
        with self._guard:
            if name in self._held or not self._only_process():
                return False
            self._held.add(name)
            return True

    def give_back(self, name: str) -> None:
        with self._guard:
            self._held.discard(name)

    def close(self) -> None:
        with self._guard:
            self._held.clear()
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def _only_process(self) -> bool:
        if self._handle is not None:
            return True
        handle = -1
        try:
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except OSError as error:
            if handle >= 0:
                os.close(handle)
            raise StorageError(
                f"the database could not be claimed: {error}", where=str(self._file)
            ) from error
        self._handle = handle
        return True
