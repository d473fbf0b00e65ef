"""Thousands of deadlines that a node missed, swept by several processes at once, one of which is killed: each fires
once, in order, and none is lost."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from comity.model import Event
from comity.node.bootstrap import Node, open_node
from comity.node.found import found
from tests.contract.postgres_server import Server
from tests.contract.sweeping import EACH, PATIENCE, miss_deadlines, start_worker
from tests.contract.test_postgres_node import settings_on

MANY = 2_000
BEFORE_THE_KILL = 300
LOOK_SECONDS = 0.05
KINDS = ("deadline.passed", "deadline.reminded")


@contextmanager
def opened(folder: Path) -> Iterator[Node]:
    node = open_node(folder)
    with closing(node.records):
        yield node


def fired(node: Node) -> list[Event]:
    """In the order of their commits."""
    with node.records.reading() as tx:
        return [one for one in tx.events.all() if one.kind in KINDS]


def of_kind(node: Node, kind: str) -> list[Event]:
    with node.records.reading() as tx:
        return [one for one in tx.events.all() if one.kind == kind]


def storm(folder: Path, workers: int) -> tuple[int, list[int]]:
    """Sweep with so many processes, kill the first in the middle; how many had fired by then, what the others did."""
    go = folder.parent / "go"
    running = [start_worker(folder, go) for _ in range(workers)]
    try:
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        go.touch()
        done = wait_for_the_middle(folder)
        running[0].kill()
        said = [one.communicate(timeout=PATIENCE) for one in running[1:]]
        assert [one.returncode for one in running[1:]] == [0] * (workers - 1), said
        return done, [int(text) for text, _ in said]
    finally:
        _end(running)


def wait_for_the_middle(folder: Path) -> int:
    until = time.monotonic() + PATIENCE
    with opened(folder) as node:
        while (done := len(fired(node))) < BEFORE_THE_KILL:
            assert time.monotonic() < until
            time.sleep(LOOK_SECONDS)
    return done


def _end(running: "list[subprocess.Popen[str]]") -> None:
    for one in running:
        one.kill()
        one.wait(PATIENCE)
        for stream in (one.stdout, one.stderr):
            if stream is not None:
                stream.close()


@pytest.mark.parametrize(("database", "workers"), [("sqlite", 2), ("postgresql", 2), ("postgresql", 4)])
def test_each_deadline_fires_once_and_in_order_though_a_worker_is_killed(
    database: str, workers: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place, folder = "node.db", tmp_path / "hk"
    if database == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        place = server.tcp_url(server.database())
    with closing(found(folder, settings_on(place)).node.records):
        pass
    with opened(folder) as node:
        miss_deadlines(node, MANY)
    at_kill, did = storm(folder, workers)
    assert at_kill < MANY, "the storm was over before the kill"
    assert all(did), "a worker had nothing to do: nobody competed"
    with opened(folder) as node:
        nothing_twice_and_nothing_lost(node)
        in_order(fired(node))


def nothing_twice_and_nothing_lost(node: Node) -> None:
    events = fired(node)
    once = Counter((one.body["subject_id"], one.body["rule"], one.kind) for one in events)
    assert (len(events), set(once.values())) == (MANY, {1})
    lapsed = Counter(one.body["hold"] for one in of_kind(node, "hold.lapsed"))
    told = Counter(one.body["subject_id"] for one in of_kind(node, "deadline.escalated"))
    for each in (lapsed, told):
        assert (len(each), set(each.values())) == (MANY // EACH, {1})
    with node.records.reading() as tx:
        assert {one.state for one in tx.holds.all()} == {"lapsed"}
        assert {one.state for one in tx.deadlines.all()} == {"passed"}
    assert of_kind(node, "alarm.deadline-stuck") == []


def in_order(events: list[Event]) -> None:
    """Over all subjects, and of each subject; a reminder's event says when its deadline is due, not it."""
    times = [one.body["due_at"] for one in events if one.kind == "deadline.passed"]
    assert all(before <= after for before, after in pairwise(times))
    of_one: dict[str, list[tuple[str, str]]] = {}
    for one in events:
        of_one.setdefault(one.body["subject_id"], []).append((one.body["rule"].rpartition("/")[2], one.kind))
    assert set(map(tuple, of_one.values())) == {
        (
            ("holder-notice", "deadline.passed"), ("order-reminder", "deadline.passed"),
            ("hold-lapse", "deadline.reminded"), ("hold-lapse", "deadline.passed"),
        )
    }  # fmt: skip
