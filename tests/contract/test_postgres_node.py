"""A node whose records are on a PostgreSQL server: founded there, in an exchange with others, run by two processes."""

import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, select

from comity.backends.log_reader import FileLogReader
from comity.backends.sql import copy
from comity.backends.sql.database import create_database
from comity.backends.sql.schema import metadata
from comity.errors import Conflict, InputError, StorageError
from comity.ledger import verify_log
from comity.node.bootstrap import DATABASE_PASSWORD, Node, database_of, open_node
from comity.node.found import found
from comity.node.home import Home, Settings, read_settings, write_settings
from comity.node.log.prove import log_signer, publish_log
from comity.node.move_records import move_records
from comity.node.run import Runner
from comity.proofs.note import verifier_of
from tests.contract import stores as given
from tests.contract.postgres_server import PATIENCE, Server
from tests.nodes import town as towns
from tests.nodes.story import CA, HK, pooled
from tests.nodes.town import EVERYBODY, Town, found_town, free_ports, settings_of
from tests.nodes.wires import Killed

MANY = 30


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.tcp_url(postgres.database())


def settings_on(database: str, node_id: str = HK) -> Settings:
    one, two = free_ports(2)
    return replace(settings_of(node_id, (one, two)), database=database)


def tables(server: Server, url: str) -> int:
    with server.session(url.rsplit("/", 1)[1]) as session:
        return int(session.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")[0][0])


# --- founding and opening ------------------------------------------------------------------------------


def test_a_node_is_founded_on_a_server_and_its_password_is_kept_apart(
    postgres: Server, url: str, tmp_path: Path
) -> None:
    node = found(tmp_path / "hk", settings_on(url)).node
    assert postgres.password not in node.home.settings_file.read_text()
    assert tomllib.loads(node.home.settings_file.read_text())["database"].startswith(
        "postgresql://comity@127"
    )
    assert node.home.database_password.stat().st_mode & 0o777 == 0o600
    assert not (node.home.path / "node.db").exists()
    node.records.close()
    again = open_node(tmp_path / "hk")
    with again.records.reading() as tx:
        assert "node.founded" in [event.kind for event in tx.events.all()]
    again.records.close()


def test_a_database_that_is_in_use_gets_no_second_node(postgres: Server, url: str, tmp_path: Path) -> None:
    found(tmp_path / "hk", settings_on(url)).node.records.close()
    before = tables(postgres, url)
    for node_id in (HK, CA):
        with pytest.raises(Conflict, match="expected an empty database"):
            found(tmp_path / f"second-{node_id}", settings_on(url, node_id))
        assert not (tmp_path / f"second-{node_id}").exists()
    assert tables(postgres, url) == before > 0
    open_node(tmp_path / "hk").records.close()


def test_founding_that_fails_leaves_the_database_empty(postgres: Server, url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        found(tmp_path / "hk", settings_on(url), policies=["no-such.cedar"])
    assert tables(postgres, url) == 0
    found(tmp_path / "hk", settings_on(url)).node.records.close()


def test_a_node_with_anothers_database_in_its_settings_does_not_open(
    postgres: Server, url: str, tmp_path: Path
) -> None:
    for node_id, place in ((HK, url), (CA, postgres.tcp_url(postgres.database()))):
        found(tmp_path / node_id, settings_on(place, node_id)).node.records.close()
    home = Home(tmp_path / CA)
    write_settings(home, replace(read_settings(home), database=read_settings(Home(tmp_path / HK)).database))
    with pytest.raises(Conflict, match=f"expected the database of {CA}, got the one of {HK}"):
        open_node(home.path)


def test_the_environments_password_comes_first(
    postgres: Server, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = found(tmp_path / "hk", settings_on(url)).node
    node.records.close()
    monkeypatch.setenv(DATABASE_PASSWORD, "wrong-word")
    with pytest.raises(StorageError, match="password authentication failed") as error:
        open_node(node.home.path)
    assert "wrong-word" not in f"{error.value}{error.value.__cause__}"
    node.home.database_password.unlink()
    monkeypatch.setenv(DATABASE_PASSWORD, postgres.password)
    open_node(node.home.path).records.close()
    monkeypatch.delenv(DATABASE_PASSWORD)
    with pytest.raises(StorageError, match="password"):
        open_node(node.home.path)
    node.home.database_password.write_text("\n")
    with pytest.raises(InputError, match="an empty file"):
        open_node(node.home.path)


@pytest.mark.parametrize(
    "wrong", ["../other.db", "", "..", "/node.db", "mysql://u@h/db", "postgresql://h/db"]
)
def test_settings_name_a_file_of_the_node_or_a_server(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InputError):
        found(tmp_path / "hk", settings_on(wrong))
    assert not (tmp_path / "hk").exists()


def test_a_file_may_have_another_name(tmp_path: Path) -> None:
    node = found(tmp_path / "hk", settings_on("records.db")).node
    assert database_of(node.home, node.settings) == node.home.path / "records.db"
    assert (node.home.path / "records.db").is_file()
    node.records.close()


# --- moving there --------------------------------------------------------------------------------------


def rows_of(node: Node) -> dict[str, list[tuple[object, ...]]]:
    with node.records.reading() as tx:
        return {
            table.name: sorted(tuple(row) for row in tx.events._connection.execute(select(table)))
            for table in metadata.sorted_tables
        }


def test_records_move_to_a_server_whole_and_go_on_there(town: Town, postgres: Server, url: str) -> None:
    case = town.report()
    for _ in range(3):
        town.round()
    node = town[HK]
    before = rows_of(node)
    node.records.close()
    moved = move_records(node.home.path, url)
    assert moved == sum(len(rows) for rows in before.values()) - len(before["owners"])
    assert not (node.home.path / "node.db").exists()
    assert (node.home.path / "node.db.moved").is_file()
    assert postgres.password not in node.home.settings_file.read_text()
    assert before["inbox"]
    node = town.reopen(HK)
    assert node.records.shared
    assert rows_of(node) == before
    town.settle()
    assert town.found(case.id) == pooled()
    town.verify_logs()


def test_records_of_a_running_node_stay(url: str, tmp_path: Path) -> None:
    node = found(tmp_path / "hk", settings_on("node.db")).node
    with node.records.alone("work"), pytest.raises(Conflict, match="expected a node that is stopped"):
        move_records(tmp_path / "hk", url)
    assert read_settings(node.home).database == "node.db"
    node.records.close()
    create_database(url, owner=HK)
    with pytest.raises(Conflict, match="expected an empty database"):
        move_records(tmp_path / "hk", url)
    assert (tmp_path / "hk" / "node.db").is_file()
    open_node(tmp_path / "hk").records.close()


def test_a_copy_that_fails_half_way_leaves_both_as_they_were(
    postgres: Server, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(tmp_path / "hk", settings_on("node.db")).node.records.close()
    copied: list[str] = []

    def failing(table: Table, *connections: Connection) -> int:
        copied.append(table.name)
        if len(copied) == 5:
            raise StorageError("the disk is full")
        return real(table, *connections)

    real = copy._copy
    monkeypatch.setattr(copy, "_copy", failing)
    with pytest.raises(StorageError, match="full"):
        move_records(tmp_path / "hk", url)
    assert tables(postgres, url) == 0
    monkeypatch.undo()
    assert move_records(tmp_path / "hk", url) > 0
    open_node(tmp_path / "hk").records.close()


# --- an exchange ---------------------------------------------------------------------------------------


@pytest.fixture
def mixed_town(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Hong Kong on PostgreSQL; Canada, Thailand and the watch body on SQLite."""

    def settings(node_id: str, ports: tuple[int, int]) -> Settings:
        given = settings_of(node_id, ports)
        return replace(given, database=url) if node_id == HK else given

    monkeypatch.setattr(towns, "settings_of", settings)
    folder = tmp_path / "founded"
    folder.mkdir()
    town = Town.copied(found_town(folder, free_ports(2 * len(EVERYBODY))), tmp_path / "town")
    yield town
    town.close()


def test_nodes_on_both_databases_find_what_one_book_would(mixed_town: Town) -> None:
    town = mixed_town
    assert town[HK].records.shared
    assert not town[CA].records.shared
    case = town.report()
    for _ in range(3):
        town.round()
        town.reopen(HK)
    town.settle()
    assert town.found(case.id) == pooled()
    assert town.holds(HK)
    town.verify_logs()


@pytest.mark.parametrize("after", [False, True])
def test_a_node_on_a_server_that_dies_anywhere_goes_on(mixed_town: Town, after: bool) -> None:
    town = mixed_town
    case = town.report()
    for fuse in (1, 2, 3):
        town.doom(HK, fuse=fuse, after=after)
        with suppress(Killed):
            town.settle()
        town.reopen(HK)
    town.settle()
    assert town.found(case.id) == pooled()
    town.verify_logs()


# --- several processes ---------------------------------------------------------------------------------


def test_a_second_process_on_a_file_is_refused(tmp_path: Path) -> None:
    one = found(tmp_path / "hk", settings_on("node.db")).node
    other = open_node(tmp_path / "hk")
    runner = Runner(one)
    runner.start()
    try:
        with pytest.raises(Conflict, match="expected no other process that runs this node"):
            Runner(other).start()
    finally:
        runner.stop()
        one.records.close()
    second = Runner(other)
    second.start()
    second.stop()
    other.records.close()


def test_processes_on_one_server_do_everything_once(url: str, tmp_path: Path) -> None:
    one = found(tmp_path / "hk", settings_on(url)).node
    nodes = [one, open_node(tmp_path / "hk"), open_node(tmp_path / "hk")]
    names = [f"deadline-{number}" for number in range(MANY)]
    with one.records.transaction() as tx:
        for number, name in enumerate(names, start=1):
            tx.deadlines.add(given.deadline(id=name, subject_id=name, event="", due_at=given.NOW))
            given.arrive(tx, number)
    runners = [Runner(node) for node in nodes]
    for runner in runners:
        runner.start()
    until = time.monotonic() + PATIENCE
    while not done(one) and time.monotonic() < until:
        time.sleep(0.05)
    for runner in runners:
        runner.stop()
    with one.records.reading() as tx:
        passed = Counter(event.body["subject_id"] for event in tx.events.of_kinds(["deadline.passed"]))
        refused = Counter(event.body["message"] for event in tx.events.of_kinds(["alarm.message-refused"]))
        assert tx.inbox.counts() == {"handled": MANY}
    assert passed == Counter(names)
    assert refused == Counter(f"message-{number}" for number in range(1, MANY + 1))
    publish_log(one)
    with one.records.reading() as tx:
        verdict = verify_log(FileLogReader(one.home.log), verifier_of(log_signer(one)))
        assert (verdict.fault, verdict.entries_checked) == (None, tx.events.size())
    for node in nodes:
        node.records.close()


def done(node: Node) -> bool:
    with node.records.reading() as tx:
        return not tx.deadlines.due(node.clock()) and not tx.inbox.to_handle()
