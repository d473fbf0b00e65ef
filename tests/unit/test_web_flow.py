"""The diagram of the money's way: shares add up, nothing is lost in "and n more", the SVG is safe and sound."""

import random
import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.entrypoints.web.flow_cards import CARD_H, CARD_W
from comity.entrypoints.web.flow_layout import CELL, lay_out
from comity.entrypoints.web.flow_shares import Whereabouts, shares_of, whereabouts
from comity.entrypoints.web.flow_svg import draw_flow, share_key
from comity.entrypoints.web.svg import fit
from comity.node.pages.views import Amount, FlowGraph, FlowKind, FlowLink, FlowNode, FlowState
from tests.browser.sample_case import FLOW, REPORTED_AT

COUNTRIES = ("CA", "HK", "TH", "KH", "SG")


def world(seed: int, nodes: int) -> FlowGraph:
    """A random way of money that conserves it: one victim, then every node paid by earlier ones."""
    chance = random.Random(seed)
    balance = {"n0": 1_000_000}
    made = [_node("n0", "CA", 0, kind=FlowKind.VICTIM)]
    links = []
    for place in range(1, nodes):
        source = chance.choice([name for name, amount in balance.items() if amount > 0])
        amount = chance.randint(1, balance[source])
        country = chance.choice(COUNTRIES)
        links.append(
            FlowLink(
                source=source,
                target=f"n{place}",
                amount=Amount(minor=amount, currency="CAD"),
                at=REPORTED_AT + timedelta(minutes=place),
                crossing=country != next(n.country for n in made if n.id == source),
            )
        )
        balance[source] -= amount
        balance[f"n{place}"] = amount
        made.append(_node(f"n{place}", country, place))
    rest = [
        replace(n, resting=(Amount(minor=balance[n.id], currency="CAD"),))
        if balance[n.id] and n.id != "n0"
        else n
        for n in made
    ]
    chance.shuffle(links)
    return FlowGraph(nodes=tuple(rest), links=tuple(links))


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - what we drew ourselves, never somebody else's XML


def _node(name: str, country: str, minute: int, kind: FlowKind = FlowKind.ACCOUNT) -> FlowNode:
    return FlowNode(
        id=name,
        kind=kind,
        account=f"ACC-{name}",
        institution="Bank",
        country=country,
        at=REPORTED_AT + timedelta(minutes=minute),
    )


@given(seed=st.integers(0, 10_000), nodes=st.integers(2, 60))
@settings(max_examples=40, deadline=None)
def test_shares_of_conserved_money_add_up_to_the_whole(seed: int, nodes: int) -> None:
    graph = world(seed, nodes)
    now = whereabouts(graph)
    assert now.resting == pytest.approx(1.0)
    taken = sum(link.amount.minor for link in graph.links if link.source == "n0")
    for ribbon in shares_of(graph):
        assert ribbon.share == pytest.approx(ribbon.link.amount.minor / taken)


@given(seed=st.integers(0, 10_000), nodes=st.integers(2, 90))
@settings(max_examples=40, deadline=None)
def test_gathering_loses_no_account_no_money_and_no_crowd_stays(seed: int, nodes: int) -> None:
    graph = world(seed, nodes)
    sheet = lay_out(graph)
    assert sum(place.stands_for for place in sheet.places) == nodes
    drawn = sum(amount.minor for place in sheet.places for amount in place.node.resting)
    assert drawn == sum(amount.minor for node in graph.nodes for amount in node.resting)
    cells = [(place.country, place.column, place.row) for place in sheet.places]
    assert len(set(cells)) == len(cells)
    assert all(row < CELL for _, _, row in cells)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_money_runs_to_the_right_where_nothing_returns(seed: int) -> None:
    sheet = lay_out(world(seed, 40))
    column = {place.node.id: place.column for place in sheet.places}
    assert all(column[r.link.source] < column[r.link.target] for r in sheet.ribbons)


def test_cards_of_a_sixty_node_diagram_stay_inside_and_apart() -> None:
    svg = parsed(draw_flow(world(7, 60), first_at=REPORTED_AT, title="t"))
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    boxes = [
        (float(box.attrib["x"]), float(box.attrib["y"]))
        for box in svg.iter("{http://www.w3.org/2000/svg}rect")
        if box.attrib.get("class") == "flow-box"
    ]
    assert len(boxes) > 10
    for place, (x, y) in enumerate(boxes):
        assert 0 <= x <= width - CARD_W
        assert 0 <= y <= height - CARD_H
        for other_x, other_y in boxes[place + 1 :]:
            assert abs(x - other_x) >= CARD_W or abs(y - other_y) >= CARD_H


