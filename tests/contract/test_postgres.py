"""PostgreSQL as a node's database: what no SQLite file can do to us. Servers stop, processes die, many work at once."""

import signal
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from comity.backends.sql import Records, postgres
from comity.backends.sql.database import create_database, forget_database, shown_place
from comity.backends.sql.postgres import read_url
from comity.errors import Conflict, InputError, StorageError
from tests.contract import stores as given
from tests.contract.postgres_server import PATIENCE, Server
from tests.contract.stores import LATER

WORKERS = 3


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.url(postgres.database())


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    records = Records(url)
    yield records
    records.close()


def add(records: Records, number: int = 1) -> None:
    with records.transaction() as tx:
        tx.events.append(given.happening(number))


def events(records: Records) -> list[str]:
    with records.reading() as tx:
        return [event.id for event in tx.events.all()]


# --- which server, which database ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [{"synchronous_commit": "off"}, {"synchronous_commit": "local"}, {"synchronous_commit": "remote_write"}],
)
def test_a_database_on_which_a_commit_may_be_lost_is_refused(
    postgres: Server, settings: dict[str, str]
) -> None:
    with pytest.raises(InputError, match="expected a PostgreSQL database with synchronous_commit = on"):
        Records(postgres.url(postgres.database(settings=settings)))


def test_a_setting_that_is_changed_while_a_node_runs_is_noticed(postgres: Server) -> None:
    name = postgres.database()
    records = Records(postgres.url(name))
    with postgres.session() as session:
        session.run(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with records.reading(), pytest.raises(InputError, match="synchronous_commit"):
        add(records)  # the first connection is in use: this one is new
    records.close()


def test_a_database_in_another_encoding_is_refused(postgres: Server) -> None:
    name = f"{postgres.database()}_ascii"
    with postgres.session() as session:
        session.run(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    with pytest.raises(InputError, match="server_encoding = UTF8"):
        Records(postgres.url(name))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mysql://u:hidden@h/db", "a URL of 'mysql'"), ("postgresql+psycopg://u:hidden@h/db", "psycopg"),
        ("postgresql://:hidden@h/db", "without a user"), ("postgresql://u:hidden@h", "without a database"),
        ("postgresql://u:hidden@/db", "without a host"), ("postgresql://u:hidden@h:x/db", "no URL"),
        ("postgresql://u:hidden@h/db?sslmode=disable", "the option 'sslmode'"),
    ],
)  # fmt: skip
def test_a_url_that_is_none_of_ours_is_refused_without_its_password(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as error:
        Records(text)
    assert "hidden" not in f"{error.value} {error.value.next_step} {error.value.__cause__ or ''}"


def test_no_password_is_ever_shown(postgres: Server) -> None:
    place = postgres.tcp_url(postgres.database(), password="not-the-word")
    with pytest.raises(StorageError, match="password authentication failed") as error:
        Records(place)
    assert "not-the-word" not in f"{error.value} {error.value.__cause__} {shown_place(place)}"
    assert "127.0.0.1" in str(error.value)


def test_a_server_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    for place in (f"postgresql://u@/db?unix_sock={tmp_path}/none", "postgresql://u@127.0.0.1:9/db"):
        with pytest.raises(StorageError, match="no connection to the database") as error:
            Records(place)
        assert "PostgreSQL server runs" in error.value.next_step


def test_another_machine_is_spoken_to_only_under_a_verified_certificate(
    postgres: Server, tmp_path: Path
) -> None:
    elsewhere = postgres_tls("postgresql://u@db.example/db")
    assert isinstance(elsewhere, ssl.SSLContext)
    assert (elsewhere.verify_mode, elsewhere.check_hostname) == (ssl.CERT_REQUIRED, True)
    place = postgres.tcp_url(postgres.database())
    good = tmp_path / "good.pem"
    good.write_bytes((postgres.folder / "data" / "server.pem").read_bytes())
    records = Records(f"{place}?sslrootcert={good}")
    with records.reading() as tx:
        used = tx.events._connection.exec_driver_sql(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).scalar_one()
    assert used is True
    records.close()
    for wrong, says in ((place.replace("127.0.0.1", "localhost"), "certificate"), (place, "certificate")):
        bundle = good if "localhost" in wrong else Path(ssl.get_default_verify_paths().openssl_cafile)
        if bundle.is_file():
            with pytest.raises(StorageError, match=says):
                Records(f"{wrong}?sslrootcert={bundle}")
    with pytest.raises(InputError, match="expected certificates"):
        Records(f"{place}?sslrootcert={tmp_path}/none.pem")


def postgres_tls(text: str) -> ssl.SSLContext | bool:
    url = read_url(text)
    return postgres._tls(url, {})


def test_a_new_node_takes_an_empty_database_only_and_leaves_none_behind(url: str) -> None:
    create_database(url, owner="ca-centre")
    Records(url, owner="ca-centre").close()
    with pytest.raises(Conflict, match="expected an empty database"):
        create_database(url, owner="ca-centre")
    forget_database(url)
    create_database(url, owner="hk-unit")
    Records(url, owner="hk-unit").close()


# --- one write at a time -------------------------------------------------------------------------------


def test_a_writer_that_waits_too_long_is_told_so(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres._SESSION, "lock_timeout", "200")
    records = Records(url)
    with records.transaction() as tx:
        tx.events.append(given.happening(1))
        with pytest.raises(StorageError, match="lock timeout"):
            add(records, 2)
    add(records, 3)
    assert events(records) == ["event-1", "event-3"]
    records.close()


def test_a_reader_cannot_write(records: Records) -> None:
    with pytest.raises(StorageError, match="read-only transaction"), records.reading() as tx:
        tx.events.append(given.happening(1))


def test_a_failed_statement_that_nobody_minded_is_no_success(records: Records) -> None:
    """PostgreSQL answers such a COMMIT with a quiet rollback."""

    def careless() -> None:
        with records.transaction() as tx:
            tx.cases.add(given.case())
            with suppress(IntegrityError):
                tx.cases.add(given.case())

    with pytest.raises(StorageError, match="nothing of it was kept"):
        careless()
    with records.reading() as tx:
        assert tx.cases.all() == []


def test_text_that_it_cannot_keep_is_the_inputs_fault(records: Records) -> None:
    """Else what a peer sent would be tried again for ever, as if the disk were full."""
    with pytest.raises(InputError, match="a value that the database can keep"), records.transaction() as tx:
        tx.cases.add(given.case(title="a\0b"))


def worker(program: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ends(workers: "list[subprocess.Popen[str]]") -> list[list[str]]:
    """What each of them said, once all have ended well. They start working together: at a line on stdin."""
    for one in workers:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n", one.communicate()[1]
    for one in workers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=120) for one in workers]
    assert [one.returncode for one in workers] == [0] * len(workers), said
    return [out.split() for out, _ in said]


