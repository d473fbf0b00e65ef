"""`comity person …` and `comity node policies`, as somebody types them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from comity.entrypoints.cli import app
from comity.law import Action, default_policies
from comity.model import Role
from comity.node import bootstrap
from comity.node.bootstrap import open_node
from comity.node.people import add_person
from comity.node.policy import require_with_matter
from tests.nodes.story import CA
from tests.nodes.town import Town


@pytest.fixture
def words(town: Town, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Passwords; commands see the town's time."""
    now: Any = lambda: town.clock()  # noqa: E731 - stands in for a function
    monkeypatch.setattr(bootstrap, "utc_now", now)
    return {
        name: add_person(town[CA], name, role, actor="test")
        for name, role in (("ada", Role.ADMINISTRATOR), ("lok", Role.SUPERVISOR))
    }


def run(town: Town, *line: str, password: str = "") -> Result:
    return CliRunner().invoke(app, [*line], env={"COMITY_PASSWORD": password} if password else {})


def read(result: Result) -> Any:
    assert result.exit_code == 0, result.output + str(result.exception)
    return json.loads(result.stdout)


def test_from_adding_a_second_account_to_removing_it(town: Town, words: dict[str, str]) -> None:
    ca = str(town.folder / CA)
    mei = read(run(town, "person", "add", ca, "mei", "--role", "analyst", "--human", "P-7", "--json"))
    assert (mei["human"], mei["other_accounts"]) == ("P-7", [])
    second = run(town, "person", "add", ca, "mei.duty", "--role", "border-officer", "--human", "P-7")
    assert "P-7 also has the account mei (analyst)" in second.output

    ends = f"{town.clock():%Y-%m-%d}T23:59"
    named = run(
        town, "person", "deputise", ca, "mei", "--for", "lok", "--until", ends, "--as", "ada", password=words["ada"]
    )  # fmt: skip
    assert named.exit_code == 0, named.output
    assert 'signed in as "mei for lok"' in named.output
    listed = {one["name"]: one for one in read(run(town, "person", "list", ca, "--json"))}
    assert [one["name"] for one in listed["mei"]["deputy_for"]] == ["lok"]
    assert listed["mei.duty"]["human"] == "P-7"
    assert "lok until" in run(town, "person", "list", ca).output

    marking = [
        "account",
        "mark",
        ca,
        "ca-firm",
        "--kind",
        "omnibus",
        "--reason",
        "pooled",
        "--as",
        "mei for lok",
    ]
    assert run(town, *marking, password=mei["password"]).exit_code == 0
    assert town.events(CA, "account.marked")[0].actor == "mei for lok"

    ended = run(town, "person", "end-deputy", ca, "mei", "--for", "lok", "--as", "ada", password=words["ada"])
    assert ended.exit_code == 0, ended.output
    assert "expected a deputy of lok now" in str(run(town, *marking, password=mei["password"]).exception)

    removed = run(town, "person", "remove", ca, "mei", "--as", "ada", password=words["ada"])
    assert removed.exit_code == 0, removed.output
    assert "mei" not in {one["name"] for one in read(run(town, "person", "list", ca, "--json"))}


@pytest.mark.parametrize("until", ["soon", "2026-13-01", "", "24 h"])
def test_a_date_that_is_none(town: Town, words: dict[str, str], until: str) -> None:
    ca = str(town.folder / CA)
    line = ["person", "deputise", ca, "ada", "--for", "lok", "--until", until, "--as", "ada"]
    done = run(town, *line, password=words["ada"])
    assert "expected a date" in str(done.exception)


@pytest.fixture
def old(town: Town) -> Path:
    """CA as it was founded before there were matters and deputies."""
    home = town.folder / CA
    for name in default_policies():
        if name not in ("people.cedar", "standing.cedar"):
            (home / "policy" / name).unlink()
    return home


def test_an_old_node_says_what_it_permits_to_nobody_and_how_to_add_it(town: Town, old: Path) -> None:
    said = read(run(town, "node", "policies", str(old), "--json"))
    assert {"open_matter", "manage_deputies"} <= set(said["permitted_to_nobody"])
    assert said["ships"]["matters.cedar"] == ["open_matter", "read_matter", "decide_matter", "extend_matter"]
    shown = " ".join(run(town, "node", "policies", str(old)).output.split())
    assert "permitted to nobody: open_matter" in shown
    assert "--add matters.cedar" in shown
    for file in said["ships"]:
        assert run(town, "node", "policies", str(old), "--add", file).exit_code == 0
    assert read(run(town, "node", "policies", str(old), "--json"))["permitted_to_nobody"] == []
    assert "permitted to somebody" in run(town, "node", "policies", str(old)).output
    supervisor = town.person(CA, Role.SUPERVISOR)
    require_with_matter(
        open_node(old),
        Action.OPEN_MATTER,
        procedure="mla",
        side="requesting",
        drafted_by="",
        person=supervisor,
    )
    assert [event.body["file"] for event in town.events(CA, "policies.added")] == list(said["ships"])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("people.cedar", "a node without"),
        ("floor.cedar", "one of"),
        ("../people.cedar", "one of"),
        ("x", "one of"),
    ],
)
def test_only_what_ships_and_is_not_there_is_added(town: Town, old: Path, file: str, said: str) -> None:
    assert said in str(run(town, "node", "policies", str(old), "--add", file).exception)


def test_a_file_whose_policies_are_there_under_another_name_is_refused(town: Town, old: Path) -> None:
    (old / "policy" / "ours.cedar").write_text(default_policies()["matters.cedar"])
    done = run(town, "node", "policies", str(old), "--add", "matters.cedar")
    assert "twice" in str(done.exception)
    assert not (old / "policy" / "matters.cedar").exists()
    shutil.rmtree(old / "policy")
