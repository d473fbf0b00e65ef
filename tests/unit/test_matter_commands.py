"""A request under a procedure from the command line, as people type it on both sides; plain and as JSON."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from comity.entrypoints.cli import app
from comity.errors import Conflict, InputError
from comity.law import procedure
from comity.model import Role
from comity.node import bootstrap
from comity.node.people import add_person
from tests.nodes.matters import facts_for, fields_of
from tests.nodes.story import CA, HK
from tests.nodes.town import Town

MLA = procedure("mla")


@pytest.fixture
def office(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """CA has a prosecutor and a central authority, HK a central authority; commands see the town's time."""
    for node_id, name, role in (
        (CA, "nadia", Role.PROSECUTOR), (CA, "imran", Role.CENTRAL_AUTHORITY), (HK, "mei", Role.CENTRAL_AUTHORITY),
    ):  # fmt: skip
        monkeypatch.setenv(f"PASSWORD_OF_{name}", add_person(town[node_id], name, role, actor="test"))
    monkeypatch.setattr(bootstrap, "utc_now", lambda: town.clock())
    return town


def run(town: Town, name: str, command: str, *words: str) -> Result:
    folder = str(town.folder / (HK if name == "mei" else CA))
    first, *rest = words
    line = ["request", command, folder, first, *rest, "--as", name]
    done = CliRunner().invoke(app, line, env={"COMITY_PASSWORD": os.environ[f"PASSWORD_OF_{name}"]})
    if done.exception is not None:
        raise done.exception
    return done


def test_from_draft_to_refusal(office: Town, tmp_path: Path) -> None:
    fields, submit = tmp_path / "fields.json", next(one for one in MLA.transitions if one.event == "submit")
    fields.write_text(json.dumps(fields_of(MLA)))
    stated = tmp_path / "submit.json"
    stated.write_text(json.dumps(facts_for(MLA, submit)))
    drafted = run(office, "nadia", "new", "mla", "--to", HK, "--facts", str(fields))
    assert "is drafted for" in drafted.output
    id_ = drafted.output.split()[0]
    assert id_.startswith("matter-")
    assert "is amended" in run(office, "nadia", "amend", id_, "--set", "urgent=true").output
    assert "is now review" in run(office, "nadia", "decide", id_, "submit", "--facts", str(stated)).output
    assert "is now sent" in run(office, "imran", "send", id_).output
    office.settle()
    there = json.loads(run(office, "mei", "show", id_, "--json").output)
    assert (there["state"], there["side"], there["facts"]["urgent"]) == ("sent", "requested", True)
    assert {one["event"] for one in there["openings"]} >= {"acknowledge"}
    run(office, "mei", "decide", id_, "acknowledge")
    with pytest.raises(Conflict, match="intend_refusal"):
        run(office, "mei", "refuse", id_, "--ground", "sovereignty", "--text", "why")
    run(office, "mei", "decide", id_, "intend_refusal", "--set", "intended.reason=essential interests")
    office.settle()
    views = run(office, "imran", "decide", id_, "give_views", "--set", "views.text=please reconsider")
    assert "is proposed to" in views.output
    office.settle()
    assert (
        "is now refused"
        in run(
            office, "mei", "refuse", id_, "--ground", "sovereignty", "--text", "essential interests"
        ).output
    )
    office.settle()
    assert json.loads(run(office, "imran", "show", id_, "--json").output)["state"] == "refused"


@pytest.mark.parametrize("words", [["urgent=yes"], ["basis=x"], ["nothing"], ["no_such_field=1"]])
def test_what_is_no_field_or_no_choice_is_refused(office: Town, words: list[str]) -> None:
    with pytest.raises(InputError, match="expected"):
        run(office, "nadia", "new", "mla", "--to", HK, "--set", *words)
