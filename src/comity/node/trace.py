"""Follow the money of a case through this node's own book, and only there."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from comity.casework import Case, CaseTrace
from comity.model import Crossing, Flow, Move
from comity.node.bootstrap import Node
from comity.tracing import Rule, follow


def trace_case(node: Node, case: Case, inflows: Sequence[Crossing]) -> CaseTrace:
    """Trace under the case's rule: from the reported transfers (our own cases) and from `inflows`."""
    trace = follow(
        node.book.book(), rule=Rule.named(case.rule), claims=dict(case.report["claims"]), inflows=inflows
    )
    return CaseTrace(
        case_id=case.id, source=node.id, inflows=tuple(inflows), trace=trace,
        moves=moves(node.book.table(), trace.flows), at=node.clock(),
    )  # fmt: skip


def moves(table: pa.Table, flows: Sequence[Flow]) -> tuple[Move, ...]:
    """The rows behind flows, in order of events, with the tainted part as it arrived (rounded down)."""
    tainted = {flow.transfer_id: flow.tainted_minor for flow in flows}
    rows = {row["transfer_id"]: row for row in _rows(table, list(tainted))}
    return tuple(_move(rows[transfer_id], minor) for transfer_id, minor in tainted.items())


def reported_amounts(table: pa.Table, claims: Mapping[str, int | None]) -> dict[str, int]:
    """What is reported, by currency, in minor units."""
    amounts: dict[str, int] = {}
    for row in _rows(table, list(claims)):
        claimed = claims[row["transfer_id"]]
        minor = row["amount_minor"] if claimed is None else claimed
        amounts[row["currency"]] = amounts.get(row["currency"], 0) + minor
    return amounts


def _rows(table: pa.Table, transfer_ids: list[str]) -> list[dict[str, Any]]:
    wanted = pa.array(transfer_ids, type=pa.string())
    return list(table.filter(pc.is_in(table["transfer_id"], value_set=wanted)).to_pylist())


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