def test_same_graph_same_drawing() -> None:
    again = FlowGraph(nodes=FLOW.nodes, links=FLOW.links)
    drawn = draw_flow(FLOW, first_at=REPORTED_AT, title="t")
    assert drawn == draw_flow(again, first_at=REPORTED_AT, title="t")


def test_sample_is_well_formed_named_and_without_anything_the_policy_forbids() -> None:
    text = str(draw_flow(FLOW, first_at=REPORTED_AT, title="The way of the money"))
    svg = parsed(text)
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"] == "flow-title flow-desc"
    assert {e.attrib.get("id") for e in svg.iter()} >= {"flow-title", "flow-desc", "flow-hatch"}
    for element in svg.iter():
        for name in element.attrib:
            assert name != "style"
            assert not name.startswith("on")
    assert "KH-0099-118" in text


def test_hostile_names_stay_text() -> None:
    evil = '"><script>alert(1)</script>\u202e\x00'
    node = replace(FLOW.nodes[0], account=evil, institution=evil)
    text = str(draw_flow(FlowGraph(nodes=(node,), links=()), first_at=REPORTED_AT, title=evil))
    parsed(text)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "\x00" not in text


def test_a_refused_place_counts_as_refused_and_a_hold_as_held() -> None:
    now = whereabouts(FLOW)
    assert now.held + now.resting + now.refused + now.unknown == pytest.approx(1.0)
    # 130 of the 912 that left through Hong Kong, itself 912 of 1,324.8: all refused by Cambodia.
    assert now.refused == pytest.approx(1300 / 13248)
    assert now.held > 0.5


def test_an_open_place_without_an_answer_is_not_told_yet() -> None:
    asked = FlowNode(
        id="b", kind=FlowKind.BEYOND, account="", institution="X", country="TH", at=None, state=FlowState.OPEN
    )
    link = FlowLink(
        source="n0", target="b", amount=Amount(minor=5, currency="CAD"), at=REPORTED_AT, crossing=True
    )
    graph = FlowGraph(nodes=(_node("n0", "CA", 0, kind=FlowKind.VICTIM), asked), links=(link,))
    assert whereabouts(graph) == Whereabouts(held=0.0, resting=0.0, refused=0.0, unknown=1.0)


def test_empty_graph_draws_nothing() -> None:
    assert draw_flow(FlowGraph(), first_at=REPORTED_AT, title="t") == ""
    assert whereabouts(FlowGraph()) == Whereabouts(held=0.0, resting=0.0, refused=0.0, unknown=0.0)


def test_links_that_lead_nowhere_or_back_to_themselves_are_left_out() -> None:
    node = _node("n0", "CA", 0, kind=FlowKind.VICTIM)
    one = Amount(minor=1, currency="CAD")
    stray = FlowLink(source="n0", target="gone", amount=one, at=None, crossing=False)
    graph = FlowGraph(nodes=(node,), links=(stray, replace(stray, target="n0")))
    assert lay_out(graph).ribbons == ()


def test_money_that_returns_to_an_earlier_account_is_drawn() -> None:
    nodes = tuple(
        _node(f"n{i}", "HK", i, kind=FlowKind.VICTIM if i == 0 else FlowKind.ACCOUNT) for i in range(3)
    )
    one = Amount(minor=10, currency="HKD")
    way = (("n0", "n1"), ("n1", "n2"), ("n2", "n1"))
    links = tuple(
        FlowLink(source=a, target=b, amount=one, at=REPORTED_AT + timedelta(minutes=i), crossing=False)
        for i, (a, b) in enumerate(way)
    )
    assert [r.share for r in shares_of(FlowGraph(nodes=nodes, links=links))] == [1.0, 1.0, 1.0]
    assert "NaN" not in draw_flow(FlowGraph(nodes=nodes, links=links), first_at=REPORTED_AT, title="t")


def test_percents_beside_the_bar_add_up() -> None:
    key = share_key(Whereabouts(held=0.706, resting=0.197, refused=0.097, unknown=0.0))
    assert [kind for kind, _, _ in key] == ["held", "resting", "refused"]
    assert sum(int(re.findall(r"\d+", text)[0]) for _, text, _ in key) == 100


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("short", 10, "short"),
        ("exactly-10", 10, "exactly-10"),
        ("eleven-long", 10, "eleven-lo…"),
        ("銀行銀行銀行", 8, "銀行銀…"),
    ],
)
def test_fit_counts_wide_characters_twice(text: str, room: int, expected: str) -> None:
    assert fit(text, room) == expected
