"""Open a node's database, a file (SQLite) or a PostgreSQL URL, and bring its schema up to date.

A database in another format is refused, never guessed at; so is one that another node lives in.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, inspect, select, text

from comity.backends.sql.failures import storage_errors
from comity.backends.sql.postgres import is_url, postgres_engine, read_url, shown
from comity.backends.sql.schema import metadata, owners
from comity.backends.sql.sqlite import sqlite_engine
from comity.errors import Conflict

__all__ = [
    "HEAD", "create_database", "forget_database", "new_schema", "open_database", "open_engine",
    "shown_place", "storage_errors",
]  # fmt: skip

HEAD = "0003"
_UPGRADED = ("0002",)
"""Formats that nodes in use have, and that are brought to the newest when they are opened."""
_OLDER = ("0001",)
_VERSION = "alembic_version"
_MIGRATING = threading.Lock()
"""Alembic keeps its environment in module globals: one migration at a time in a process."""


def open_database(where: Path | str, *, owner: str = "") -> Engine:
    """Open (or create) the database. `where`: a file, or a PostgreSQL URL with the password it needs.

    `owner` is the node that lives in it; an older or foreign database is a `Conflict`.
    """
    engine = open_engine(where)
    place = shown_place(where)
    try:
        with storage_errors(place):
            _migrate(engine, place)
            if owner:
                _belong(engine, owner, place)
    except BaseException:
        engine.dispose()
        raise
    return engine


def shown_place(where: Path | str) -> str:
    """For people to read: a URL without its password."""
    return shown(read_url(str(where))) if is_url(where) else str(where)


def create_database(where: Path | str, *, owner: str) -> None:
    """Make the schema and give it to `owner`, at once or not at all. `Conflict` unless nothing is in it yet."""
    engine, place = open_engine(where), shown_place(where)
    try:
        with storage_errors(place), new_schema(engine, place, owner=owner):
            pass
    finally:
        engine.dispose()


@contextmanager
def new_schema(engine: Engine, place: str, *, owner: str) -> Iterator[Connection]:
    """A write transaction on a database that was empty, with the schema made and `owner` in it."""
    with _MIGRATING, engine.begin() as connection:
        tables = sorted(inspect(connection).get_table_names())
        if tables:
            raise Conflict.because(
                expected="an empty database, the node's own", got=f"one with the table {tables[0]!r}",
                where=place, remedy="Create another one: createdb --owner USER NAME",
            )  # fmt: skip
        _upgrade(connection)
        connection.execute(insert(owners).values(node=owner))
        yield connection


def forget_database(where: Path | str) -> None:
    """Take our tables out of a PostgreSQL database again: the node that was to live there was not founded."""
    if not is_url(where):
        return
    engine = open_engine(where)
    try:
        with storage_errors(shown_place(where)), engine.begin() as connection:
            metadata.drop_all(connection)
            connection.execute(text(f"DROP TABLE IF EXISTS {_VERSION}"))
    finally:
        engine.dispose()


def open_engine(where: Path | str) -> Engine:
    """As it is: nothing is made or checked."""
    return postgres_engine(read_url(str(where))) if is_url(where) else sqlite_engine(Path(where))


def _migrate(engine: Engine, place: str) -> None:
    with engine.connect().execution_options(reading=True) as connection, connection.begin():
        found = _version(connection, place)
    if found == HEAD:
        return
    with _MIGRATING, engine.begin() as connection:
        if _version(connection, place) != HEAD:  # another process may have been faster
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # a third of a second that only a new database needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection, place: str) -> str | None:
    """The schema's version; None for an empty database. `Conflict` for what there is no way on from."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    found = (
        connection.execute(text(f"SELECT version_num FROM {_VERSION}")).scalar()  # noqa: S608 - our name
        if _VERSION in tables
        else None
    )
    if found == HEAD or found in _UPGRADED:
        return str(found)
    if found in _OLDER:
        got, remedy = (
            f"{found}, an older development format",
            "There is no way on from it: keep it where it is, and found the node anew in another place.",
        )
    elif found is None:
        got, remedy = "tables of something else", "Name an empty database, or a new file."
    else:
        got, remedy = f"{found}, which this version does not know", "Run the newer version that wrote it."
    raise Conflict.because(
        expected=f"a database of format {HEAD}, or an empty one", got=got, where=place, remedy=remedy
    )


def _belong(engine: Engine, owner: str, place: str) -> None:
    """Two nodes in one database would take each other's messages for their own."""
    with engine.connect().execution_options(reading=True) as connection, connection.begin():
        found = connection.execute(select(owners.c.node)).scalar_one_or_none()
    if found is None:
        with engine.begin() as connection:
            found = connection.execute(select(owners.c.node)).scalar_one_or_none()
            if found is None:
                connection.execute(insert(owners).values(node=owner))
                found = owner
    if found != owner:
        raise Conflict.because(
            expected=f"the database of {owner}", got=f"the one of {found}", where=place,
            remedy="Correct `database` in node.toml: every node has a database of its own.",
        )  # fmt: skip
