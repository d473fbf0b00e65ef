"""Engines for the relational typologies: DuckDB inside this process, or a Spark session that somebody else runs.

Both get the same unbound Ibis expressions. Libraries are loaded when an engine is first used: starting a command
that does not detect costs nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from comity.errors import StorageError

_TABLE = "transfers"


class DuckDbEngine:
    """DuckDB in memory. `memory` limits it (for example "2GB"); beyond, it writes to the system's temporary folder."""

    def __init__(self, *, memory: str = "2GB", threads: int | None = None) -> None:
        self._settings: dict[str, Any] = {"memory_limit": memory}
        if threads is not None:
            self._settings["threads"] = threads

    def run(self, table: Any, expressions: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        import ibis

        connection = ibis.duckdb.connect(**self._settings)
        try:
            connection.con.register(_TABLE, table)
            for name, expression in expressions.items():
                yield name, _answer(connection, name, expression)
        finally:
            connection.disconnect()


class SparkEngine:
    """A Spark session (`comity[spark]`), handed in and left running. Its time zone must be UTC."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, table: Any, expressions: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        import ibis

        connection = ibis.pyspark.connect(self._session)
        self._session.createDataFrame(table).createOrReplaceTempView(_TABLE)
        try:
            for name, expression in expressions.items():
                yield name, _answer(connection, name, expression)
        finally:
            self._session.catalog.dropTempView(_TABLE)


def _answer(connection: Any, name: str, expression: Any) -> Any:
    try:
        return connection.to_pyarrow(expression)
    except Exception as error:
        raise StorageError(
            f"expected {connection.name} to answer, got: {str(error).strip().splitlines()[0][:300]}",
            where=f"pattern {name}",
            remedy="Give the engine more memory or disk, or detect fewer patterns or days at a time.",
        ) from error
