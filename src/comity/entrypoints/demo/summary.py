"""The demo's summary as values: what `--json` writes and the screen shows."""

from collections import Counter
from datetime import datetime
from typing import Any

from comity.entrypoints.demo.cast import CAST, KILLED, ORIGIN
from comity.entrypoints.demo.play import Play, cosigners
from comity.entrypoints.demo.verdict import Verdict, beyond
from comity.node.bootstrap import Node


def summarise(play: Play, verdict: Verdict, *, seed: int, transfers: int, seconds: float) -> dict[str, Any]:
    """Everything the demo found, as JSON values. Amounts are minor units by currency."""
    stage = play.stage
    with stage.nodes[ORIGIN].records.reading() as tx:
        requests = tx.requests.of_case(play.case_id)
        received = next(
            event for event, _ in tx.events.of_case(play.case_id) if event.kind == "report.received"
        )
    return {
        "ok": verdict.holds, "seed": seed, "transfers_per_node": transfers, "seconds": round(seconds, 2),
        "case": play.case_id, "reported_minor": dict(received.body["amounts"]),
        "traced_minor": _by_currency(verdict.federated),
        "beyond_minor": _sums((one.currency, one.tainted_minor) for one in beyond(stage, play.case_id)),
        "nodes": [_node(play, actor.id) for actor in CAST],
        "holds": _holds(play),
        "requests": [
            {
                "request": one.id, "peer": one.peer, "basis": one.basis["instrument"],
                "state": one.state, "refusal": dict(one.refusal) if one.refusal else None,
                "crossings": len(one.payload["crossings"]),
            }
            for one in requests
        ],
        "killed": {
            "node": KILLED, "at_seconds": _since(play, play.killed_at),
            "back_at_seconds": _since(play, play.back_at),
        },
        "checks": [
            {"name": check.name, "held": check.held, "detail": check.detail} for check in verdict.checks
        ],
    }  # fmt: skip


def _node(play: Play, node_id: str) -> dict[str, Any]:
    node = play.stage.nodes[node_id]
    with node.records.reading() as tx:
        outbox, inbox, size = tx.outbox.counts(), tx.inbox.counts(), tx.events.size()
        holds = [hold for hold in tx.holds.all() if hold.holder == node_id and hold.state == "held"]
        own = [
            one.trace for case in tx.cases.all() for one in tx.cases.traces(case.id) if one.source == node_id
        ]
    return {
        "node": node_id, "name": node.settings.authority.name,
        "jurisdiction": node.settings.authority.jurisdiction, "transfers": _rows(node),
        "traced_minor": _sums((one.currency, one.tainted_minor) for trace in own for one in trace.holdings),
        "held_minor": _sums((hold.currency, hold.amount_minor) for hold in holds), "holds": len(holds),
        "first_hold_seconds": min((_since(play, hold.placed_at) or 0.0 for hold in holds), default=None),
        "messages_sent": sum(outbox.values()), "messages_received": sum(inbox.values()),
        "log_size": size, "cosigned_by": sorted(cosigners(node)), "pages": node.settings.public_url,
    }  # fmt: skip


def _rows(node: Node) -> int:
    with node.records.reading() as tx:
        return sum(part.rows for part in tx.book.all())


def _holds(play: Play) -> list[dict[str, Any]]:
    found = []
    for node_id, node in play.stage.nodes.items():
        with node.records.reading() as tx:
            found += [
                {
                    "holder": node_id, "account": hold.account, "currency": hold.currency,
                    "amount_minor": hold.amount_minor,
                    "seconds_after_report": _since(play, hold.placed_at),
                }
                for hold in tx.holds.all()
                if hold.holder == node_id
            ]  # fmt: skip
    return sorted(found, key=lambda hold: hold["seconds_after_report"] or 0.0)


def _since(play: Play, at: datetime | None) -> float | None:
    if at is None or play.reported_at is None:
        return None
    return round((at - play.reported_at).total_seconds(), 3)


def _by_currency(amounts: dict[tuple[str, str], int]) -> dict[str, int]:
    return _sums((currency, minor) for (_, currency), minor in amounts.items())


def _sums(pairs: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for currency, minor in pairs:
        total[currency] += minor
    return dict(sorted(total.items()))
