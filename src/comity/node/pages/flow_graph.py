"""The way of the money as a graph: our own flows account by account, abroad what partners answered.

A partner tells holdings and exits, not the way between: its book is one node of kind `beyond`, with links in,
to its holdings, and out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from comity.casework import Case, CaseTrace, Hold, Request
from comity.model import Crossing, Holding, Move
from comity.model.hold_states import COUNTED_AS_HELD
from comity.node.bootstrap import Node
from comity.node.pages.views import Amount, FlowGraph, FlowKind, FlowLink, FlowNode, FlowState

_KINDS = (
    ("wallet", FlowKind.WALLET), ("cash", FlowKind.CASH), ("atm", FlowKind.CASH),
    ("exchange", FlowKind.EXCHANGE),
)  # fmt: skip


@dataclass(slots=True)
class _Draft:
    """What is collected before it becomes frozen: nodes by id, links by (from, to, currency)."""

    nodes: dict[str, FlowNode] = field(default_factory=dict)
    links: dict[tuple[str, str, str], FlowLink] = field(default_factory=dict)
    books: dict[str, str] = field(default_factory=dict)
    """Country → the node that stands for the book of the partner who answered for it."""

    def place(self, account: str, institution: str, country: str, at: datetime | None, **more: object) -> str:
        known = self.nodes.get(account)
        if known is None:
            kind = next((kind for word, kind in _KINDS if word in institution.lower()), FlowKind.ACCOUNT)
            self.nodes[account] = FlowNode(
                id=account, kind=kind, account=account, institution=institution, country=country, at=at
            )
        elif at is not None and (known.at is None or at < known.at):
            self.nodes[account] = replace(known, at=at)
        return account

    def connect(self, link: FlowLink) -> None:
        """Bookings between the same two in one currency are one link."""
        key = (link.source, link.target, link.amount.currency)
        known = self.links.get(key)
        if known is None:
            self.links[key] = link
            return
        arrived = known.arrived
        if arrived is not None and link.arrived is not None and arrived.currency == link.arrived.currency:
            arrived = replace(arrived, minor=arrived.minor + link.arrived.minor)
        self.links[key] = replace(
            known, amount=replace(known.amount, minor=known.amount.minor + link.amount.minor),
            arrived=arrived, transfers=known.transfers + 1,
        )  # fmt: skip


def flow_graph(
    node: Node, case: Case, traces: Sequence[CaseTrace], holds: Sequence[Hold], requests: Sequence[Request]
) -> FlowGraph:
    """Build the graph of a case from our trace and from what partners answered."""
    draft = _Draft()
    own = [trace for trace in traces if trace.source == node.id]
    told = [trace for trace in traces if trace.source != node.id]
    for trace in told:
        _add_book(draft, node, trace)
    for trace in own:
        for move in trace.moves:
            _add_move(draft, move)
        for inflow in trace.inflows:
            if case.origin != node.id:
                _add_inflow(draft, inflow)
    for trace in told:
        _add_answer(draft, _book_of(trace.source), trace)
    _mark_victim(draft, case, own)
    _mark_states(draft, requests, node)
    _rest(draft, (holding for trace in traces for holding in trace.trace.holdings), holds)
    _rest_beyond(draft, case, traces, node)
    return FlowGraph(nodes=tuple(draft.nodes.values()), links=tuple(draft.links.values()))


def _add_move(draft: _Draft, move: Move) -> None:
    source = draft.place(move.from_account, move.from_institution, move.from_country, move.at)
    target = draft.books.get(move.to_country) or draft.place(
        move.to_account, move.to_institution, move.to_country, move.at
    )
    if source == target:
        return
    converted = move.to_currency != move.currency
    draft.connect(
        FlowLink(
            source=source, target=target, amount=Amount(minor=move.tainted_minor, currency=move.currency),
            arrived=Amount(minor=move.arrived_minor, currency=move.to_currency) if converted else None,
            at=move.at, crossing=move.from_country != move.to_country,
        )
    )  # fmt: skip


def _add_inflow(draft: _Draft, inflow: Crossing) -> None:
    source = f"from {inflow.from_country}"
    draft.nodes.setdefault(source, _beyond(source, inflow.from_country, inflow.booked_at))
    target = draft.place(inflow.to_account, inflow.to_institution, inflow.to_country, inflow.booked_at)
    draft.connect(_crossing_link(source, target, inflow))


def _add_book(draft: _Draft, node: Node, trace: CaseTrace) -> None:
    """One place for all that a partner followed in its own book (also of one that has left the compact)."""
    member = node.peers().get(trace.source)
    name, first = _book_of(trace.source), min((one.booked_at for one in trace.inflows), default=None)
    country = member.authority.jurisdiction if member else next((x.to_country for x in trace.inflows), "")
    draft.nodes[name] = _beyond(name, country, first)
    draft.books.update(dict.fromkeys(member.covers if member else (country,), name))


def _book_of(source: str) -> str:
    return f"book of {source}"


def _add_answer(draft: _Draft, book: str, trace: CaseTrace) -> None:
    """From a partner's book to the holdings and exits that it told us of."""
    for holding in trace.trace.holdings:
        target = draft.place(holding.account, holding.institution, holding.country, None)
        amount = Amount(minor=holding.tainted_minor, currency=holding.currency)
        draft.connect(FlowLink(source=book, target=target, amount=amount, at=None, crossing=False))
    for crossing in trace.trace.exits:
        target = draft.books.get(crossing.to_country) or draft.place(
            crossing.to_account, crossing.to_institution, crossing.to_country, crossing.booked_at
        )
        draft.connect(_crossing_link(book, target, crossing))


