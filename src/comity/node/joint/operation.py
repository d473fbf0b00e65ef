"""Joint operations: plan, everybody's go or no-go, the outcome, results (`casework.joint_operation` has the rules)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from comity.backends.sql import Transaction
from comity.casework import Deadline
from comity.casework.joint import Entry, Space, missing
from comity.casework.joint_operation import (
    GO,
    NO_GO,
    OUTCOME,
    PLAN,
    RESULT,
    Plan,
    Standing,
    State,
    outcome_due,
    require_result,
    require_sound,
    require_word,
    standing,
)
from comity.errors import Forbidden
from comity.law import Action
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.joint.operation_text import check, read_plan, write_plan
from comity.node.joint.space import (
    Rules,
    ShownEntry,
    entries_of,
    found_space,
    readable_entries,
    shown_entries,
    write,
)
from comity.node.policy import require_with_joint

KIND = "operation"
RULE = "operation/1/decide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation as this node knows it now. `lacking`: what others have seen of a member and we have not."""

    space: Space
    plan: Plan | None
    """None where it was taken back."""
    standing: Standing
    lacking: Mapping[str, int]
    entries: Sequence[ShownEntry]


def plan_operation(node: Node, plan: Plan, *, compact: str | None, person: Person) -> Space:
    """Propose an operation, which this node then leads. `NoVictimSafety` where a raid has no plan for victims."""
    require_with_joint(node, Action.MANAGE_JOINT, kind=KIND, person=person, leads=True)
    require_sound(plan, written_at=node.clock())
    with node.records.transaction() as tx:
        space, _ = found_space(
            node,
            tx,
            RULES,
            kind=KIND,
            compact=node.compact(compact).name,
            body=write_plan(plan),
            actor=person.id,
        )
    return space


def change_plan(node: Node, operation: str, plan: Plan, *, person: Person) -> Entry:
    """The leader changes the plan: nobody's go counts any more."""
    require_with_joint(node, Action.MANAGE_JOINT, kind=KIND, person=person, leads=True)
    require_sound(plan, written_at=node.clock())
    with node.records.transaction() as tx:
        space = tx.spaces.get(operation, KIND)
        if space.founder != node.id:
            raise Forbidden(
                f"expected the plan of an operation that we lead, got one that {space.founder} leads",
                remedy=f"Say no-go and tell {space.founder} what to change.",
            )
        return write(node, tx, RULES, space, PLAN, write_plan(plan), actor=person.id)


def say_go(node: Node, operation: str, *, authority: str, plan: str = "", person: Person) -> Entry:
    """Say go to the plan that stands, under that authority of ours (order, warrant, decision)."""
    return _say(node, operation, GO, {"authority": authority}, plan=plan, person=person)


def say_no_go(node: Node, operation: str, *, why: str, person: Person) -> Entry:
    """Say no-go: from then on nobody goes. Possible until the first action begins."""
    return _say(node, operation, NO_GO, {"why": why}, plan="", person=person)


def _say(
    node: Node, operation: str, kind: str, body: Mapping[str, str], *, plan: str, person: Person
) -> Entry:
    """`plan`: the digest, or its beginning, of the plan that the person has read, if they say so."""
    with node.records.transaction() as tx:
        space = tx.spaces.get(operation, KIND)
        require_with_joint(
            node, Action.MANAGE_JOINT, kind=KIND, person=person, leads=space.founder == node.id
        )
        one = _standing(node, tx, space)
        require_word(one, kind=kind, now=node.clock())
        if not one.plan.digest.startswith(plan):
            raise Forbidden(
                f"expected the plan that stands ({one.plan.digest[:12]}…), got {plan[:12]}",
                remedy=f"It was changed. Read it again: comity operation show DIR {operation}",
            )
        return write(node, tx, RULES, space, kind, {"plan": one.plan.digest, **body}, actor=person.id)


def tell_result(node: Node, operation: str, *, counts: Mapping[str, int], text: str, person: Person) -> Entry:
    """What this member's part brought, once it has begun."""
    with node.records.transaction() as tx:
        space = tx.spaces.get(operation, KIND)
        require_with_joint(
            node, Action.MANAGE_JOINT, kind=KIND, person=person, leads=space.founder == node.id
        )
        one = _standing(node, tx, space)
        require_result(one, now=node.clock())
        body = {"plan": one.plan.digest, "counts": dict(counts), "text": text}
        return write(node, tx, RULES, space, RESULT, body, actor=person.id)


def operations(node: Node, *, actor: str) -> list[Operation]:
    with node.records.transaction() as tx:
        node.record(tx, "joint.listed", actor=actor, what=KIND)
        return [_look(node, tx, one) for one in tx.spaces.all(KIND)]


def operation_named(node: Node, operation: str, *, actor: str) -> Operation:
    with node.records.transaction() as tx:
        space = tx.spaces.get(operation, KIND)
        node.record(tx, "joint.read", actor=actor, space=space.id)
        return _look(node, tx, space)


def come_due(node: Node, tx: Transaction, deadline: Deadline) -> None:
    """The time to decide is over: whoever was silent is no go. The leader says so; the others know it by themselves."""
    operation, _, plan = deadline.subject_id.partition("/")
    space = tx.spaces.get(operation, KIND)
    one = _standing(node, tx, space)
    if one.plan.digest != plan or one.state is State.GO:
        return
    if space.founder == node.id:
        _state_outcome(node, tx, space)
    elif one.outcome is None:
        _record(node, tx, space, one, actor="node")


def _react(node: Node, tx: Transaction, space: Space, entry: Entry) -> None:
    if entry.kind == PLAN:
        _set_deadline(node, tx, space, entry)
    elif space.founder == node.id and entry.kind in (GO, NO_GO):
        _state_outcome(node, tx, space)
    elif entry.kind in (OUTCOME, NO_GO):
        _record(node, tx, space, _standing(node, tx, space), actor=entry.author)


def _state_outcome(node: Node, tx: Transaction, space: Space) -> None:
    body = outcome_due(_standing(node, tx, space), now=node.clock())
    if body is not None:
        write(node, tx, RULES, space, OUTCOME, body, actor="node")


def _set_deadline(node: Node, tx: Transaction, space: Space, entry: Entry) -> None:
    now = node.clock()
    tx.deadlines.add(
        Deadline(
            id=node.new_id("deadline"), subject=KIND, subject_id=f"{space.id}/{entry.digest}", rule=RULE,
            event="decide", kind="T", source="the plan of the operation", set_at=now,
            due_at=datetime.fromisoformat(entry.body["decide_by"]), state="pending",
        )
    )  # fmt: skip


def _record(node: Node, tx: Transaction, space: Space, one: Standing, *, actor: str) -> None:
    node.record(
        tx, "operation.stands", actor=actor, space=space.id, plan=one.plan.digest, version=one.version,
        state=one.state.value, why=one.why, silent=list(one.silent),
    )  # fmt: skip


def _standing(node: Node, tx: Transaction, space: Space) -> Standing:
    return standing(readable_entries(node, tx, space), leader=space.founder, now=node.clock())


def _look(node: Node, tx: Transaction, space: Space) -> Operation:
    one = _standing(node, tx, space)
    return Operation(
        space=space, plan=read_plan(one.plan.body) if one.plan.body else None, standing=one,
        lacking=missing(entries_of(tx, space)), entries=shown_entries(node, tx, space),
    )  # fmt: skip


def _present(space: Space, _entries: Sequence[Entry]) -> tuple[str, ...]:
    return space.members


RULES = Rules(founding=PLAN, check=check, present=_present, react=_react)
