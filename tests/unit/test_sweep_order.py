"""The sweeper keeps the order of the clock, also for what it brings about itself, and reminds and escalates."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from comity.backends.sql import Transaction
from comity.casework import Deadline
from comity.entrypoints.cli import app
from comity.law import procedure
from comity.model import Event
from comity.node import bootstrap, hold, sweep
from comity.node.bootstrap import Node
from tests.nodes.matters import Ends
from tests.nodes.story import HK
from tests.nodes.town import Town

HOUR = timedelta(hours=1)


def row(
    name: str, due_at: datetime, *, subject: str = "thing", event: str = "happen", **more: Any
) -> Deadline:
    return Deadline(
        id=f"deadline-{name}", subject=subject, subject_id=f"thing-{name}", rule=f"test/1/{name}", event=event,
        kind="T", source="test", set_at=due_at, due_at=due_at, state="pending", **more,
    )  # fmt: skip


def put(town: Town, *rows: Deadline) -> None:
    with town[HK].records.transaction() as tx:
        for one in rows:
            tx.deadlines.add(one)


def handle(monkeypatch: pytest.MonkeyPatch, come_due: Callable[[Node, Transaction, Deadline], None]) -> None:
    """Let a kind of subject have deadlines for the length of a test."""
    thing = sweep.Handler(come_due, lambda *_: "case-of-thing")
    monkeypatch.setattr(sweep, "HANDLERS", {**sweep.HANDLERS, "thing": thing})


def passed(town: Town) -> list[str]:
    return [one.body["rule"].rpartition("/")[2] for one in town.events(HK, "deadline.passed")]


def test_what_a_node_missed_comes_due_in_the_order_of_the_clock_with_what_follows_from_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third is set by the first, an hour after it: before the second, which was there long ago."""
    start = town.clock()

    def come_due(_node: Node, tx: Transaction, one: Deadline) -> None:
        if one.subject_id == "thing-first":
            tx.deadlines.add(row("followed", one.due_at + HOUR))
        if one.subject_id == "thing-followed":
            tx.deadlines.add(row("not-yet", one.due_at + 100 * HOUR))

    handle(monkeypatch, come_due)
    put(town, row("second", start + 2 * HOUR), row("first", start), row("later", start + 50 * HOUR))
    town.clock.advance(hours=10)
    assert [one.did for one in sweep.swept(town[HK])] == ["fired"] * 3
    assert passed(town) == ["first", "followed", "second"]
    assert sweep.sweep(town[HK]) == 0


def test_what_follows_a_lapse_counts_from_the_lapse_and_not_from_when_the_node_woke(held: Town) -> None:
    one, node = held.hold_on("hk-2"), held[HK]
    with held.looking(HK) as tx:
        reminder = next(
            due for due in tx.deadlines.of_subject("hold", one.id) if due.event == "order_reminder"
        )
    late = replace(
        node.procedures[hold.PROCEDURE],
        deadlines=tuple(
            replace(rule, working_days=1, after=timedelta(0)) if rule.rule == "order-lapse" else rule
            for rule in node.procedures[hold.PROCEDURE].deadlines
        ),
    )
    node.procedures = {**node.procedures, hold.PROCEDURE: late}
    held.clock.advance(days=300)
    with node.records.transaction() as tx:
        order = {"order": {"court": "x", "reference": "y"}}
        hold.advance(node, tx, one, "order", order, actor="test", since=reminder.due_at)
        found = {due.event: due for due in tx.deadlines.of_subject("hold", one.id)}
    ordered = found["order_lapses"]
    assert ordered.set_at == reminder.due_at
    assert ordered.due_at < reminder.due_at + timedelta(days=12)
    assert "calendar HK, holidays" in ordered.source


