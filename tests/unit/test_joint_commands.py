"""The commands of joint work, as people type them, on two nodes and more."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.model import Role
from comity.node import bootstrap
from comity.node.people import add_person
from tests.nodes.joint import plan_document
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town
from tests.unit.test_team import CANARY, document

PHONE = "phone:+66 2 123 4567"


@pytest.fixture
def office(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Somebody called lau may decide at each node; commands see the town's time."""
    now: Any = lambda: town.clock()  # noqa: E731 - stands in for a function
    monkeypatch.setattr(bootstrap, "utc_now", now)
    for node_id in (CA, HK, TH):
        password = add_person(town[node_id], "lau", Role.SUPERVISOR, actor="test")
        monkeypatch.setenv(f"PASSWORD_{node_id}", password)
    return town


def comity(town: Town, node_id: str, command: str, *words: str, as_lau: bool = False, status: int = 0) -> Any:
    """Run it with `--json`, and again without where it only reads; what it said as JSON."""
    import os

    arguments = [*command.split(), str(town.folder / node_id), *words]
    environment = {"COMITY_PASSWORD": os.environ[f"PASSWORD_{node_id}"]}
    if not as_lau:
        plain = CliRunner().invoke(app, arguments, env=environment)
        assert plain.exit_code == status, plain.output + str(plain.exception)
        assert plain.output.strip()
    done = CliRunner().invoke(
        app, [*arguments, *(["--as", "lau"] if as_lau else []), "--json"], env=environment
    )
    assert done.exit_code == status or done.exception, done.output
    return json.loads(done.output) if done.exit_code == 0 else done.exception


def written(town: Town, name: str, value: object) -> str:
    file = Path(town.folder / name)
    file.write_text(yaml.safe_dump(value, default_style='"') if name.endswith(".yaml") else json.dumps(value))
    return str(file)


def test_two_nodes_find_the_same_target_and_agree(office: Town) -> None:
    cases = {
        node_id: office.report(node_id, transfers=[one]).id for node_id, one in ((CA, "T-01"), (TH, "T-05"))
    }
    for node_id, to in ((TH, []), (CA, ["--to", TH])):
        words = [cases[node_id], "--identifier", PHONE, "--purpose", "A raid", *to]
        comity(office, node_id, "deconflict check", *words, as_lau=True)
        office.settle()
    (hit,) = comity(office, CA, "deconflict list")["hits"]
    assert (hit["peer"], hit["stage"], hit["told"]) == (TH, "found", {})
    for node_id in (CA, TH):
        comity(
            office,
            node_id,
            "deconflict agree",
            hit["reference"],
            "--contact",
            f"Desk of {node_id}",
            as_lau=True,
        )
        office.settle()
    (hit,) = comity(office, CA, "deconflict list")["hits"]
    assert (hit["stage"], hit["told"]["case"], hit["told"]["contact"]) == (
        "exchanged",
        cases[TH],
        f"Desk of {TH}",
    )
    assert "secret" not in json.dumps(comity(office, CA, "deconflict list"))


def test_an_operation_from_plan_to_result(office: Town) -> None:
    plan = written(office, "plan.yaml", plan_document(office.clock()))
    made = comity(office, CA, "operation new", plan, as_lau=True)
    office.settle()
    for node_id in (CA, HK, TH):
        words = [made["operation"], "--authority", "Order 1", "--plan", made["plan"][:8]]
        assert comity(office, node_id, "operation go", *words, as_lau=True)["said"] == "go"
    office.settle()
    found = comity(office, TH, "operation show", made["operation"])
    assert found["state"] == "go"
    shown = (
        CliRunner()
        .invoke(
            app,
            ["operation", "show", str(office.folder / TH), made["operation"], "--zone", "America/Vancouver"],
        )
        .output
    )
    for clock in ("2026-03-04 16:00 +0700 Asia/Bangkok", "2026-03-04 01:00 -0800 America/Vancouver"):
        assert clock in shown
    office.clock.advance(days=3)
    words = [made["operation"], "--count", "screened=31", "--text", "All screened first."]
    comity(office, TH, "operation result", *words, as_lau=True)
    office.settle()
    (result,) = comity(office, HK, "operation list")[0]["results"]
    assert (result["member"], result["counts"]) == (TH, {"screened": 31})
    new = comity(office, CA, "operation new", written(office, "2.json", plan_document(office.clock())),
                 "--changes", made["operation"], as_lau=True)  # fmt: skip
    assert new["plan"] != made["plan"]
    comity(office, CA, "operation no-go", made["operation"], "--why", "Rain", as_lau=True)
    assert comity(office, CA, "operation show", made["operation"])["state"] == "no go"


def test_a_team_from_agreement_to_leaving(office: Town) -> None:
    made = comity(office, CA, "team new", written(office, "agreement.yaml", document()), as_lau=True)
    office.settle()
    for node_id in (CA, HK, TH):
        comity(office, node_id, "team sign", made["team"], "--digest", made["agreement"][:8], as_lau=True)
    office.settle()
    evidence = office.folder / "statement.pdf"
    evidence.write_bytes(b"statement")
    comity(
        office, TH, "team share", made["team"], "--title", "Statement", "--text", CANARY, "--evidence", str(evidence),
        as_lau=True,
    )  # fmt: skip
    comity(office, HK, "team sign", made["team"], "--until", "2026-12-31", as_lau=True)
    office.settle()
    found = comity(office, CA, "team show", made["team"])
    assert found["state"] == "in force"
    assert CANARY in json.dumps(found)
    assert found["heads"] == comity(office, HK, "team show", made["team"])["heads"]
    comity(office, TH, "team leave", made["team"], "--why", "Done", as_lau=True)
    office.settle()
    assert comity(office, CA, "team list")[0]["present"] == [CA, HK]
    comity(office, CA, "team share", made["team"], "--text", "Good.", "--evaluation", as_lau=True)


def test_what_is_not_there_is_said_with_what_to_do(office: Town) -> None:
    for command, kind in (("operation show", "operation"), ("team show", "team")):
        done = CliRunner().invoke(app, [*command.split(), str(office.folder / CA), f"{kind}-none"])
        assert done.exit_code != 0
        assert f"comity {kind} list" in str(getattr(done.exception, "next_step", ""))
    for command in ("operation list", "team list", "deconflict list"):
        assert comity(office, CA, command) in ([], {"hits": [], "rounds": [], "targets": []})
