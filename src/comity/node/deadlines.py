"""The deadlines of a node, for people: of what, by which rule, until when, and which are over."""

from dataclasses import dataclass

from comity.backends.sql import Transaction
from comity.casework import Deadline
from comity.errors import NotFound
from comity.node.bootstrap import Node
from comity.node.sweep import HANDLERS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineLine:
    """`case_id` is the case of its subject, or "" where it has none here. `overdue`: its time is over, and it was not
    fired.
    """

    deadline: Deadline
    case_id: str
    overdue: bool


def list_deadlines(
    node: Node, *, actor: str, overdue: bool = False, past: bool = False
) -> list[DeadlineLine]:
    """Those that run, in the order in which they fall due; only the overdue ones, or the past ones too."""
    now = node.clock()
    with node.records.transaction() as tx:
        node.record(tx, "deadlines.listed", actor=actor)
        found = tx.deadlines.all() if past else tx.deadlines.pending()
        lines = [
            DeadlineLine(
                deadline=one, case_id=_case_of(node, tx, one),
                overdue=one.state == "pending" and one.due_at <= now,
            )
            for one in found
        ]  # fmt: skip
    return [one for one in lines if one.overdue or not overdue]


def _case_of(node: Node, tx: Transaction, deadline: Deadline) -> str:
    handler = HANDLERS.get(deadline.subject)
    try:
        return handler.case_of(node, tx, deadline) if handler else ""
    except NotFound:  # its subject is gone: the sweeper says so when its time comes
        return ""
