"""Graphs of money as files: what networkx, igraph and the schemas of FollowTheMoney read out of them."""

import csv
import html
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import igraph  # type: ignore[import-untyped] # it has no types
import networkx  # type: ignore[import-untyped] # it has no types
import pytest
from lxml import etree
from typer.testing import CliRunner

from comity.backends.graphs import Account, Amount, Graph, Movement, graph_bytes, graph_of_trace, written
from comity.entrypoints.cli import app
from comity.errors import InputError

DOCS = Path(__file__).parents[2] / "docs" / "examples"
IBAN = "DE89370400440532013000"
GRAPH = Graph(
    accounts=(
        Account(id=IBAN, kind="account", institution="COBADEFFXXX", country="DE"),
        Account(
            id='B & "Söhne"\x01', kind="cash", institution="A Bank", resting=(Amount(minor=1250, currency="EUR"),),
            held=(Amount(minor=7, currency="XYZ"),),
        ),
    ),
    movements=(
        Movement(
            id="T1", source=IBAN, target='B & "Söhne"\x01', stolen=Amount(minor=1250, currency="EUR"),
            whole=Amount(minor=2**63 - 1, currency="EUR"), at=datetime(2025, 6, 1, 2, tzinfo=UTC),
        ),
        Movement(id="T2", source=IBAN, target='B & "Söhne"\x01', stolen=Amount(minor=1, currency="XYZ"), bookings=3),
    ),
    assets={},
)  # fmt: skip
B = 'B & "Söhne"�'


def one(name: str) -> bytes:
    (content,) = graph_bytes(GRAPH, name).values()
    return content


def test_graphml_as_networkx_reads_it() -> None:
    graph = networkx.read_graphml(io.BytesIO(one("graphml")), force_multigraph=True)
    assert set(graph.nodes) == {IBAN, B}
    assert graph.nodes[B] == {
        "kind": "cash",
        "institution": "A Bank",
        "resting": "EUR 12.50",
        "held": "XYZ 7 minor units",
    }
    edges = {key: data for _, _, key, data in graph.edges(keys=True, data=True)}
    assert edges["T1"] == {
        "booked_at": "2025-06-01T02:00:00.000000Z", "currency": "EUR", "amount_minor": 2**63 - 1, "stolen_minor": 1250,
        "stolen": "12.50", "bookings": 1,
    }  # fmt: skip
    assert edges["T2"] == {"currency": "XYZ", "stolen_minor": 1, "bookings": 3}


def test_graphml_as_igraph_reads_it(tmp_path: Path) -> None:
    (tmp_path / "g.graphml").write_bytes(one("graphml"))
    graph = igraph.Graph.Read_GraphML(str(tmp_path / "g.graphml"))
    assert (graph.vcount(), graph.ecount(), graph.is_directed()) == (2, 2, True)
    assert [html.unescape(name) for name in graph.vs["id"]] == [IBAN, B], "igraph leaves & as a reference"


def test_gexf_as_networkx_reads_it() -> None:
    """networkx knows 1.2; what is used here is the same there but for the namespace."""
    older = (
        one("gexf")
        .replace(b"http://gexf.net/1.3", b"http://www.gexf.net/1.2draft")
        .replace(b'"1.3"', b'"1.2"')
    )
    graph = networkx.read_gexf(io.BytesIO(older))
    assert set(graph.nodes) == {IBAN, B}
    assert graph.nodes[B]["resting"] == "EUR 12.50"
    assert sorted(data["stolen_minor"] for _, _, data in graph.edges(data=True)) == [1, 1250]


def test_gexf_is_of_version_1_3() -> None:
    root = etree.fromstring(one("gexf"))
    assert (root.tag, root.get("version")) == ("{http://gexf.net/1.3}gexf", "1.3")
    kinds = [edge.get("kind") for edge in root.iter("{http://gexf.net/1.3}edge")]
    assert kinds == ["T1", "T2"], "parallel edges need a kind each"


