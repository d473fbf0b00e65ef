"""The migrated schema is the declared schema; an older database opens after an upgrade; two may open at once."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from comity.backends.sql import Records
from comity.backends.sql.database import HEAD, open_database
from comity.backends.sql.schema import metadata
from comity.errors import Conflict
from tests.contract import stores as given
from tests.contract.postgres_server import Server


def shape(engine: Any) -> dict[str, Any]:
    """Everything the database knows of its tables, but for the record of migrations."""
    found = inspect(engine)
    return {
        name: {
            "columns": [
                (one["name"], str(one["type"]), one["nullable"], one.get("primary_key"), one["default"])
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


@pytest.fixture(params=["postgresql", "sqlite"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Path | str]:
    """Names a new, empty database at each call."""
    numbers = count()
    if request.param == "sqlite":
        return lambda: tmp_path / f"{next(numbers)}.db"
    server: Server = request.getfixturevalue("postgres")
    return lambda: server.url(server.database())


@pytest.fixture
def place(fresh: Callable[[], Path | str]) -> Path | str:
    return fresh()


def plain_engine(place: Path | str) -> Engine:
    return create_engine(place if isinstance(place, str) else f"sqlite:///{place}")


def test_the_migrated_schema_is_the_declared_one(fresh: Callable[[], Path | str]) -> None:
    migrated, declared = open_database(fresh()), plain_engine(fresh())
    metadata.create_all(declared)
    assert shape(migrated) == shape(declared) != {}
    migrated.dispose()
    declared.dispose()


@pytest.mark.parametrize(
    ("found", "says"),
    [("0001", "an older development format"), ("0099", "does not know"), (None, "tables of something else")],
)
def test_another_format_is_refused_and_left_as_it_is(place: Path | str, found: str | None, says: str) -> None:
    engine = plain_engine(place)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE cases (id TEXT)"))
        if found is not None:
            connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
            connection.execute(text(f"INSERT INTO alembic_version VALUES ('{found}')"))  # noqa: S608
    before = shape(engine)
    with pytest.raises(Conflict, match=f"expected a database of format {HEAD}.*{says}") as error:
        Records(place)
    assert error.value.next_step != Conflict.remedy
    assert shape(engine) == before
    engine.dispose()


def test_a_database_is_one_nodes(place: Path | str) -> None:
    for owner in ("ca-centre", "ca-centre", ""):
        Records(place, owner=owner).close()
    with pytest.raises(Conflict, match="expected the database of hk-unit, got the one of ca-centre"):
        Records(place, owner="hk-unit")


def test_events_are_numbered_for_good(tmp_path: Path) -> None:
    """AUTOINCREMENT: a number is never given twice, even after the last row went."""
    engine = open_database(tmp_path / "node.db")
    with engine.connect() as connection:
        made = connection.execute(text("SELECT sql FROM sqlite_master WHERE name='events'")).scalar_one()
    assert "AUTOINCREMENT" in made
    engine.dispose()


def test_every_head_is_known(place: Path | str) -> None:
    engine = open_database(place)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
    engine.dispose()


def test_an_existing_database_opens_again_with_what_it_held(place: Path | str) -> None:
    for number in range(3):
        records = Records(place)
        with records.transaction() as tx:
            tx.events.append(given.happening(number))
        records.close()
    records = Records(place)
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


def test_processes_that_open_a_new_database_at_once_all_succeed(place: Path | str) -> None:
    program = textwrap.dedent("""
        import sys
        from comity.backends.sql import Records
        with Records(sys.argv[1], owner="ca-centre").reading() as tx:
            assert tx.cases.all() == []
    """)
    command = [sys.executable, "-c", program, str(place)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    ends = [(one.communicate()[1].decode(), one.returncode) for one in running]
    assert [code for _, code in ends] == [0, 0, 0], "\n".join(said for said, _ in ends)