def test_processes_number_events_in_the_order_of_their_commits(url: str) -> None:
    """Each says how many it saw before its own: were two to decide at once, two would see the same."""
    Records(url).close()
    program = """
        import sys
        from comity.backends.sql import Records
        from tests.contract import stores as given
        records, me = Records(sys.argv[1]), sys.argv[2]
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(30):
            with records.transaction() as tx:
                seen = len(list(tx.events.all()))
                tx.events.append(given.happening(id=f"{me}-{number}", body={"seen": seen}))
        records.close()
    """
    ends([worker(program, url, str(number)) for number in range(WORKERS)])
    records = Records(url)
    with records.reading() as tx:
        found = list(tx.events.all())
        places = [place for _, place in tx.events.of_case("case-1")]
    records.close()
    assert [event.body["seen"] for event in found] == list(range(30 * WORKERS)) == places


def test_workers_claim_each_deadline_and_each_message_once(url: str) -> None:
    records = Records(url)
    with records.transaction() as tx:
        for number in range(40):
            tx.deadlines.add(given.deadline(id=f"deadline-{number}"))
            given.arrive(tx, number + 1)
    program = """
        import sys
        from comity.backends.sql import Records
        from tests.contract import stores as given
        records = Records(sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        while True:
            with records.reading() as tx:
                due, waiting = tx.deadlines.due(given.LATER), tx.inbox.to_handle(limit=4)
            if not due and not waiting:
                break
            for one in due[:3]:
                with records.transaction() as tx:
                    if tx.deadlines.finish(one.id):
                        print(one.id)
            for one in waiting:
                with records.transaction() as tx:
                    if tx.inbox.settle(one, state="handled"):
                        print(one.id)
        records.close()
    """
    said = ends([worker(program, url) for _ in range(WORKERS)])
    counted = Counter(one for out in said for one in out)
    assert set(counted.values()) == {1}
    assert len(counted) == 80
    with records.reading() as tx:
        assert tx.deadlines.due(LATER) == []
        assert tx.inbox.counts() == {"handled": 40}
    records.close()


