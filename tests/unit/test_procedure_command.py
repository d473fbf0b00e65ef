"""`comity procedure`: as tables, as a diagram, as JSON and as a PDF that is the same every time."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.entrypoints.cli.terminal import out
from comity.errors import Conflict, InputError, NotFound
from comity.law import all_procedures, procedure
from comity.node.letters.declared import procedure_pdf


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console takes its width once, from whatever test first wrote to it."""
    monkeypatch.setattr(out, "_width", 160)


def _said(*words: str) -> str:
    done = CliRunner().invoke(app, ["procedure", *words], catch_exceptions=False, env={"COLUMNS": "160"})
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list_names_every_procedure() -> None:
    said = _said("list")
    rows = json.loads(_said("list", "--json"))
    assert [row["name"] for row in rows] == [one.name for one in all_procedures()]
    assert [row["digest"] for row in rows] == [one.digest for one in all_procedures()]
    assert all(one.name in said for one in all_procedures())


@pytest.mark.parametrize("name", ["mla", "urgent_freeze"])
def test_tables_say_states_events_guards_and_grounds(name: str) -> None:
    said, one = _said("show", name), procedure(name)
    events = {move.event for move in one.transitions}
    codes = {ground.code for ground in one.refusals}
    assert all(part in said for part in (*one.states, *events, *one.guards, *codes))


def test_the_diagram_is_mermaid_and_nothing_else() -> None:
    said = _said("show", "handover", "--format", "mermaid")
    assert said.startswith("stateDiagram-v2\n")
    assert "```" not in said
    assert "cleared --> handed_over : hand_over" in said


def test_json_holds_the_whole_object() -> None:
    found = json.loads(_said("show", "extradition", "--json"))
    assert found["sides"] == "two"
    assert found["final"] == sorted(procedure("extradition").final)
    assert len(found["transitions"]) == len(procedure("extradition").transitions)
    assert found["mermaid"].startswith("```mermaid")


def test_the_pdf_is_the_same_every_time_and_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "complaint.pdf"
    _said("show", "complaint", "--format", "pdf", "--output", str(file))
    assert file.read_bytes() == procedure_pdf(procedure("complaint"))
    assert file.read_bytes().startswith(b"%PDF-")
    done = CliRunner().invoke(app, ["procedure", "show", "complaint", "--format", "pdf", "-o", str(file)])
    assert isinstance(done.exception, Conflict) or done.exit_code != 0


@pytest.mark.parametrize(
    ("words", "error"),
    [(["show", "nothing"], NotFound), (["show", "mla", "--output", "x.pdf"], InputError)],
)
def test_what_is_wrong_is_said(words: list[str], error: type[Exception]) -> None:
    done = CliRunner().invoke(app, ["procedure", *words])
    assert isinstance(done.exception, error) or done.exit_code != 0
