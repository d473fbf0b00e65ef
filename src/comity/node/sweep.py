"""Let deadlines come due. Each is claimed once, in the transaction of what it brings about."""

import structlog

from comity.backends.sql import Transaction
from comity.casework import Deadline
from comity.errors import StorageError
from comity.node import hold, request
from comity.node.bootstrap import Node
from comity.node.handling import comply
from comity.node.handling.retract import SUBJECT as ITEM

log = structlog.get_logger()


def sweep(node: Node) -> int:
    """Handle every deadline whose time has come; return how many. Safe to run on several workers.

    One that cannot be handled holds up no other. A disk that refuses is no such case: it is tried again.
    """
    with node.records.reading() as tx:
        due = tx.deadlines.due(node.clock())
    for deadline in due:
        try:
            with node.records.transaction() as tx:
                if tx.deadlines.finish(deadline.id):
                    _come_due(node, tx, deadline)
        except StorageError:
            raise
        except Exception as error:
            log.exception("deadline not handled", deadline=deadline.id)
            _record_stuck(node, deadline, error)
    return len(due) + comply.expire(node)


def _come_due(node: Node, tx: Transaction, deadline: Deadline) -> None:
    node.record(
        tx, "deadline.passed", actor="node", subject=deadline.subject, subject_id=deadline.subject_id,
        rule=deadline.rule, kind=deadline.kind, due_at=deadline.due_at.isoformat(),
    )  # fmt: skip
    if not deadline.event:
        return
    if deadline.subject == "hold":
        lapsed = hold.advance(
            node, tx, tx.holds.get(node.id, deadline.subject_id), deadline.event, {}, actor="node"
        )
        hold.tell_of_change(node, tx, lapsed)
    elif deadline.subject == ITEM:
        comply.come_due(node, tx, deadline)
    else:
        late = tx.requests.get(deadline.subject_id)
        request.advance(node, tx, late, deadline.event, {}, request.NODE)
        request.look_again(node, tx, late.case_id)


def _record_stuck(node: Node, deadline: Deadline, error: Exception) -> None:
    """The rule could not be applied: say so once, and leave the row for people to see."""
    with node.records.transaction() as tx:
        if tx.deadlines.finish(deadline.id):
            node.record(
                tx, "alarm.deadline-stuck", actor="node", subject=deadline.subject,
                subject_id=deadline.subject_id, rule=deadline.rule, problem=f"{type(error).__name__}: {error}"[:500],
            )  # fmt: skip
