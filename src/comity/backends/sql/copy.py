"""Copy a node's records from one database into another, all of them or none."""

from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select, text

from comity.backends.sql.database import new_schema, open_engine, shown_place
from comity.backends.sql.failures import storage_errors
from comity.backends.sql.schema import metadata, owners
from comity.errors import StorageError

_ROWS = 200
"""At a time: a message may have 16 MiB."""


def copy_database(source: Path | str, target: Path | str, *, owner: str) -> int:
    """Copy every row into `target`, which must be empty; return how many. Nobody may write meanwhile."""
    old, new = open_engine(source), open_engine(target)
    try:
        with (
            storage_errors(shown_place(target)),
            old.connect().execution_options(reading=True) as reading,
            new_schema(new, shown_place(target), owner=owner) as writing,
        ):
            return sum(
                _copy(table, reading, writing) for table in metadata.sorted_tables if table is not owners
            )
    finally:
        old.dispose()
        new.dispose()


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    rows = reading.execution_options(yield_per=_ROWS).execute(select(table))
    for part in rows.mappings().partitions(_ROWS):
        writing.execute(insert(table), [dict(row) for row in part])
    counts = [one.execute(select(func.count()).select_from(table)).scalar_one() for one in (reading, writing)]
    if counts[0] != counts[1]:
        raise StorageError(f"expected {counts[0]} rows in {table.name}, got {counts[1]}")
    number = table.autoincrement_column
    if counts[1] and number is not None and writing.dialect.name == "postgresql":
        # the next number is one more than the largest copied
        newest = writing.execute(select(func.max(number))).scalar_one()
        writing.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :newest)"),
            {"table": table.name, "column": number.name, "newest": newest},
        )
    return int(counts[1])
