"""A whole trace as a JSON document and back: what a node stores of its own trace or of a peer's answer."""

from collections.abc import Mapping
from typing import Any

from comity.model import Flow, Move, Total, Trace
from comity.tracing.documents import (
    crossing_document,
    gap_document,
    holding_document,
    read_crossing,
    read_gap,
    read_holding,
)
from comity.tracing.times import read_time, time_text


def result_document(trace: Trace) -> dict[str, Any]:
    """Every field, institutions and countries of holdings included (the trace contract has them not)."""
    return {
        "rule": trace.rule,
        "totals": [
            [total.currency, total.reported_minor, total.held_minor, total.reported_again_minor]
            for total in trace.totals
        ],
        "holdings": [holding_document(holding) for holding in trace.holdings],
        "flows": [[flow.transfer_id, flow.tainted_minor] for flow in trace.flows],
        "gaps": [gap_document(gap) for gap in trace.gaps],
        "exits": [crossing_document(crossing) for crossing in trace.exits],
        "unmatched": [crossing_document(crossing) for crossing in trace.unmatched],
    }


def read_result(document: Mapping[str, Any]) -> Trace:
    return Trace(
        rule=document["rule"],
        totals=tuple(
            Total(currency=row[0], reported_minor=row[1], held_minor=row[2], reported_again_minor=row[3])
            for row in document["totals"]
        ),
        holdings=tuple(read_holding(holding) for holding in document["holdings"]),
        flows=tuple(Flow(transfer_id=row[0], tainted_minor=row[1]) for row in document["flows"]),
        gaps=tuple(read_gap(gap) for gap in document["gaps"]),
        exits=tuple(read_crossing(crossing) for crossing in document["exits"]),
        unmatched=tuple(read_crossing(crossing) for crossing in document["unmatched"]),
    )


def move_document(move: Move) -> list[Any]:
    return [
        move.transfer_id, time_text(move.at), move.from_account, move.from_institution, move.from_country,
        move.to_account, move.to_institution, move.to_country, move.currency, move.tainted_minor,
        move.to_currency, move.arrived_minor, move.channel,
    ]  # fmt: skip


def read_move(row: list[Any]) -> Move:
    return Move(
        transfer_id=row[0], at=read_time(row[1]), from_account=row[2], from_institution=row[3],
        from_country=row[4], to_account=row[5], to_institution=row[6], to_country=row[7], currency=row[8],
        tainted_minor=row[9], to_currency=row[10], arrived_minor=row[11], channel=row[12],
    )  # fmt: skip
