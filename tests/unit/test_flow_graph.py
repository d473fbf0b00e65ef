"""The way of the money as a graph, built from a real walk: whole, without loose ends, whatever happened."""

from comity.node.pages.views import FlowGraph, FlowKind, FlowState
from tests.nodes.laws import refuses
from tests.nodes.story import CA, HK, TH
from tests.nodes.town import Town


def graph(town: Town, node_id: str) -> FlowGraph:
    """The graph on the page of the node's only case; every link joins two of its nodes."""
    flow = town.case_page(node_id, town.case(node_id).id).flow
    names = [node.id for node in flow.nodes]
    assert len(names) == len(set(names))
    assert {end for link in flow.links for end in (link.source, link.target)} <= set(names)
    assert all(link.source != link.target for link in flow.links)
    assert all(link.amount.minor >= 0 for link in flow.links)
    return flow


def test_the_origin_sees_the_victim_and_everything_that_rests(held: Town) -> None:
    flow = graph(held, CA)
    nodes = {node.id: node for node in flow.nodes}
    assert [node.id for node in flow.nodes if node.kind is FlowKind.VICTIM] == ["ca-firm"]
    assert nodes["ph-wallet"].country == "PH"
    resting = {node.id: sum(one.minor for one in node.resting) for node in flow.nodes if node.resting}
    expected = {pot[0]: minor for pot, minor in held.found(held.case(CA).id).items()}
    expected.pop("ph-wallet")
    assert {name: minor for name, minor in resting.items() if name in expected} == expected
    held_there = {node.id for node in flow.nodes if node.held}
    assert held_there == {hold.account for node_id in (CA, HK, TH) for hold in held.holds(node_id)}


def test_an_asked_node_sees_its_own_part_only(held: Town) -> None:
    flow = graph(held, TH)
    accounts = {node.id for node in flow.nodes if node.kind is FlowKind.ACCOUNT}
    assert {"th-1", "th-2"} <= accounts
    assert not accounts & {"hk-1", "hk-2", "ca-firm", "ca-mule"}


def test_where_a_partner_refused_the_way_ends_visibly(town: Town) -> None:
    town.law(TH, refuses("sovereignty"))
    town.report()
    town.settle()
    states = {node.country: node.state for node in graph(town, CA).nodes}
    assert states["TH"] is FlowState.REFUSED


def test_a_partner_that_left_the_compact_stays_in_old_cases(held: Town) -> None:
    """Its answers were given; the page of the case still opens."""
    held.remove(TH)
    flow = graph(held, CA)
    assert {node.id for node in flow.nodes} >= {"th-1", "th-2"}
    page = held.case_page(CA, held.case(CA).id)
    assert {row.peer for row in page.requests} == {HK, TH}
