"""Where the money went, as places on a sheet: columns, country bands, and "and n more". Pure, no drawing.

Time runs from left to right by order, not to scale: a node stands right of what first paid it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from comity.entrypoints.web.flow_shares import Ribbon, shares_of
from comity.node.pages.views import Amount, FlowGraph, FlowKind, FlowNode, FlowState

CELL = 4
"""At most this many nodes of one country stand in one column; the smallest beyond are drawn as one."""
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A node on the sheet. `stands_for` counts accounts; more than one is "and n more"."""

    node: FlowNode
    country: str
    column: int
    row: int
    share: float
    stands_for: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`bands` are countries from top to bottom, each with the number of rows it needs."""

    places: tuple[Place, ...]
    ribbons: tuple[Ribbon, ...]
    bands: tuple[tuple[str, int], ...]
    columns: int


def lay_out(graph: FlowGraph) -> Sheet:
    """Place every node; deterministic for the same graph."""
    ribbons = shares_of(graph)
    columns = _columns(graph, ribbons)
    weight = _weights(graph, ribbons)
    graph_nodes, stands_for, ribbons = _gather_small(graph.nodes, columns, weight, ribbons)
    return _placed(graph_nodes, columns, weight, stands_for, ribbons)


def _columns(graph: FlowGraph, ribbons: Iterable[Ribbon]) -> dict[str, int]:
    """Each node right of what first paid it; pushed further right only while it has not yet paid on."""
    column: dict[str, int] = {}
    paid_on: set[str] = set()
    for link in (ribbon.link for ribbon in ribbons):
        start = column.setdefault(link.source, 0)
        paid_on.add(link.source)
        if link.target not in column:
            column[link.target] = start + 1
        elif link.target not in paid_on:
            column[link.target] = max(column[link.target], start + 1)
    return {node.id: column.get(node.id, 0) for node in graph.nodes}


def _weights(graph: FlowGraph, ribbons: Iterable[Ribbon]) -> dict[str, float]:
    """The most a node ever carried: what came in, or what went out where nothing came in."""
    came: dict[str, float] = defaultdict(float)
    went: dict[str, float] = defaultdict(float)
    for ribbon in ribbons:
        came[ribbon.link.target] += ribbon.share
        went[ribbon.link.source] += ribbon.share
    return {node.id: min(1.0, max(came[node.id], went[node.id])) for node in graph.nodes}


def _gather_small(
    nodes: Sequence[FlowNode],
    columns: dict[str, int],
    weight: dict[str, float],
    ribbons: Sequence[Ribbon],
) -> tuple[list[FlowNode], dict[str, int], list[Ribbon]]:
    """Draw the smallest of a crowded cell as one node; add the new node to `columns` and `weight`."""
    cells: dict[tuple[str, int], list[FlowNode]] = defaultdict(list)
    for node in nodes:
        cells[node.country, columns[node.id]].append(node)
    kept: list[FlowNode] = []
    into: dict[str, str] = {}
    stands_for: dict[str, int] = {}
    for (country, column), crowd in cells.items():
        crowd = sorted(crowd, key=lambda node: (node.kind is not FlowKind.VICTIM, -weight[node.id], node.id))
        if len(crowd) <= CELL:
            kept += crowd
            continue
        kept += crowd[: CELL - 1]
        small = crowd[CELL - 1 :]
        more = _one_for_many(country, column, small)
        kept.append(more)
        columns[more.id] = column
        weight[more.id] = min(1.0, sum(weight[node.id] for node in small))
        stands_for[more.id] = len(small)
        into.update({node.id: more.id for node in small})
    return kept, stands_for, _merged(ribbons, into)


def _one_for_many(country: str, column: int, small: Sequence[FlowNode]) -> FlowNode:
    states = {node.state for node in small}
    times = [node.at for node in small if node.at is not None]
    return FlowNode(
        id=f"more {country} {column}",
        kind=FlowKind.ACCOUNT,
        account=f"and {len(small)} more",
        institution=_few(sorted({node.institution for node in small if node.institution})),
        country=country,
        at=min(times, default=None),
        resting=summed(amount for node in small for amount in node.resting),
        held=summed(amount for node in small for amount in node.held),
        state=states.pop() if len(states) == 1 else FlowState.KNOWN,
    )


def _few(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} institutions" if names else ""


def summed(amounts: Iterable[Amount]) -> tuple[Amount, ...]:
    total: dict[tuple[str, int | None], int] = defaultdict(int)
    for amount in amounts:
        total[amount.currency, amount.digits] += amount.minor
    return tuple(
        Amount(minor=minor, currency=currency, digits=digits)
        for (currency, digits), minor in sorted(total.items(), key=lambda item: item[0][0])
    )


def _merged(ribbons: Sequence[Ribbon], into: Mapping[str, str]) -> list[Ribbon]:
    """One ribbon for all links between the same two drawn nodes in one currency and state."""
    merged: dict[tuple[str, str, str, FlowState], Ribbon] = {}
    for ribbon in ribbons:
        link = ribbon.link
        source, target = into.get(link.source, link.source), into.get(link.target, link.target)
        if source == target:
            continue
        key = (source, target, link.amount.currency, link.state)
        before = merged.get(key)
        if before is None:
            merged[key] = replace(ribbon, link=replace(link, source=source, target=target))
            continue
        amount = replace(before.link.amount, minor=before.link.amount.minor + link.amount.minor)
        transfers = before.link.transfers + link.transfers
        one = replace(before.link, amount=amount, arrived=None, transfers=transfers)
        merged[key] = Ribbon(link=one, share=before.share + ribbon.share)
    return list(merged.values())


def _placed(
    nodes: Sequence[FlowNode],
    columns: Mapping[str, int],
    weight: Mapping[str, float],
    stands_for: Mapping[str, int],
    ribbons: Sequence[Ribbon],
) -> Sheet:
    bands = _bands(nodes, columns)
    order = {country: place for place, country in enumerate(bands)}
    sources: dict[str, list[str]] = defaultdict(list)
    for ribbon in ribbons:
        sources[ribbon.link.target].append(ribbon.link.source)
    rows: dict[str, int] = {}
    filled: dict[tuple[str, int], int] = defaultdict(int)
    by_country = {node.id: order[node.country] for node in nodes}

    def height(node: FlowNode) -> tuple[float, bool, float, str]:
        above = [by_country[s] * 100 + rows[s] for s in sources[node.id] if s in rows]
        centre = sum(above) / len(above) if above else 0.0
        return (centre, node.id in stands_for, -weight[node.id], node.id)

    places = []
    for column in sorted({columns[node.id] for node in nodes}):
        for node in sorted((n for n in nodes if columns[n.id] == column), key=height):
            row = filled[node.country, column]
            filled[node.country, column] += 1
            rows[node.id] = row
            places.append(
                Place(
                    node=node,
                    country=node.country,
                    column=column,
                    row=row,
                    share=weight[node.id],
                    stands_for=stands_for.get(node.id, 1),
                )
            )
    tall = {c: max(n for (country, _), n in filled.items() if country == c) for c in bands}
    return Sheet(
        places=tuple(places),
        ribbons=tuple(ribbons),
        bands=tuple((country, tall[country]) for country in bands),
        columns=1 + max((place.column for place in places), default=-1),
    )


def _bands(nodes: Sequence[FlowNode], columns: Mapping[str, int]) -> list[str]:
    """Countries in the order in which the money reached them."""
    reached: dict[str, tuple[int, datetime]] = {}
    for node in nodes:
        here = (columns[node.id], node.at or _LAST)
        reached[node.country] = min(reached.get(node.country, here), here)
    return sorted(reached, key=lambda country: (reached[country], country))
