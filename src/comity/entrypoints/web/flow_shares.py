"""How much of the reported value a movement carries, whatever the currency. Pure.

Each movement takes from its pot (node, currency) in proportion to what the pot then holds. Shares set the
thickness of ribbons and the summary bar only; amounts are shown from the trace itself, to the minor unit.
Where several currencies were reported each counts equally, as no exchange rate is assumed.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from comity.node.pages.views import FlowGraph, FlowKind, FlowLink, FlowState

_LAST = datetime.max.replace(tzinfo=UTC)
Pots = dict[tuple[str, str], float]
"""(node, currency) → share of the reported value in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ribbon:
    link: FlowLink
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Shares of the reported value: under a hold, resting without one, behind a refusal, and not told yet."""

    held: float
    resting: float
    refused: float
    unknown: float


def shares_of(graph: FlowGraph) -> list[Ribbon]:
    """Every link with its share, in order of time: what the table beside the diagram lists."""
    graph = without_strays(graph)
    return _shares(graph, _in_time_order(graph))[0]


def whereabouts(graph: FlowGraph) -> Whereabouts:
    """Say where the reported value is now. Shares add up to 1, or are all 0 for an empty graph."""
    graph = without_strays(graph)
    _, pots = _shares(graph, _in_time_order(graph))
    held = resting = refused = 0.0
    for node in graph.nodes:
        for amount in node.resting:
            share = pots.get((node.id, amount.currency), 0.0)
            if node.state is FlowState.REFUSED:
                refused += share
                continue
            under_hold = sum(a.minor for a in node.held if a.currency == amount.currency)
            part = min(1.0, under_hold / amount.minor) if amount.minor else 0.0
            held, resting = held + share * part, resting + share * (1 - part)
        if node.state is FlowState.REFUSED and not node.resting:
            refused += sum(share for (owner, _), share in pots.items() if owner == node.id)
    known = held + resting + refused
    unknown = max(0.0, 1.0 - known) if graph.links else 0.0
    return Whereabouts(held=held, resting=resting, refused=refused, unknown=unknown)


def without_strays(graph: FlowGraph) -> FlowGraph:
    """A link to a node that is not there cannot be drawn; one from a node to itself says nothing."""
    known = {node.id for node in graph.nodes}
    kept = (x for x in graph.links if x.source in known and x.target in known and x.source != x.target)
    return replace(graph, links=tuple(kept))


def _in_time_order(graph: FlowGraph) -> list[FlowLink]:
    """Links by time, at one time along the way; one without a time follows its source's timed ones."""
    latest: dict[str, datetime] = {node.id: node.at for node in graph.nodes if node.at is not None}
    for link in graph.links:
        if link.at is not None:
            for end in (link.source, link.target):
                latest[end] = max(latest.get(end, link.at), link.at)
    way = {id(link): step for step, link in enumerate(_along_the_way(graph))}

    def key(link: FlowLink) -> tuple[datetime, bool, int]:
        return (link.at or latest.get(link.source, _LAST), link.at is None, way[id(link)])

    return sorted(graph.links, key=key)


def _along_the_way(graph: FlowGraph) -> list[FlowLink]:
    """Links breadth first from where money was taken."""
    outgoing: dict[str, list[FlowLink]] = defaultdict(list)
    for link in graph.links:
        outgoing[link.source].append(link)
    paid = {link.target for link in graph.links}
    waiting = deque(node.id for node in graph.nodes if node.id not in paid)
    rest = deque(node.id for node in graph.nodes if node.id in paid)
    seen: set[str] = set()
    ordered: list[FlowLink] = []
    while waiting or rest:
        current = waiting.popleft() if waiting else rest.popleft()
        if current in seen:
            continue
        seen.add(current)
        ordered += outgoing[current]
        waiting.extend(link.target for link in outgoing[current])
    return ordered


def _sources(graph: FlowGraph) -> set[str]:
    """Where shares begin: the victims' accounts; at a node that was only asked, whoever paid into its book."""
    victims = {node.id for node in graph.nodes if node.kind is FlowKind.VICTIM}
    return victims or {node.id for node in graph.nodes} - {link.target for link in graph.links}


class _Exchanged:
    """Money exchanged inside another node's book, which tells holdings and exits but no rate.

    What came in, in a currency, less what is told to have gone on in it, was exchanged there; it is what the
    told amounts in other currencies are made of. Several such currencies count equally: no rate is assumed.
    """

    def __init__(self, graph: FlowGraph) -> None:
        inside = {node.id for node in graph.nodes if node.kind is FlowKind.BEYOND}
        self._into: dict[tuple[str, str], int] = defaultdict(int)
        self._out: dict[tuple[str, str], int] = defaultdict(int)
        for link in graph.links:
            if link.target in inside:
                arrived = link.arrived or link.amount
                self._into[link.target, arrived.currency] += arrived.minor
            if link.source in inside:
                self._out[link.source, link.amount.currency] += link.amount.minor

        self._made: dict[str, list[str]] = defaultdict(list)
        for place, currency in self._out:
            if (place, currency) not in self._into:
                self._made[place].append(currency)

    def open_pots(self, size: dict[tuple[str, str], int]) -> None:
        """Such a currency's pot holds what is told to leave it; its share comes as money comes in."""
        for place, currencies in self._made.items():
            for currency in currencies:
                size[place, currency] = self._out[place, currency]

    def arrive(
        self, pot: tuple[str, str], part: float, minor: int, share: Pots, size: dict[tuple[str, str], int]
    ) -> None:
        """Put `part` into `pot`, less what is exchanged there."""
        made = self._made.get(pot[0], [])
        spent = (
            max(0, self._into[pot] - self._out[pot]) / self._into[pot] if made and self._into[pot] else 0.0
        )
        for currency in made:
            share[pot[0], currency] += part * spent / len(made)
        share[pot] += part * (1 - spent)
        size[pot] += minor - int(minor * spent)


def _shares(graph: FlowGraph, links: Sequence[FlowLink]) -> tuple[list[Ribbon], Pots]:
    """Follow shares of the reported value through the pots, in order of time."""
    victims = _sources(graph)
    exchanged = _Exchanged(graph)
    taken: dict[str, int] = defaultdict(int)
    for link in links:
        if link.source in victims:
            taken[link.amount.currency] += link.amount.minor
    size: dict[tuple[str, str], int] = defaultdict(int)
    share: Pots = defaultdict(float)
    exchanged.open_pots(size)
    ribbons = []
    for link in links:
        pot = (link.source, link.amount.currency)
        if link.source in victims:
            whole = taken[link.amount.currency] * len(taken)
            part = link.amount.minor / whole if whole else 0.0
        else:
            part = share[pot] * min(1.0, link.amount.minor / size[pot]) if size[pot] > 0 else 0.0
            share[pot] -= part
            size[pot] -= min(size[pot], link.amount.minor)
        arrived = link.arrived or link.amount
        exchanged.arrive((link.target, arrived.currency), part, arrived.minor, share, size)
        ribbons.append(Ribbon(link=link, share=part))
    return ribbons, share
