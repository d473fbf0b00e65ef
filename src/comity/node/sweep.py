"""Let deadlines come due, in the order in which they fall due, each once, in the transaction of what it brings about.

The next one is looked for in the transaction that claims it, and writing transactions are serial on either database:
so several workers, in one process or in many, keep to one order, and what one firing sets that is over already (the
node was off) has its place in it. A worker that is killed leaves its deadline as it was: another one takes it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from comity.backends.sql import Transaction
from comity.casework import Deadline
from comity.casework.victim import DEADLINE as VICTIM
from comity.errors import NotFound, StorageError
from comity.node import hold, matters, request
from comity.node.bootstrap import Node
from comity.node.handling import comply
from comity.node.handling.retract import SUBJECT as ITEM
from comity.node.joint import operation
from comity.node.matters.keeping import SUBJECT as MATTER
from comity.node.matters.keeping import file_of

log = structlog.get_logger()
_ELSEWHERE = "elsewhere"
"""Another worker claimed it in the meantime."""


@dataclass(frozen=True, slots=True)
class Handler:
    """What a kind of subject does when its deadline comes due, and the case under which that is recorded (or "")."""

    come_due: Callable[[Node, Transaction, Deadline], None]
    case_of: Callable[[Node, Transaction, Deadline], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What became of a deadline. `did` is fired, reminded, or stuck: then `problem` says why."""

    deadline: Deadline
    did: str
    problem: str = ""


def sweep(node: Node) -> int:
    """Handle every deadline whose time has come; return how many. Safe to run on several workers.

    One that cannot be handled holds up no other. A disk that refuses is no such case: it is tried again.
    """
    return sum(1 for _ in swept(node)) + comply.expire(node)


def swept(node: Node) -> Iterator[Swept]:
    """Handle them one by one, and say what was done. Whose time comes while this runs waits for the next sweep."""
    now = node.clock()
    with node.records.reading() as tx:
        if tx.deadlines.next_due(now) is None:  # most of the time: nobody who writes has to wait for us
            return
    while (one := _claim_next(node, now)) is not None:
        if one.did != _ELSEWHERE:
            yield one


def _claim_next(node: Node, now: datetime) -> Swept | None:
    """None: nothing is left."""
    deadline = None
    try:
        with node.records.transaction() as tx:
            deadline = tx.deadlines.next_due(now)
            if deadline is None:
                return None
            if not tx.deadlines.finish(deadline.id):
                return Swept(deadline=deadline, did=_ELSEWHERE)
            return Swept(deadline=deadline, did=_come_due(node, tx, deadline))
    except StorageError:
        raise
    except Exception as error:
        if deadline is None:
            raise
        log.exception("deadline not handled", deadline=deadline.id)
        return _record_stuck(node, deadline, f"{type(error).__name__}: {error}"[:500])


def _come_due(node: Node, tx: Transaction, deadline: Deadline) -> str:
    handler = HANDLERS.get(deadline.subject)
    if handler is None:
        raise NotFound.because(expected=f"one of {', '.join(HANDLERS)}", got=repr(deadline.subject))
    if deadline.reminds_of:
        _remind(node, tx, deadline, case_id=handler.case_of(node, tx, deadline))
        return "reminded"
    node.record(
        tx, "deadline.passed", actor="node", subject=deadline.subject, subject_id=deadline.subject_id,
        rule=deadline.rule, kind=deadline.kind, due_at=deadline.due_at.isoformat(),
    )  # fmt: skip
    if deadline.escalate:
        node.record(
            tx, "deadline.escalated", case_id=handler.case_of(node, tx, deadline), actor="node",
            subject=deadline.subject, subject_id=deadline.subject_id, rule=deadline.rule, kind=deadline.kind,
            due_at=deadline.due_at.isoformat(), role=deadline.escalate,
        )  # fmt: skip
    if deadline.event:
        handler.come_due(node, tx, deadline)
    return "fired"


def _remind(node: Node, tx: Transaction, reminder: Deadline, *, case_id: str) -> None:
    """Only of what still runs: a deadline that has passed has said so itself."""
    running = [
        one
        for one in tx.deadlines.of_subject(reminder.subject, reminder.subject_id)
        if one.rule == reminder.reminds_of and one.state == "pending"
    ]
    for one in running[-1:]:
        node.record(
            tx, "deadline.reminded", case_id=case_id, actor="node", subject=one.subject,
            subject_id=one.subject_id, rule=one.rule, kind=one.kind, due_at=one.due_at.isoformat(),
            role=one.escalate,
        )  # fmt: skip


def _record_stuck(node: Node, deadline: Deadline, problem: str) -> Swept:
    """The rule could not be applied: say so once, and leave the row for people to see."""
    with node.records.transaction() as tx:
        if not tx.deadlines.finish(deadline.id):
            return Swept(deadline=deadline, did=_ELSEWHERE)
        node.record(
            tx, "alarm.deadline-stuck", actor="node", subject=deadline.subject,
            subject_id=deadline.subject_id, rule=deadline.rule, problem=problem,
        )  # fmt: skip
    return Swept(deadline=deadline, did="stuck", problem=problem)


# --- what each kind of subject does ---------------------------------------------------------------------------


def _hold_due(node: Node, tx: Transaction, deadline: Deadline) -> None:
    found = tx.holds.get(node.id, deadline.subject_id)
    lapsed = hold.advance(node, tx, found, deadline.event, {}, actor="node", since=deadline.due_at)
    hold.tell_of_change(node, tx, lapsed)


def _hold_case(node: Node, tx: Transaction, deadline: Deadline) -> str:
    return tx.holds.get(node.id, deadline.subject_id).case_id


def _request_due(node: Node, tx: Transaction, deadline: Deadline) -> None:
    late = tx.requests.get(deadline.subject_id)
    request.advance(node, tx, late, deadline.event, {}, request.NODE, since=deadline.due_at)
    request.look_again(node, tx, late.case_id)


def _request_case(_node: Node, tx: Transaction, deadline: Deadline) -> str:
    return tx.requests.get(deadline.subject_id).case_id


def _matter_case(_node: Node, tx: Transaction, deadline: Deadline) -> str:
    return file_of(tx.matters.get(deadline.subject_id))


def _no_case(_node: Node, _tx: Transaction, _deadline: Deadline) -> str:
    """What came from others is taken back whatever case it is in; its events name the item."""
    return ""


def _nothing(_node: Node, _tx: Transaction, _deadline: Deadline) -> None:
    """Of somebody in the victims' vault: what the end of a term means is for people to say."""


HANDLERS: Mapping[str, Handler] = {
    "hold": Handler(_hold_due, _hold_case),
    "request": Handler(_request_due, _request_case),
    MATTER: Handler(matters.come_due, _matter_case),
    ITEM: Handler(comply.come_due, _no_case),
    operation.KIND: Handler(operation.come_due, _no_case),
    VICTIM: Handler(_nothing, _no_case),
}
"""By the subject of a deadline."""
