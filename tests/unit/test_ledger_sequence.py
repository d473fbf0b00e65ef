"""Group commit: everybody is covered by a step that began after they came, and shares its fate."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from comity.errors import StorageError
from comity.ledger import Sequencer


def test_every_work_is_run_once_in_groups_and_in_order() -> None:
    groups: list[list[int]] = []

    def run(works: Sequence[int]) -> int:
        time.sleep(0.002)
        groups.append(list(works))
        return len(groups)

    sequencer = Sequencer(run)
    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(sequencer.submit, range(400)))
    assert sorted(work for group in groups for work in group) == list(range(400))
    assert len(groups) < 200
    for work, outcome in enumerate(outcomes):
        assert work in groups[outcome - 1]


def test_who_comes_while_a_step_runs_is_in_the_next_one() -> None:
    began, go_on = threading.Event(), threading.Event()
    groups: list[list[str]] = []

    def run(works: Sequence[str]) -> None:
        groups.append(list(works))
        began.set()
        assert go_on.wait(5)

    sequencer = Sequencer(run)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(sequencer.submit, "first")
        assert began.wait(5)
        others = [pool.submit(sequencer.submit, name) for name in ("second", "third")]
        while sum(not other.running() for other in others):
            time.sleep(0.001)
        time.sleep(0.05)
        assert not any(other.done() for other in others)
        go_on.set()
        for waiting in (first, *others):
            waiting.result(5)
    assert groups[0] == ["first"]
    assert sorted(groups[1]) == ["second", "third"]


def test_a_failed_step_fails_its_group_and_nobody_else() -> None:
    def run(works: Sequence[str]) -> str:
        if "bad" in works:
            raise StorageError("the disk is full")
        return "done"

    sequencer = Sequencer(run)
    with pytest.raises(StorageError, match="full"):
        sequencer.submit("bad")
    assert sequencer.submit("good") == "done"


def test_an_interrupted_step_is_reported_to_its_group_and_goes_on_up() -> None:
    def run(works: Sequence[str]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Sequencer(run).submit("work")


def test_the_next_group_runs_while_the_last_one_finishes_and_each_waits_for_its_own() -> None:
    finishing, go_on = threading.Event(), threading.Event()
    ran: list[list[str]] = []

    def run(works: Sequence[str]) -> list[str]:
        ran.append(list(works))
        return list(works)

    def finish(works: list[str]) -> list[str]:
        if works == ["first"]:
            finishing.set()
            assert go_on.wait(5)
        if works == ["bad"]:
            raise StorageError("the disk is full")
        return [work.upper() for work in works]

    sequencer = Sequencer(run, finish=finish)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(sequencer.submit, "first")
        assert finishing.wait(5)
        assert sequencer.submit("second") == ["SECOND"]
        assert ran == [["first"], ["second"]]
        assert not first.done()
        with pytest.raises(StorageError):
            sequencer.submit("bad")
        go_on.set()
        assert first.result(5) == ["FIRST"]


def test_groups_are_no_larger_than_asked_for() -> None:
    sizes: list[int] = []

    def run(works: Sequence[int]) -> None:
        time.sleep(0.005)
        sizes.append(len(works))

    sequencer = Sequencer(run, most=3)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(sequencer.submit, range(32)))
    assert max(sizes) <= 3
    assert sum(sizes) == 32


def test_a_writer_that_is_interrupted_while_it_waits_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def run(works: Sequence[str]) -> None:
        began.set()
        assert go_on.wait(5)
        done.extend(works)

    sequencer = Sequencer(run)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(sequencer.submit, "first")
        assert began.wait(5)
        with monkeypatch.context() as patch:

            def interrupted(self: object, mine: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(Sequencer, "_wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                sequencer.submit("second")
        last = pool.submit(sequencer.submit, "last")
        time.sleep(0.02)
        go_on.set()
        first.result(5)
        last.result(5)
    assert done == ["first", "last"]
    sequencer.submit("after")
    assert done[-1] == "after"
