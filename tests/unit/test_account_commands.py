"""`comity account …` and what `comity case show` says of following money across borders."""

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from comity.entrypoints.cli import app
from comity.entrypoints.cli.arguments import PASSWORD
from comity.law.chokes import piercing
from comity.model import ChokeKind, Role
from comity.node.bootstrap import utc_now
from comity.node.people import add_person
from tests.nodes.laws import refuses
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town

Run = Callable[..., Result]


@pytest.fixture
def run(town: Town, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call `comity` on the node of Hong Kong as its supervisor, or with the words as they are."""
    password = add_person(town[HK], "mei", Role.SUPERVISOR, actor="test")
    monkeypatch.setenv(PASSWORD, password)

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, list(words), env={"COLUMNS": "300"})

    return call


def test_mark_list_unmark(town: Town, run: Run) -> None:
    folder = str(town.folder / HK)
    done = run(
        "account",
        "mark",
        folder,
        "hk-1",
        "--kind",
        "omnibus",
        "--reason",
        "Client money",
        "--as",
        "mei",
        "--json",
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["kind"] == "omnibus"
    (listed,) = json.loads(run("account", "list", folder, "--json").stdout)
    assert (listed["account"], listed["reason"], listed["by"]) == ("hk-1", "Client money", "mei")
    assert listed["request"] == piercing(ChokeKind.OMNIBUS).request
    assert (
        run("account", "unmark", folder, "hk-1", "--reason", "We have its ledger", "--as", "mei").exit_code
        == 0
    )
    assert "No account" in run("account", "list", folder).stdout
    kinds = [event.kind for event in town.events(HK) if event.kind.startswith("account.")]
    assert kinds == ["account.marked", "account.unmarked"]


def test_a_case_shows_what_is_open_where_it_ends_and_what_it_took(town: Town, run: Run) -> None:
    folder = str(town.folder / HK)
    run("account", "mark", folder, "hk-2", "--kind", "mixer", "--reason", "A mixing service", "--as", "mei")
    town.law(TH, refuses("sovereignty"))
    town.clock.advance(seconds=(utc_now() - town.clock()).total_seconds())  # the command reads the real clock
    case = town.report()
    town.settle()
    shown = run("case", "show", str(town.folder / CA), case.id)
    assert shown.exit_code == 0, shown.output
    for words in ("Open", TH, "sovereignty", "Where tracing ends", "mixer", "asked in", "bytes"):
        assert words in shown.stdout, words
    said = json.loads(run("case", "show", str(town.folder / CA), case.id, "--json").stdout)
    (part,) = said["open_parts"]
    assert (part["peer"], part["code"], part["amounts"][0]["minor"]) == (TH, "refused", 300_000)
    assert part["since"]
    (choke,) = said["chokes"]
    assert (choke["account"], choke["kind"], choke["told_by"]) == ("hk-2", "mixer", HK)
    assert choke["request"]
    assert said["federation"]["rounds"] == 2
    assert said["federation"]["messages"] == said["federation"]["sent"] + said["federation"]["received"]
    assert said["federation"]["bytes"] > 0


@pytest.mark.parametrize("kind", list(ChokeKind))
def test_every_kind_says_what_would_pierce_it(kind: ChokeKind) -> None:
    way = piercing(kind)
    assert way.kind is kind
    assert all((way.meaning, way.request, way.addressee, way.basis, way.source))
    assert way.confidence in ("high", "medium", "low")