def _crossing_link(source: str, target: str, crossing: Crossing) -> FlowLink:
    arrived = Amount(minor=crossing.tainted_minor, currency=crossing.currency)
    sent = Amount(minor=crossing.sent_minor, currency=crossing.sent_currency)
    converted = sent.minor > 0 and sent.currency != arrived.currency
    return FlowLink(
        source=source, target=target, amount=sent if converted else arrived,
        arrived=arrived if converted else None, at=crossing.booked_at, crossing=True,
    )  # fmt: skip


def _beyond(name: str, country: str, at: datetime | None) -> FlowNode:
    return FlowNode(
        id=name, kind=FlowKind.BEYOND, account="in its own book", institution="", country=country, at=at
    )


def _mark_victim(draft: _Draft, case: Case, own: Iterable[CaseTrace]) -> None:
    claimed = set(case.report["claims"])
    for trace in own:
        for move in trace.moves:
            if move.transfer_id in claimed and move.from_account in draft.nodes:
                victim = draft.nodes[move.from_account]
                draft.nodes[move.from_account] = replace(victim, kind=FlowKind.VICTIM)


def _mark_states(draft: _Draft, requests: Sequence[Request], node: Node) -> None:
    """What a partner has not answered is open; where its last word was no, refused."""
    last = {request.peer: request for request in requests if request.direction == "out"}
    for peer, request in last.items():
        if request.state in ("answered", "closed") and request.refusal is None:
            continue
        state = FlowState.REFUSED if request.refusal is not None else FlowState.OPEN
        covers = node.peers()[peer].covers if peer in node.peers() else ()
        for name, one in draft.nodes.items():
            if one.country in covers:
                draft.nodes[name] = replace(one, state=state)


def _rest_beyond(draft: _Draft, case: Case, traces: Iterable[CaseTrace], node: Node) -> None:
    """What went to where no member has a book stays there, as far as anybody can tell."""
    compact = node.compacts().get(case.compact)
    covered = {country for member in compact.members for country in member.covers} if compact else set()
    for trace in traces:
        for crossing in trace.trace.exits:
            one = draft.nodes.get(crossing.to_account)
            if one is None or crossing.to_country in covered:
                continue
            there = {amount.currency: amount.minor for amount in one.resting}
            there[crossing.currency] = there.get(crossing.currency, 0) + crossing.tainted_minor
            resting = tuple(Amount(minor=minor, currency=currency) for currency, minor in there.items())
            draft.nodes[crossing.to_account] = replace(one, resting=resting)


def _rest(draft: _Draft, holdings: Iterable[Holding], holds: Sequence[Hold]) -> None:
    for holding in holdings:
        name = draft.place(holding.account, holding.institution, holding.country, None)
        one = draft.nodes[name]
        amount = Amount(minor=holding.tainted_minor, currency=holding.currency)
        draft.nodes[name] = replace(one, resting=(*one.resting, amount))
    for hold in holds:
        if hold.state in COUNTED_AS_HELD and hold.account in draft.nodes:
            one = draft.nodes[hold.account]
            held = Amount(minor=hold.amount_minor, currency=hold.currency)
            draft.nodes[hold.account] = replace(one, held=(*one.held, held))
