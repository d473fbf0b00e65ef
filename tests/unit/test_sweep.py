"""Deadlines come due by themselves: once, at their time, whatever else is in trouble."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from comity.casework import Deadline
from comity.errors import Conflict, StorageError
from comity.model import Role
from comity.node import ask, hold
from comity.node import trace as tracing
from comity.node.hold import decide_hold
from comity.node.pages.desk import NodeDesk
from comity.node.run import work
from comity.node.sweep import sweep
from tests.nodes.story import CA, HK, TH, row
from tests.nodes.town import Town, counts

ORDER = {"order": {"court": "Court of First Instance", "reference": "HCMP 1201/2026"}}


def held_by_partners(town: Town) -> int:
    page = NodeDesk(town[CA]).public()
    (figure,) = (one for one in page.figures if one.key == "held_by_partners")
    return sum(amount.minor for amount in figure.amounts)


def test_an_unconfirmed_hold_lapses_at_its_deadline_and_not_before(held: Town) -> None:
    one = held.hold_on("hk-2")
    assert one.lapses_at - one.placed_at < timedelta(hours=72, seconds=1)
    held.clock.advance(seconds=(one.lapses_at - held.clock()).total_seconds() - 1)
    sweep(held[HK])
    assert held.hold_on("hk-2").state == "held"
    held.clock.advance(seconds=1)
    sweep(held[HK])
    assert held.hold_on("hk-2").state == "lapsed"


def test_a_lapse_happens_once_and_is_told_to_the_origin(held: Town) -> None:
    before = held_by_partners(held)
    assert before > 0
    held.clock.advance(hours=73)
    held.settle()
    held.settle()
    for node_id in (HK, TH):
        lapsed = counts(held.events(node_id, "hold.lapsed"), "hold")
        assert set(lapsed.values()) == {1}
        assert len(lapsed) == len(held.holds(node_id))
    assert {one.state for one in held.holds(CA, own=False)} == {"lapsed"}
    assert held_by_partners(held) == 0
    told = [event for event in held.events(CA, "hold.told") if event.body["state"] == "lapsed"]
    assert set(counts(told, "hold").values()) == {1}


def test_two_workers_let_it_lapse_once(held: Town) -> None:
    held.clock.advance(hours=73)
    workers = [threading.Thread(target=sweep, args=(held[HK],)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(counts(held.events(HK, "hold.lapsed"), "hold").values()) == {1}


def test_a_reminder_ends_nothing(held: Town) -> None:
    held.clock.advance(hours=49)
    held.settle()
    assert len(held.events(HK, "hold.order-reminder")) == len(held.holds(HK)) > 0
    assert len(held.events(HK, "hold.notice-overdue")) == len(held.holds(HK))
    assert {one.state for one in held.holds(HK)} == {"held"}
    assert held_by_partners(held) > 0


def test_an_ordered_hold_outlives_the_72_hours(held: Town) -> None:
    one = held.hold_on("hk-2")
    decide_hold(held[HK], one.id, "order", ORDER, person=held.person(HK, Role.PROSECUTOR))
    held.clock.advance(hours=73)
    held.settle()
    assert held.hold_on("hk-2").state == "ordered"
    assert held.hold_on("hk-1").state == "lapsed"
    told = {hold.id: hold.state for hold in held.holds(CA, own=False)}
    assert told[one.id] == "ordered"


def test_an_order_ends_by_itself_too(held: Town) -> None:
    one = held.hold_on("hk-2")
    decide_hold(held[HK], one.id, "order", ORDER, person=held.person(HK, Role.PROSECUTOR))
    held.clock.advance(days=91)
    held.settle()
    assert held.hold_on("hk-2").state == "lapsed"


def test_an_order_after_the_deadline_comes_too_late(held: Town) -> None:
    """The node was not running when the term ended: nobody confirms what has run out, swept or not."""
    one = held.hold_on("hk-2")
    held.clock.advance(hours=73)
    with pytest.raises(Conflict, match="run out"):
        decide_hold(held[HK], one.id, "order", ORDER, person=held.person(HK, Role.PROSECUTOR))
    held.settle()
    assert held.hold_on("hk-2").state == "lapsed"


def test_a_deadline_row_says_which_rule_set_it(held: Town) -> None:
    one = held.hold_on("hk-2")
    with held.looking(HK) as tx:
        rows = {row.event: row for row in tx.deadlines.of_subject("hold", one.id)}
    assert rows["lapse"].rule == "urgent_freeze/1/hold-lapse"
    assert rows["lapse"].due_at == one.lapses_at
    assert rows["lapse"].source == "node.toml"


# --- trouble elsewhere does not keep a hold from lapsing ---------------------------------------------


def test_a_case_that_cannot_be_followed_holds_up_nothing(held: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    held.give(row("U-01", 20, "hk-shop>hk-9", 5_000))
    stuck = held.report(HK, report_id="R-2", transfers=["U-01"])
    real = tracing.trace_case

    def trace_case(node: Any, case: Any, inflows: Any) -> Any:
        if case.id == stuck.id:
            raise ZeroDivisionError("a bug of ours")
        return real(node, case, inflows)

    monkeypatch.setattr(ask, "trace_case", trace_case)
    held.clock.advance(hours=73)
    work(held[HK])
    assert {one.state for one in held.holds(HK)} == {"lapsed"}
    (alarm,) = held.events(HK, "alarm.case-stuck")
    assert (alarm.case_id, alarm.body["fault"]) == (stuck.id, "ZeroDivisionError")
    assert work(held[HK]) in (True, False)
    assert len(held.events(HK, "alarm.case-stuck")) == 1


def test_one_deadline_that_cannot_be_handled_holds_up_no_other(
    held: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, real = held.hold_on("hk-1"), hold.advance

    def advance(node: Any, tx: Any, one: Any, *rest: Any, **more: Any) -> Any:
        if one.id == broken.id:
            raise KeyError("a bug of ours")
        return real(node, tx, one, *rest, **more)

    monkeypatch.setattr(hold, "advance", advance)
    held.clock.advance(hours=73)
    sweep(held[HK])
    assert held.hold_on("hk-2").state == "lapsed"
    assert {event.body["subject_id"] for event in held.events(HK, "alarm.deadline-stuck")} == {broken.id}


def test_a_full_disk_loses_no_deadline(held: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lapse is tried again when there is room, not marked as done."""

    def refuse(*_: Any, **__: Any) -> None:
        raise StorageError("the disk is full")

    held.clock.advance(hours=73)
    with monkeypatch.context() as broken:
        broken.setattr(hold, "advance", refuse)
        with pytest.raises(StorageError):
            sweep(held[HK])
    sweep(held[HK])
    assert {one.state for one in held.holds(HK)} == {"lapsed"}
    assert held.events(HK, "alarm.deadline-stuck") == []


def test_a_deadline_of_something_that_is_not_there_is_an_alarm(town: Town) -> None:
    now = town.clock()
    with town[HK].records.transaction() as tx:
        tx.deadlines.add(
            Deadline(
                id="deadline-x", subject="hold", subject_id="hold-nowhere", rule="urgent_freeze/1/hold-lapse",
                event="lapse", kind="T", source="test", set_at=now, due_at=now, state="pending",
            )
        )  # fmt: skip
    assert sweep(town[HK]) == 1
    assert sweep(town[HK]) == 0
    assert len(town.events(HK, "alarm.deadline-stuck")) == 1


def test_looking_for_deadlines_uses_an_index(town: Town) -> None:
    """The sweeper looks ten times a second: never through the whole table."""
    with town[HK].records._engine.connect() as connection:
        plan = connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT * FROM deadlines WHERE state='pending' AND due_at <= 'x' ORDER BY due_at"
            )
        ).all()
    assert "ix_deadlines_state_due_at" in str(plan)
