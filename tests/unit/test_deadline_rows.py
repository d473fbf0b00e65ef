"""What a step of a procedure makes of its rules: rows with the term, its calendar, its reminder and who is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import count
from typing import Any

from comity.casework import Deadline, Subject, move, start
from comity.law import Procedure, procedure

NOW = datetime(2026, 4, 10, 3, 0, tzinfo=UTC)
SUBJECT = Subject(kind="hold", id="hold-1")
FACTS: dict[str, Any] = {
    "ground": "R-1", "authority": "ca-centre", "own_case": True, "case_id": "case-1", "account": "hk-1",
    "institution": "Bank", "currency": "USD", "amount_minor": 5,
}  # fmt: skip


def freeze(rule: str, **changes: Any) -> Procedure:
    """The procedure of holds with one rule changed."""
    real = procedure("urgent_freeze")
    rules = [replace(one, **changes) if one.rule == rule else one for one in real.deadlines]
    return replace(real, deadlines=tuple(rules))


def ids() -> Any:
    numbers = count(1)
    return lambda kind: f"{kind}-{next(numbers)}"


def rows(one: Procedure, **more: Any) -> dict[str, Deadline]:
    made = start(one, SUBJECT, FACTS, now=NOW, new_id=ids(), **more).deadlines
    return {row.rule.split("/", 2)[2]: row for row in made}


def test_a_fixed_term_runs_through_weekends_and_holidays_and_names_no_calendar() -> None:
    triage = rows(freeze("triage"), jurisdiction="TH")["triage"]
    assert triage.due_at == NOW + timedelta(hours=1)
    assert "calendar" not in triage.source


def test_working_days_are_those_of_the_state_that_leads_and_the_calendar_stays_in_the_source() -> None:
    slow = freeze("triage", after=timedelta(0), working_days=5)
    songkran = rows(slow, jurisdiction="TH")["triage"]
    assert songkran.due_at == datetime(2026, 4, 22, 17, tzinfo=UTC)
    assert (
        songkran.source
        == f"{procedure('urgent_freeze').deadlines[0].source}; calendar TH, holidays {version('holidays')}"
    )
    assert rows(slow, jurisdiction="CN")["triage"].due_at == datetime(2026, 4, 17, 16, tzinfo=UTC)
    nowhere = rows(slow)["triage"]
    assert nowhere.due_at == datetime(2026, 4, 16, tzinfo=UTC)
    assert "every day counted" in nowhere.source


def test_a_reminder_is_a_row_of_its_own_that_changes_nothing() -> None:
    warned = rows(freeze("triage", remind=timedelta(minutes=20), escalate="supervisor"))
    main, reminder = warned["triage"], warned["triage/remind"]
    assert main.escalate == "supervisor"
    assert reminder.due_at == main.due_at - timedelta(minutes=20)
    assert (reminder.event, reminder.kind, reminder.escalate, reminder.source) == ("", "T", "", main.source)
    assert reminder.reminds_of == main.rule
    assert main.reminds_of == ""
    assert reminder.id != main.id


def test_a_reminder_of_a_term_shorter_than_its_warning_comes_at_once() -> None:
    warned = rows(freeze("triage", remind=timedelta(days=2)))
    assert warned["triage/remind"].due_at == NOW


def test_a_reminder_ends_with_its_deadline() -> None:
    warned = freeze("triage", remind=timedelta(minutes=20))
    moved = move(warned, SUBJECT, "requested", "place", FACTS, now=NOW, new_id=ids())
    assert moved.cleared == ("urgent_freeze/1/triage", "urgent_freeze/1/triage/remind")
    plain = move(freeze("triage"), SUBJECT, "requested", "place", FACTS, now=NOW, new_id=ids())
    assert plain.cleared == ("urgent_freeze/1/triage",)
