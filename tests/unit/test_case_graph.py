"""A case's graph and the request to recall what is held, as commands on a node, and what obligations say to them."""

from typing import Any

import networkx  # type: ignore[import-untyped] # it has no types
import pytest
from lxml import etree
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.node import bootstrap
from comity.node.handling.gate import HandlingForbids
from tests.nodes.story import CA, HK
from tests.nodes.town import Town


@pytest.fixture
def told(held: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Commands see the town's time."""
    now: Any = lambda: held.clock()  # noqa: E731 - stands in for a function
    monkeypatch.setattr(bootstrap, "utc_now", now)
    return held


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_the_graph_of_a_case_is_what_its_page_shows(told: Town) -> None:
    file = told.folder / "case.graphml"
    done = run("case", "graph", str(told.folder / CA), told.case(CA).id, "--out", str(file))
    assert done.exit_code == 0, done.output
    graph = networkx.read_graphml(file, force_multigraph=True)
    assert "hk-1" in graph.nodes
    assert graph.number_of_edges() > 0
    assert all(data["stolen_minor"] > 0 for _, _, data in graph.edges(data=True))
    written = told.events(CA, "case.graph-written")[-1]
    assert written.body["recipient"] == CA
    assert told.events(CA, "case.read")


def test_an_unknown_format_is_refused_before_anything_is_read(told: Town) -> None:
    before = len(told.events(CA, "case.read"))
    done = run("case", "graph", str(told.folder / CA), told.case(CA).id, "--to", "dot", "--out", "x")
    assert "graphml, gexf, csv, ftm" in str(done.exception)
    assert len(told.events(CA, "case.read")) == before


def test_a_graph_for_somebody_else_is_a_disclosure(told: Town) -> None:
    """What Canada told Hong Kong is for members: nobody else gets the file, and that is recorded."""
    file = told.folder / "case.graphml"
    words = ("case", "graph", str(told.folder / HK), told.case(HK).id, "--out", str(file), "--for")
    done = run(*words, "a newspaper")
    assert isinstance(done.exception, HandlingForbids)
    assert not file.exists()
    assert told.events(HK, "handling.forbidden")[-1].body["recipient"] == "a newspaper"
    assert run(*words, CA).exit_code == 0
    assert told.events(HK, "case.graph-written")[-1].body["recipient"] == CA


def hold_of(town: Town, node: str) -> Any:
    with town.looking(node) as tx:
        return next(one for one in tx.holds.all() if one.holder == node)


def test_a_request_to_recall_names_the_payments_that_led_to_the_hold(told: Town) -> None:
    hold = hold_of(told, HK)
    file = told.folder / "recall.xml"
    done = run("hold", "recall", str(told.folder / HK), hold.id, "--for", CA, "--out", str(file))
    assert done.exit_code == 0, str(done.exception)
    root = etree.fromstring(file.read_bytes())
    said = {etree.QName(one).localname: one.text for one in root.iter()}
    book = {row["transfer_id"]: row for row in told[HK].book.table().to_pylist()}
    payment = book[str(said["OrgnlTxId"])]
    assert (payment["to_account"], said["Cd"]) == (hold.account, "FRAD")
    assert said["OrgnlIntrBkSttlmAmt"] == f"{payment['amount_minor'] / 100:.2f}"
    assert told.events(HK, "hold.recall-written")[-1].body["hold"] == hold.id


def test_a_recall_for_outsiders_waits_for_consent(told: Town) -> None:
    hold = hold_of(told, HK)
    file = told.folder / "recall.xml"
    done = run("hold", "recall", str(told.folder / HK), hold.id, "--out", str(file))
    assert isinstance(done.exception, HandlingForbids)
    assert not file.exists()
