"""The way of a case's money as a graph that other programs read: what its page shows, and nothing that it withholds."""

from comity.backends.graphs import Account, Amount, Graph, Movement
from comity.model import CRYPTO_ASSETS
from comity.node.bootstrap import Node
from comity.node.handling.exits import require_use
from comity.node.pages.case_page import case_page
from comity.node.pages.views import Amount as Shown
from comity.node.pages.views import FlowGraph


def case_graph(node: Node, case_id: str, *, recipient: str, purpose: str, actor: str) -> Graph:
    """Ask the obligations on all that peers told us in the case, read it, and record that it was given out.

    For ourselves (`recipient` empty) it is read; for anybody else it is disclosed to them.
    """
    action = "disclose_onward" if recipient else "read"
    require_use(node, action, case_id, actor=actor, recipient=recipient, purpose=purpose)
    with node.records.transaction() as tx:
        tx.cases.get(case_id)
        node.record(tx, "case.read", case_id=case_id, actor=actor, role="console")
        node.record(
            tx,
            "case.graph-written",
            case_id=case_id,
            actor=actor,
            recipient=recipient or node.id,
            purpose=purpose,
        )
    with node.records.reading() as tx:
        return as_graph(case_page(node, tx, case_id).flow)


def as_graph(flow: FlowGraph) -> Graph:
    """Accounts, and the links between them; several bookings between two accounts are one link."""
    return Graph(
        accounts=tuple(
            Account(
                id=one.id, kind=one.kind.value, institution=one.institution, country=one.country,
                resting=_amounts(one.resting), held=_amounts(one.held),
            )
            for one in flow.nodes
        ),
        movements=tuple(
            Movement(
                id=f"link-{number}", source=one.source, target=one.target, at=one.at, bookings=one.transfers,
                stolen=Amount(minor=one.amount.minor, currency=one.amount.currency),
            )
            for number, one in enumerate(flow.links, start=1)
        ),
        assets=CRYPTO_ASSETS,
    )  # fmt: skip


def _amounts(shown: tuple[Shown, ...]) -> tuple[Amount, ...]:
    return tuple(Amount(minor=one.minor, currency=one.currency) for one in shown)
