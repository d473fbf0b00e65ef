"""Statements that every message needs: compiled once for each database, then run as they are.

Building an expression anew and finding it in SQLAlchemy's cache costs several times what the database then does, and
so does SQLAlchemy's own result beside SQLite's. So these go to SQLite's driver itself, in the connection's
transaction. Values go to the driver as they are: text, whole numbers and bytes only.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError, MultipleResultsFound
from sqlalchemy.sql.compiler import SQLCompiler


class Rows:
    """What SQLite answered, all of it, with the names of `CursorResult` for as much as is used of that."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.rowcount = cursor.rowcount
        self._rows: list[Any] = []
        if cursor.description is not None:
            row = _row_type(tuple(column[0] for column in cursor.description))
            self._rows = [row(*found) for found in cursor]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return self._rows

    def one_or_none(self) -> Any:
        if len(self._rows) > 1:
            raise MultipleResultsFound(f"expected at most one row, got {len(self._rows)}")
        return self._rows[0] if self._rows else None

    def scalar_one_or_none(self) -> Any:
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        (row,) = self._rows
        return row[0]


class Prepared:
    """Call it with a connection and the statement's bound values by name. Row columns keep their names."""

    def __init__(self, statement: Executable) -> None:
        self._statement: Any = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    def __call__(self, connection: Connection, **values: object) -> "CursorResult[Any] | Rows":
        text, order, fixed = self._for(connection)
        known = {**fixed, **values}
        bound = tuple(known[name] for name in order)
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            return _ask_sqlite(driver, text, bound)
        return connection.exec_driver_sql(text, bound)

    def _for(self, connection: Connection) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            made: SQLCompiler = self._statement.compile(dialect=dialect)
            if made.positiontup is None:
                raise TypeError(f"expected a driver with positional values, got {dialect.name}")
            self._compiled[dialect.name] = (str(made), tuple(made.positiontup), dict(made.params))
        return self._compiled[dialect.name]


def _ask_sqlite(driver: sqlite3.Connection, text: str, bound: tuple[Any, ...]) -> Rows:
    """Errors come as SQLAlchemy's, as from every other statement; without the values, which may be a case's."""
    try:
        return Rows(driver.execute(text, bound))
    except sqlite3.Error as error:
        raise DBAPIError.instance(text, bound, error, sqlite3.Error, hide_parameters=True) from error


@lru_cache(maxsize=256)
def _row_type(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names)