def test_order_and_no_repeat_over_many(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    handle(monkeypatch, lambda *_: None)
    start = town.clock()
    put(town, *(row(f"{number:02}", start + (number * 37 % 50) * HOUR) for number in range(50)))
    town.clock.advance(hours=60)
    assert sweep.sweep(town[HK]) == 50
    events: list[Event] = town.events(HK, "deadline.passed")
    times = [one.body["due_at"] for one in events]
    assert all(before <= after for before, after in pairwise(times))
    assert len({one.body["rule"] for one in events}) == 50


def test_the_role_that_is_to_know_is_told_in_the_transaction_of_the_passing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle(monkeypatch, lambda *_: None)
    put(town, row("late", town.clock(), escalate="supervisor"), row("quiet", town.clock()))
    sweep.sweep(town[HK])
    (told,) = town.events(HK, "deadline.escalated")
    assert (told.case_id, told.body["role"], told.body["rule"]) == (
        "case-of-thing",
        "supervisor",
        "test/1/late",
    )
    assert len(passed(town)) == 2


def test_a_firing_that_fails_tells_nobody_of_an_escalation(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def come_due(*_: Any) -> None:
        raise KeyError("a bug of ours")

    handle(monkeypatch, come_due)
    put(town, row("late", town.clock(), escalate="supervisor"))
    assert [one.did for one in sweep.swept(town[HK])] == ["stuck"]
    assert town.events(HK, "deadline.escalated") == []
    assert len(town.events(HK, "alarm.deadline-stuck")) == 1


def test_a_reminder_reminds_only_of_what_still_runs(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    handle(monkeypatch, lambda *_: None)
    now = town.clock()
    main = row("main", now + 24 * HOUR, escalate="supervisor")
    reminder = replace(main, id="deadline-r", rule=f"{main.rule}/remind", event="", due_at=now, escalate="")
    orphan = replace(reminder, id="deadline-o", rule="test/1/met/remind")
    put(town, main, reminder, orphan)
    assert [one.did for one in sweep.swept(town[HK])] == ["reminded"] * 2
    (told,) = town.events(HK, "deadline.reminded")
    assert (told.body["rule"], told.body["due_at"]) == ("test/1/main", main.due_at.isoformat())
    assert passed(town) == []


def test_a_subject_that_nobody_handles_is_an_alarm(town: Town) -> None:
    put(town, row("x", town.clock(), subject="unheard-of"))
    assert [one.did for one in sweep.swept(town[HK])] == ["stuck"]
    (alarm,) = town.events(HK, "alarm.deadline-stuck")
    assert "expected one of hold" in alarm.body["problem"]


def test_the_next_deadline_is_found_in_the_index_without_sorting(town: Town) -> None:
    query = "SELECT * FROM deadlines WHERE state='pending' AND due_at <= 'x' ORDER BY due_at, id LIMIT 1"
    with town[HK].records._engine.connect() as connection:
        plan = str(connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())
    assert "ix_deadlines_state_due_at_id" in plan
    assert "TEMP B-TREE" not in plan


# --- commands ---------------------------------------------------------------------------------------------


def test_the_commands_show_what_runs_and_fire_what_is_over(
    held: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    now: Any = lambda: held.clock()  # noqa: E731 - stands in for a function
    monkeypatch.setattr(bootstrap, "utc_now", now)
    folder, one = str(held.folder / HK), held.hold_on("hk-2")
    said = CliRunner(env={"COLUMNS": "250"}).invoke(app, ["deadline", "list", folder])
    assert said.exit_code == 0, said.output
    listed = CliRunner().invoke(app, ["deadline", "list", folder, "--json"]).output
    assert "urgent_freeze/1/hold-lapse" in listed
    assert one.id in listed
    assert "calendar HK, holidays" in said.output
    overdue = CliRunner().invoke(app, ["deadline", "list", folder, "--overdue", "--json"])
    assert overdue.output.strip() == "[]"
    held.clock.advance(hours=73)
    overdue = CliRunner().invoke(app, ["deadline", "list", folder, "--overdue", "--json"])
    assert one.id in overdue.output
    assert one.case_id in overdue.output
    swept = CliRunner().invoke(app, ["deadline", "sweep", folder])
    assert swept.exit_code == 0, swept.output
    assert "fired  urgent_freeze/1/hold-lapse" in swept.output
    assert held.hold_on("hk-2").state == "lapsed"
    again = CliRunner().invoke(app, ["deadline", "sweep", folder, "--json"])
    assert '"deadlines": []' in again.output
    past = CliRunner().invoke(app, ["deadline", "list", folder, "--past", "--json"])
    assert '"state": "passed"' in past.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["TH", "--from", "2026-04-10T10:00+07:00", "--term", "5 wd"], "2026-04-22 24:00 Asia/Bangkok"),
        (["TH", "--from", "2026-04-10T10:00+07:00", "--term", "60 d"], "2026-06-09 10:00 Asia/Bangkok"),
        (["BN", "--from", "2027-03-08T10:00+08:00", "--term", "3 wd"], "counted as working though not known"),
        (["BN", "--year", "2026"], "weekend Friday and Sunday"),
        (["XX", "--year", "2026"], "expected one of CN"),
        (["TH"], "expected either --year"),
        (["TH", "--from", "2026-04-10", "--term", "5 wd"], "a time with its zone"),
        (["TH", "--from", "2026-04-10T10:00Z", "--term", "5 weeks"], "expected a term"),
        (["TH", "--year", "1"], "1990 to 2099"),
    ],
)
def test_the_calendar_can_be_asked(words: list[str], says: str) -> None:
    said = CliRunner(env={"COLUMNS": "250"}).invoke(app, ["law", "calendar", *words])
    assert says in f"{said.output}{said.exception or ''}".replace("\n", " ")


# --- matters ----------------------------------------------------------------------------------------------


def test_working_days_of_a_matter_are_those_of_the_side_that_leads_and_its_role_is_told(town: Town) -> None:
    ends = Ends(town, procedure("mla"))
    ends.go("sent")
    with town.looking(HK) as tx:
        rows = {one.name: one for one in tx.deadlines.of_subject("matter", ends.id)}
    counted = [one for one in rows.values() if "calendar HK, holidays" in one.source and not one.reminds_of]
    assert counted, rows
    assert all(one.due_at.hour == 16 for one in counted)  # midnight in Hong Kong
    told = [one for one in rows.values() if one.escalate]
    assert told
    town.clock.advance(hours=24 * 60)
    sweep.sweep(town[HK])
    roles = {(one.body["rule"], one.body["role"]) for one in town.events(HK, "deadline.escalated")}
    assert {(one.rule, one.escalate) for one in told if one.due_at <= town.clock()} <= roles
    assert {one.case_id for one in town.events(HK, "deadline.escalated")} == {ends.id}
