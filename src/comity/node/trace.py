"""Follow the money of a case through this node's own book, and only there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from comity.casework import Case, CaseTrace
from comity.model import Crossing, Flow, Move
from comity.node.book import Standing
from comity.node.bootstrap import Node
from comity.node.choke import Marked, into_marked
from comity.tracing import Rule, follow
from comity.tracing.chokes import apart, choke_points
from comity.tracing.growing import ADDITIVE, added, grown


def trace_case(
    node: Node, case: Case, inflows: Sequence[Crossing], *, before: CaseTrace | None = None
) -> CaseTrace:
    """Trace under the case's rule: from the reported transfers (our own cases) and from `inflows`.

    `before` is our trace of the same case so far. Where the rule allows it and the book is still the same, only what
    is new in `inflows` is followed, and laid over it.
    """
    standing = node.book.standing()
    marked = into_marked(standing, node.settings.covers, claims=case.report["claims"], inflows=inflows)
    new = None if marked.arrived else _new(case, standing, before, inflows)
    if before is not None and new is not None:
        more = _followed(node, case, standing, replace(marked, inflows=new))
        if not more.chokes and not more.trace.unmatched:
            return _laid_over(before, more, inflows, standing)
    return replace(_followed(node, case, standing, marked), inflows=tuple(inflows))


def _new(
    case: Case, standing: Standing, before: CaseTrace | None, inflows: Sequence[Crossing]
) -> tuple[Crossing, ...] | None:
    """What is to be followed if our last trace can be built upon; None if all of it must be followed again."""
    if before is None or before.book != standing.state or case.rule not in ADDITIVE or case.report["claims"]:
        return None
    return None if before.chokes or before.trace.unmatched else added(before.inflows, inflows)


def _followed(node: Node, case: Case, standing: Standing, marked: Marked) -> CaseTrace:
    trace = follow(
        standing.book, rule=Rule.named(case.rule), claims=dict(marked.claims), inflows=marked.inflows
    )
    home = _home(node)
    left, choked = apart(trace.exits)
    trace = replace(
        trace,
        exits=tuple(one if one.from_country else replace(one, from_country=home) for one in left),
        unmatched=(*trace.unmatched, *marked.unmatched),
    )
    return CaseTrace(
        case_id=case.id, source=node.id, inflows=marked.inflows, trace=trace,
        moves=moves(standing, trace.flows), at=node.clock(), book=standing.state,
        chokes=choke_points([*choked, *marked.arrived], standing.marks, country=home),
    )  # fmt: skip


def _home(node: Node) -> str:
    """Where accounts are that our book gives no country."""
    covers, seat = node.settings.covers, node.settings.authority.jurisdiction
    return covers[0] if len(covers) == 1 else seat if seat in covers else ""


def _laid_over(
    before: CaseTrace, more: CaseTrace, inflows: Sequence[Crossing], standing: Standing
) -> CaseTrace:
    trace = grown(before.trace, more.trace, place=standing.book.find)
    known = {move.transfer_id: move for move in before.moves}
    touched = {flow.transfer_id for flow in more.trace.flows}
    fresh = moves(standing, [flow for flow in trace.flows if flow.transfer_id in touched])
    known |= {move.transfer_id: move for move in fresh}
    return replace(
        more,
        inflows=tuple(inflows),
        trace=trace,
        moves=tuple(known[flow.transfer_id] for flow in trace.flows),
    )


def moves(standing: Standing, flows: Sequence[Flow]) -> tuple[Move, ...]:
    """The rows behind flows, in order of events, with the tainted part as it arrived (rounded down)."""
    tainted = {flow.transfer_id: flow.tainted_minor for flow in flows}
    rows = {row["transfer_id"]: row for row in standing.rows(tainted)}
    return tuple(_move(rows[transfer_id], minor) for transfer_id, minor in tainted.items())


def reported_amounts(standing: Standing, claims: Mapping[str, int | None]) -> dict[str, int]:
    """What is reported, by currency, in minor units."""
    amounts: dict[str, int] = {}
    for row in standing.rows(claims):
        claimed = claims[row["transfer_id"]]
        minor = row["amount_minor"] if claimed is None else claimed
        amounts[row["currency"]] = amounts.get(row["currency"], 0) + minor
    return amounts


def _move(row: Mapping[str, Any], tainted: int) -> Move:
    converted = row["to_amount_minor"] is not None
    return Move(
        transfer_id=row["transfer_id"], at=row["booked_at"],
        from_account=row["from_account"], from_institution=row["from_institution"] or "",
        from_country=row["from_country"] or "",
        to_account=row["to_account"], to_institution=row["to_institution"] or "",
        to_country=row["to_country"] or "",
        currency=row["currency"], tainted_minor=tainted,
        to_currency=row["to_currency"] if converted else row["currency"],
        channel=row["channel"] or "",
        arrived_minor=tainted * row["to_amount_minor"] // row["amount_minor"] if converted else tainted,
    )  # fmt: skip