# --- trouble -------------------------------------------------------------------------------------------


def test_a_process_killed_in_a_transaction_keeps_nothing_and_holds_nobody_up(url: str) -> None:
    records = Records(url)
    program = """
        import sys, time
        from comity.backends.sql import Records
        from tests.contract import stores as given
        records = Records(sys.argv[1])
        with records.alone("work") as mine, records.transaction() as tx:
            tx.events.append(given.happening(1))
            print("ready" if mine else "not alone", flush=True)
            time.sleep(600)
    """
    victim = worker(program, url)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "ready\n"
    with records.alone("work") as mine:
        assert not mine
    victim.kill()
    victim.communicate()
    add(records, 2)
    assert events(records) == ["event-2"]
    assert soon(lambda: alone(records, "work"))
    records.close()


def alone(records: Records, name: str) -> bool:
    with records.alone(name) as mine:
        return mine


def soon(check: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if check():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def own_server() -> Iterator[Server]:
    """One that may be stopped: nobody else uses it."""
    from tests.contract.postgres_server import private_server

    with private_server() as server:
        yield server


def test_a_server_that_is_started_again_loses_nothing_that_was_committed(
    postgres: Server, own_server: Server
) -> None:
    server = own_server
    records = Records(server.url(server.database()))
    for number, how in enumerate((signal.SIGINT, signal.SIGQUIT)):
        add(records, 3 * number)

        def cut_off(number: int = number, how: signal.Signals = how) -> None:
            with records.transaction() as tx:
                tx.events.append(given.happening(3 * number + 1))
                server.stop(how=how)
                tx.events.append(given.happening(3 * number + 2))

        with records.alone("work") as mine:
            assert mine
            with pytest.raises(StorageError):
                cut_off()
            with pytest.raises(StorageError, match="no connection to the database"):
                add(records, 100)
            server.start()
        assert events(records) == [f"event-{3 * one}" for one in range(number + 1)]
    add(records, 9)
    assert events(records)[-1] == "event-9"
    assert alone(records, "work")
    records.close()


def test_writers_go_on_through_a_restart_and_nothing_is_lost_or_done_twice(own_server: Server) -> None:
    """As the loops of a node do: what could not be stored is tried again, under the same id."""
    records = Records(own_server.url(own_server.database()))
    kept: set[str] = set()

    def write(writer: int) -> None:
        for number in range(20):
            name = f"event-{writer}-{number}"
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                try:
                    with records.transaction() as tx:
                        tx.events.append(given.happening(id=name))
                except StorageError:
                    time.sleep(0.05)
                except Conflict:
                    break  # the commit had been kept, only its answer was lost
                else:
                    break
            kept.add(name)
            time.sleep(0.01)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in writers:
        one.start()
    for how in (signal.SIGQUIT, signal.SIGINT):
        time.sleep(0.15)
        own_server.stop(how=how)
        own_server.start()
    for one in writers:
        one.join()
    found = events(records)
    assert sorted(found) == sorted(kept)
    assert len(found) == 80
    records.close()


# --- claims --------------------------------------------------------------------------------------------


def two(place: Path | str) -> tuple[Records, Records]:
    return Records(place), Records(place)


def test_work_is_one_processes_at_a_time(url: str) -> None:
    one, other = two(url)
    with one.alone("a") as mine:
        assert mine
        assert not alone(one, "a")
        assert not alone(other, "a")
        assert alone(other, "b")
    assert alone(other, "a")
    one.close()
    assert one.shared
    other.close()


def test_on_a_file_one_process_works_until_it_ends(tmp_path: Path) -> None:
    one, other = two(tmp_path / "node.db")
    assert not one.shared
    with one.alone("a") as mine:
        assert mine
        assert not alone(one, "a")
        assert alone(one, "b")
        assert not alone(other, "b")
    assert not alone(other, "a")
    one.close()
    assert alone(other, "a")
    other.close()


def test_an_error_gives_the_work_back(url: str, tmp_path: Path) -> None:
    def fail(records: Records) -> None:
        with records.alone("a"):
            raise KeyError

    for place in (url, tmp_path / "node.db"):
        records: Any = Records(place)
        with pytest.raises(KeyError):
            fail(records)
        assert alone(records, "a")
        records.close()
