"""Move a node's records from its file to a PostgreSQL database, while the node is stopped.

All rows are committed in the new database before `node.toml` names it: a kill at any point leaves a node that
runs on the one or on the other, whole. The old file gets another name, so that nothing opens it by accident.
"""

from dataclasses import replace
from pathlib import Path

from comity.backends.sql.copy import copy_database
from comity.backends.sql.postgres import is_url
from comity.errors import Conflict, InputError
from comity.node.bootstrap import database_of, open_records
from comity.node.found_database import password_apart
from comity.node.home import Home, check_settings, read_settings, write_settings


def move_records(path: Path, database: str) -> int:
    """Move them to `database`, an empty one; return how many rows. `Conflict` if the node runs."""
    home = Home(path)
    before = read_settings(home)
    if is_url(before.database):
        raise Conflict.because(expected="a node whose records are in a file", got=before.database)
    if not is_url(database):
        raise InputError.because(expected="postgresql://USER@HOST/NAME", got=database)
    check_settings(replace(before, database=database))
    after = password_apart(home, replace(before, database=database))
    records = open_records(home, before)
    try:
        with records.alone("move") as mine, records.transaction():
            if not mine:
                raise Conflict.because(
                    expected="a node that is stopped", got="one that runs", where=str(path),
                    remedy="Stop it first; it starts on the new database afterwards.",
                )  # fmt: skip
            rows = copy_database(
                database_of(home, before), database_of(home, after), owner=before.authority.id
            )
            write_settings(home, after)
    finally:
        records.close()
    _rename(path / before.database)
    return rows


def _rename(file: Path) -> None:
    for ending in ("-wal", "-shm", ""):  # closed: SQLite has put everything into the file itself
        old = file.with_name(file.name + ending)
        if old.exists():
            old.rename(file.with_name(f"{file.name}.moved{ending}"))