def test_tables(tmp_path: Path) -> None:
    files = written(GRAPH, "csv", tmp_path / "case.csv")
    assert [file.name for file in files] == ["case.accounts.csv", "case.movements.csv"]
    accounts, movements = (list(csv.DictReader(io.StringIO(file.read_bytes().decode()))) for file in files)
    assert [row["id"] for row in accounts] == [IBAN, 'B & "Söhne"\x01']
    assert movements[0]["amount_minor"] == str(2**63 - 1)


# FollowTheMoney, model of 2025: the properties of BankAccount and Payment, with those that they inherit from Thing,
# Value and Interval, that are used here. https://followthemoney.tech/explorer/schemata/Payment/
BANK_ACCOUNT = {"name", "accountNumber", "iban", "bic", "bankName", "country", "accountType", "summary"}
PAYMENT = {
    "payerAccount", "beneficiaryAccount", "amount", "currency", "date", "transactionNumber", "summary",
}  # fmt: skip


def test_follow_the_money() -> None:
    entities = [json.loads(line) for line in one("ftm").splitlines()]
    ids = {entity["id"]: entity["schema"] for entity in entities}
    assert list(ids.values()) == ["BankAccount", "BankAccount", "Payment", "Payment"]
    for entity in entities:
        assert set(entity["properties"]) <= (PAYMENT if entity["schema"] == "Payment" else BANK_ACCOUNT)
        assert all(
            isinstance(value, str) and value for values in entity["properties"].values() for value in values
        )
    first, second, paid, more = (entity["properties"] for entity in entities)
    assert (first["iban"], first["bic"], first["country"]) == ([IBAN], ["COBADEFFXXX"], ["de"])
    assert "iban" not in second
    assert second["bankName"] == ["A Bank"]
    assert second["summary"] == ["Stolen money resting here: EUR 12.50", "Under a hold: XYZ 7 minor units"]
    assert [ids[paid[side][0]] for side in ("payerAccount", "beneficiaryAccount")] == ["BankAccount"] * 2
    assert (paid["amount"], paid["date"]) == (["92233720368547758.07"], ["2025-06-01T02:00:00"])
    assert "amount" not in more


def test_an_iban_with_wrong_check_digits_is_none() -> None:
    wrong = Graph(accounts=(Account(id="DE88370400440532013000", kind="account"),), movements=(), assets={})
    (content,) = graph_bytes(wrong, "ftm").values()
    assert "iban" not in json.loads(content)["properties"]


def run(*words: str, given: str = "") -> Any:
    return CliRunner().invoke(app, list(words), input=given)


def test_a_trace_becomes_a_graph(tmp_path: Path) -> None:
    files = [str(DOCS / "transfers.csv"), "--report", str(DOCS / "report.json"), "--json"]
    traced = run("trace", *files)
    assert traced.exit_code == 0, traced.output
    trace = json.loads(traced.stdout)
    done = run("graph", "-", str(DOCS / "transfers.csv"), "--out", str(tmp_path / "g"), given=traced.stdout)
    assert done.exit_code == 0, done.output
    graph = networkx.read_graphml(tmp_path / "g", force_multigraph=True)
    found = {key: data["stolen_minor"] for _, _, key, data in graph.edges(keys=True, data=True)}
    assert found == {flow["transfer_id"]: flow["tainted_minor"] for flow in trace["flows"]}
    resting = {name for name, data in graph.nodes(data=True) if "resting" in data}
    assert resting == {holding["account"] for holding in trace["holdings"]}


@pytest.mark.parametrize(
    ("trace", "says"),
    [
        ({"flows": [], "holdings": 1}, "with holdings"),
        ({"flows": [{"transfer_id": 1, "tainted_minor": 1}], "holdings": []}, "with flows"),
        ({"flows": [{"transfer_id": "T", "tainted_minor": "1"}], "holdings": []}, "with flows"),
        ({"flows": [{"transfer_id": "T", "tainted_minor": 1}], "holdings": []}, "none with the id 'T'"),
    ],
)
def test_traces_that_are_none(trace: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        graph_of_trace(trace, lambda _: [], {})


def test_formats_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="graphml, gexf, csv, ftm"):
        written(GRAPH, "dot", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
