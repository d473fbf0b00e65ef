"""A running node's log grows at ticks and by whole pads, and nobody but an auditor sees the padding."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from comity.backends.log_reader import FileLogReader
from comity.backends.sql.events import PADDING
from comity.errors import InputError, StorageError
from comity.ledger import check_entry, read_checkpoint, verify_log
from comity.ledger.publish import GROWTH_LIMIT
from comity.node.bootstrap import Node
from comity.node.found import found
from comity.node.log.publish import Publishing, log_signer, publish_log
from comity.proofs.note import verifier_of
from tests.nodes.story import CA
from tests.nodes.town import settings_of


class Watch:
    """A steady clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.25

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    done = found(tmp_path / "ca", settings_of(CA, (7443, 7080))).node
    yield done
    done.records.close()


def events(node: Node, count: int) -> None:
    with node.records.transaction() as tx:
        for number in range(count):
            node.record(tx, "case.noted", case_id="case-1", actor="nadia", number=number)


def size(node: Node) -> int:
    found = read_checkpoint(node.log, verifier_of(log_signer(node)))
    return found[0].size if found else 0


def stored(node: Node) -> int:
    with node.records.reading() as tx:
        return tx.events.size()


def test_the_log_grows_at_ticks_only_and_by_whole_pads(node: Node) -> None:
    watch, start = Watch(), size(node)
    publishing = Publishing(node, monotonic=watch)
    publishing.step()
    for happened, padded in ((1, 8), (7, 8), (8, 8), (9, 16), (0, 0), (16, 16), (3, 8)):
        events(node, happened)
        for _ in range(3):
            assert publishing.step() is False, "the tick has passed already"
        assert size(node) == start
        watch.seconds += 1
        assert publishing.step() is bool(happened)
        assert size(node) - start == padded
        start = size(node)
        assert start == stored(node)
        verdict = verify_log(FileLogReader(node.home.log), verifier_of(log_signer(node)))
        assert verdict.fault is None


def test_ticks_are_those_of_a_grid_whenever_the_events_come(node: Node) -> None:
    """Two nodes that are asked to publish at different moments of one tick do so in the same one."""
    watch = Watch()
    publishing = Publishing(node, monotonic=watch)
    grown = []
    for moment in (0.3, 0.9, 1.1, 1.15, 2.95, 3.02):
        watch.seconds = 2000 + moment
        events(node, 1)
        if publishing.step():
            grown.append(moment)
    assert grown == [0.3, 1.1, 2.95, 3.02]


def test_padding_is_openable_and_nobody_else_sees_it(node: Node) -> None:
    publishing = Publishing(node, monotonic=Watch())
    with node.records.reading() as tx:
        before = [event.id for event in tx.events.all()]
    events(node, 1)
    assert publishing.step()
    with node.records.reading() as tx:
        seen = [event.id for event in tx.events.all()]
        assert len(seen) == len(before) + 1
        assert [event.id for _, event in tx.events.after(0)] == seen
        assert [event.kind for event in tx.events.of_kinds([PADDING])] == []
        assert [event.kind for event, _ in tx.events.of_case("")].count(PADDING) == 0
        rows = tx.events._connection.exec_driver_sql(
            "SELECT id, body, salt, entry FROM events WHERE kind = 'log.padding'"
        ).all()
        assert len(rows) == 7
        for name, body, salt, entry in rows:
            check_entry(entry, body, salt)
            opening = tx.events.opening(name)
            assert opening is not None
            assert (opening.event.kind, opening.event.body) == (PADDING, {})
        assert len({entry for *_, entry in rows}) == 7


def test_silence_can_be_filled_as_well(node: Node) -> None:
    watch = Watch()
    node.settings = replace(node.settings, log_heartbeat=3)
    publishing = Publishing(node, monotonic=watch)
    grown, before = [], size(node)
    for happened in (0, 0, 0, 0, 2, 0, 0, 0, 0):
        events(node, happened)
        publishing.step()
        watch.seconds += 1
        grown.append(size(node) - before)
        before = size(node)
    assert grown == [0, 0, 8, 0, 8, 0, 0, 8, 0]
    assert stored(node) == size(node)


def test_a_cadence_and_a_pad_of_ones_own(node: Node) -> None:
    node.settings = replace(node.settings, log_cadence_ms=200, log_padding=5)
    watch, start = Watch(), size(node)
    publishing = Publishing(node, monotonic=watch)
    publishing.step()
    events(node, 1)
    watch.seconds += 0.1
    assert not publishing.step()
    watch.seconds += 0.15
    assert publishing.step()
    assert size(node) - start == 5


def test_a_tick_that_failed_is_tried_again_and_pads_no_more(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, start = Watch(), size(node)
    publishing = Publishing(node, monotonic=watch)
    publishing.step()
    events(node, 1)
    watch.seconds += 1

    def full(*args: object) -> None:
        raise StorageError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(type(node.log), "write_all", full)
        for _ in range(3):
            with pytest.raises(StorageError):
                publishing.step()
    assert stored(node) - start == 8
    assert publishing.step()
    assert size(node) - start == 8 == stored(node) - start


def test_at_once_is_without_padding(node: Node) -> None:
    start = size(node)
    events(node, 3)
    published = publish_log(node)
    assert published is not None
    assert published.size == start + 3 == stored(node)


def test_single_events_from_many_threads_share_transactions(node: Node) -> None:
    start = stored(node)
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(lambda number: node.append_event("alarm.test", actor="node", number=number), range(200))
        )
    assert stored(node) == start + 200
    with node.records.reading() as tx:
        found = list(tx.events.of_kinds(["alarm.test"]))
        assert sorted(event.body["number"] for event in found) == list(range(200))
        assert all(len(entry) == 32 for entry in tx.events.recomputed_entries(0, stored(node)))
    with pytest.raises(InputError, match="float"):
        node.append_event("alarm.test", actor="node", amount=1.5)
    assert stored(node) == start + 200


def test_a_backlog_is_published_in_whole_pads(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    assert GROWTH_LIMIT % 8 == 0
    monkeypatch.setattr("comity.node.log.publish.GROWTH_LIMIT", 30)
    watch, start = Watch(), size(node)
    publishing = Publishing(node, monotonic=watch)
    events(node, 61)
    grown = []
    for _ in range(5):
        publishing.step()
        watch.seconds += 1
        grown.append(size(node) - start)
    assert grown == [24, 48, 64, 64, 64]
