"""Open a node's database: pragmas, migrations, and what the driver's failures mean in our error tree."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError

from comity.errors import StorageError

HEAD = "0001"
_BUSY_MS = 15_000
_MIGRATING = threading.Lock()
"""Alembic keeps its environment in module globals: one migration at a time in a process."""


def open_database(file: Path) -> Engine:
    """Open (or create) the database and bring its schema up to date. Survives power loss: WAL, full sync."""
    engine = create_engine(
        f"sqlite:///{file}", connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000}
    )
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    with storage_errors(file):
        _migrate(engine)
    return engine


def _pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    """Writers take the write lock at once, so that a decision is made on what it will be written over."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    with engine.connect().execution_options(reading=True) as connection, connection.begin():
        known = inspect(connection).has_table("alembic_version")
        found = (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
        )
    if found == HEAD:
        return
    from alembic import command  # a third of a second that only a new or older database needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with _MIGRATING, engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def storage_errors(where: Path | str = "") -> Iterator[None]:
    """Turn what SQLite says about disks and locks into `StorageError`; the transaction was rolled back."""
    try:
        yield
    except OperationalError as error:
        raise StorageError(f"the database refused: {error.orig}", where=str(where)) from error
