"""The migrated schema is the declared schema; an older database opens after an upgrade; two may open at once."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text

from comity.backends.sql import Records
from comity.backends.sql.database import HEAD, open_database
from comity.backends.sql.schema import metadata
from tests.contract import stores as given


def shape(engine: Any) -> dict[str, Any]:
    """Everything the database knows of its tables, but for the record of migrations."""
    found = inspect(engine)
    return {
        name: {
            "columns": [
                (one["name"], str(one["type"]), one["nullable"], one["primary_key"], one["default"])
                for one in found.get_columns(name)
            ],
            "indexes": sorted(
                (one["name"], tuple(one["column_names"]), one["unique"]) for one in found.get_indexes(name)
            ),
            "unique": sorted((one["name"], tuple(one["column_names"])) for one in found.get_unique_constraints(name)),
            "foreign": sorted((one["name"], one["referred_table"]) for one in found.get_foreign_keys(name)),
            "key": found.get_pk_constraint(name),
        }
        for name in found.get_table_names()
        if name != "alembic_version"
    }  # fmt: skip


def test_the_migrated_schema_is_the_declared_one(tmp_path: Path) -> None:
    migrated = open_database(tmp_path / "migrated.db")
    declared = create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    metadata.create_all(declared)
    assert shape(migrated) == shape(declared) != {}
    migrated.dispose()
    declared.dispose()


def test_events_are_numbered_for_good(tmp_path: Path) -> None:
    """AUTOINCREMENT: a number is never given twice, even after the last row went."""
    engine = open_database(tmp_path / "node.db")
    with engine.connect() as connection:
        made = connection.execute(text("SELECT sql FROM sqlite_master WHERE name='events'")).scalar_one()
    assert "AUTOINCREMENT" in made
    engine.dispose()


def test_every_head_is_known(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
    engine.dispose()


def test_an_existing_database_opens_again_with_what_it_held(tmp_path: Path) -> None:
    for number in range(3):
        records = Records(tmp_path / "node.db")
        with records.transaction() as tx:
            tx.events.append(given.happening(number))
        records.close()
    records = Records(tmp_path / "node.db")
    with records.reading() as tx:
        assert len(list(tx.events.all())) == 3
    records.close()


def test_a_database_survives_power_loss_by_its_settings(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db")
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15_000}
    engine.dispose()


def test_two_processes_that_open_a_new_database_at_once_both_succeed(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from comity.backends.sql import Records
        with Records(Path(sys.argv[1])).reading() as tx:
            assert tx.cases.all() == []
    """)
    command = [sys.executable, "-c", program, str(tmp_path / "node.db")]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    ends = [(one.communicate()[1].decode(), one.returncode) for one in running]
    assert [code for _, code in ends] == [0, 0], "\n".join(said for said, _ in ends)
