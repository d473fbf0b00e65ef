"""Hold what rests, for as long as the law allows: placed, confirmed by an order, returned, released or lapsed.

Each hold runs the `urgent_freeze` procedure: it has a deadline from the moment it is placed and ends by
itself when no order confirms it in time. The node that asked is told of every change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from comity.backends.sql import Transaction
from comity.casework import Case, CaseTrace, Hold, Moved, Request, Subject, move, start
from comity.errors import ComityError, Conflict, StorageError
from comity.law import Action
from comity.model import Holding, Person
from comity.node.bootstrap import Node
from comity.node.policy import may_with_hold, require_with_hold
from comity.node.post.send import Letter, send
from comity.tracing import time_text

PROCEDURE = "urgent_freeze"
PURPOSE = "trace-and-hold"
NODE = "node"
ACTIVE = ("held", "ordered")
_SUPERVISED = ("release", "challenge_upheld", "tell_holder")
"""What whoever may release a hold may do; all else needs who may confirm it."""
_LAPSES = ("lapse", "order_lapses")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Why money is held: our own case, or a peer's request on its legal basis."""

    case: Case
    request: Request | None
    actor: str
    person: Person | None = None
    """Who decided, where it was a person: their role counts, not the standing policy."""

    def facts(self) -> dict[str, Any]:
        """What the procedure's first gate asks for."""
        if self.request is None:
            return {"ground": self.case.report["report_id"], "authority": self.case.origin, "own_case": True}
        return {
            "ground": self.request.id, "authority": self.request.peer,
            "legal_basis": dict(self.request.basis),
        }  # fmt: skip


def hold_what_rests(node: Node, tx: Transaction, ground: Ground, trace: CaseTrace) -> None:
    """Place or amend holds so that they match what the latest trace says rests in accounts of ours.

    One hold an account and currency: a later trace that finds more, less or nothing amends it. One that
    lapsed, was released or returned stays so: no trace brings it back. What was paid out in cash is gone: it
    is a bank's own cash account that it arrives in. These, and what the standing policy does not allow to
    hold, are recorded with the reason.
    """
    cash = _paid_out_in_cash(trace)
    own = [hold for hold in tx.holds.of_case(ground.case.id) if hold.holder == node.id]
    standing = {(hold.account, hold.currency): hold for hold in own if hold.state in ACTIVE}
    ended = {(hold.account, hold.currency): hold.state for hold in own if hold.state not in ACTIVE}
    elsewhere = _held_for_others(node, tx, ground.case)
    for holding in trace.trace.holdings:
        pot = (holding.account, holding.currency)
        amount = max(0, min(holding.tainted_minor, holding.balance_minor - elsewhere.get(pot, 0)))
        known = standing.pop(pot, None)
        if known is not None:
            _follow_trace(node, tx, ground, known, holding, amount)
        elif pot in cash:
            _record_not_placed(
                node, tx, ground, holding, amount, "cash", ["paid out in cash: no account holds it"]
            )
        elif pot in ended:
            _record_not_placed(
                node, tx, ground, holding, amount, "ended", [f"a hold on it has ended: {ended[pot]}"]
            )
        elif not amount:
            _record_not_placed(node, tx, ground, holding, amount, "none-left", ["all of it is held already"])
        elif _allowed(node, tx, ground, holding, amount):
            _place(node, tx, ground, holding, amount)
    for hold in standing.values():
        _follow_trace(node, tx, ground, hold, None, 0)


def _held_for_others(node: Node, tx: Transaction, case: Case) -> dict[tuple[str, str], int]:
    """What other cases hold, by pot: the same money is not held twice, and never more than there is."""
    total: dict[tuple[str, str], int] = {}
    for hold in tx.holds.all():
        if hold.holder == node.id and hold.case_id != case.id and hold.state in ACTIVE:
            pot = (hold.account, hold.currency)
            total[pot] = total.get(pot, 0) + hold.amount_minor
    return total


def _allowed(node: Node, tx: Transaction, ground: Ground, holding: Holding, amount: int) -> bool:
    facts = {**ground.facts(), "amount_minor": amount, "currency": holding.currency}
    decision = may_with_hold(
        node, Action.PLACE_HOLD, facts, offence=ground.case.offence, person=ground.person
    )
    if not decision.allowed:
        _record_not_placed(node, tx, ground, holding, amount, "policy", list(decision.reasons))
    return decision.allowed


def _paid_out_in_cash(trace: CaseTrace) -> set[tuple[str, str]]:
    """Pots that tainted money reached by cash withdrawals only."""
    channels: dict[tuple[str, str], set[str]] = {}
    for flow in trace.moves:
        channels.setdefault((flow.to_account, flow.to_currency), set()).add(flow.channel)
    return {pot for pot, used in channels.items() if used == {"cash"}}


def _record_not_placed(
    node: Node, tx: Transaction, ground: Ground, holding: Holding, amount: int, code: str, reasons: list[str]
) -> None:
    node.record(
        tx, "hold.not-placed", case_id=ground.case.id, actor=ground.actor, account=holding.account,
        currency=holding.currency, amount_minor=amount, reasons=reasons, code=code,
    )  # fmt: skip


def _place(node: Node, tx: Transaction, ground: Ground, holding: Holding, amount: int) -> None:
    now = node.clock()
    facts = {
        **ground.facts(), "case_id": ground.case.id, "account": holding.account,
        "institution": holding.institution or "not stated", "currency": holding.currency,
        "amount_minor": amount,
    }  # fmt: skip
    hold = Hold(
        id=node.new_id("hold"), holder=node.id, case_id=ground.case.id,
        request_id=ground.request.id if ground.request else "", account=holding.account,
        institution=holding.institution, currency=holding.currency, amount_minor=amount, state="",
        placed_at=now, lapses_at=now, facts=facts,
    )  # fmt: skip
    moved = start(
        _procedure(node), _subject(hold), facts, now=now, new_id=node.new_id,
        jurisdiction=node.jurisdiction_of(node.id),
    )  # fmt: skip
    hold = _kept(tx, hold, moved)
    advance(node, tx, hold, "place", {}, actor=ground.actor)


def _follow_trace(
    node: Node, tx: Transaction, ground: Ground, hold: Hold, holding: Holding | None, amount: int
) -> None:
    """A later trace finds more, less or nothing where a hold stands: `amount`, of what no other case holds.

    What an order confirmed only a person changes: the difference is recorded. More is held if the policy
    would hold that much; where nothing is left to hold, the procedure ends the hold and the origin is told.
    """
    if amount == hold.amount_minor:
        return
    if hold.state != "held":
        _record_change(node, tx, ground, hold, "hold.differs", amount)
    elif amount == 0:
        ended = advance(node, tx, hold, "trace_withdrawn", {"traced_minor": 0}, actor=ground.actor)
        tell_of_change(node, tx, ended)
    elif holding is not None and (amount < hold.amount_minor or _allowed(node, tx, ground, holding, amount)):
        tx.holds.put(replace(hold, amount_minor=amount, facts={**hold.facts, "amount_minor": amount}))
        _record_change(node, tx, ground, hold, "hold.amended", amount)


def _record_change(node: Node, tx: Transaction, ground: Ground, hold: Hold, kind: str, amount: int) -> None:
    node.record(
        tx, kind, case_id=hold.case_id, actor=ground.actor, hold=hold.id, account=hold.account,
        currency=hold.currency, was_minor=hold.amount_minor, amount_minor=amount,
    )  # fmt: skip


def advance(
    node: Node,
    tx: Transaction,
    hold: Hold,
    event: str,
    facts: Mapping[str, Any],
    *,
    actor: str,
    since: datetime | None = None,
) -> Hold:
    """Let `event` happen to a hold of ours; `Conflict` or `Forbidden` if the procedure says it cannot.

    Terms that follow run from now, or `since`: what happened while the node was off happened then.
    """
    before = hold.state
    hold = replace(hold, facts={**hold.facts, **facts})
    moved = move(
        _procedure(node), _subject(hold), hold.state, event, hold.facts, now=since or node.clock(),
        new_id=node.new_id, jurisdiction=node.jurisdiction_of(node.id),
    )  # fmt: skip
    hold = _kept(tx, hold, moved)
    case = tx.cases.get(hold.case_id)
    node.record(
        tx, _kind(before, hold.state, event), case_id=hold.case_id, actor=actor, hold=hold.id,
        account=hold.account, currency=hold.currency, amount_minor=hold.amount_minor, because=event,
        facts=dict(facts), reported_at=time_text(case.reported_at), lapses_at=time_text(hold.lapses_at),
        reasons=list(moved.reasons),
    )  # fmt: skip
    return hold


def decide_hold(node: Node, hold_id: str, event: str, facts: Mapping[str, Any], *, person: Person) -> Hold:
    """A person moves a hold by `event`, if their role may and the procedure's gates are open."""
    with node.records.transaction() as tx:
        hold = tx.holds.get(node.id, hold_id)
        _refuse_run_out(hold, node.clock())
        action = Action.RELEASE_HOLD if event in _SUPERVISED else Action.CONFIRM_HOLD
        offence = tx.cases.get(hold.case_id).offence
        require_with_hold(node, action, hold, offence=offence, person=person)
        hold = advance(node, tx, hold, event, facts, actor=person.id)
        tell_of_change(node, tx, hold)
        return hold


def _refuse_run_out(hold: Hold, now: datetime) -> None:
    """A deadline that has passed has passed, even where the sweeper has not come round to it yet."""
    if hold.state in ACTIVE and hold.lapses_at <= now:
        raise Conflict.because(
            expected="a hold that has not run out", got=f"{hold.id}, run out {time_text(hold.lapses_at)}"
        )


def hold_by_hand(node: Node, case_id: str, *, person: Person) -> int:
    """A person has everything held that rests in our own book in a case of ours and is not held yet; return
    how many new holds that made. For what no standing policy holds by itself.
    """
    with node.records.transaction() as tx:
        case = tx.cases.get(case_id)
        own = [trace for trace in tx.cases.traces(case_id) if trace.source == node.id]
        if case.origin != node.id or not own:
            raise Conflict.because(
                expected="a case of this node that was traced",
                got=f"{case_id} of {case.origin}",
                remedy="For another's case answer its request: comity request answer DIR REQUEST --as NAME",
            )
        before = len(tx.holds.of_case(case_id))
        hold_what_rests(node, tx, Ground(case=case, request=None, actor=person.id, person=person), own[0])
        return len(tx.holds.of_case(case_id)) - before


def tell_of_change(node: Node, tx: Transaction, hold: Hold) -> None:
    """The node whose case it is learns of it; nobody else does. That it cannot be told stops no change: a hold
    lapses though its origin has left, and though what others said of the case may not go there any more.
    """
    case = tx.cases.get(hold.case_id)
    if case.origin == node.id:
        return
    why = f"{case.origin} is no member of {case.compact} now"
    if node.knows(case.origin, case.compact):
        try:
            _tell(node, tx, case, hold)
            return
        except StorageError:
            raise
        except ComityError as error:
            why = str(error)
    node.record(
        tx, "alarm.hold-untold", case_id=case.id, actor=NODE, peer=case.origin, changed=hold.id,
        state=hold.state, problem=why[:500],
    )  # fmt: skip


def _tell(node: Node, tx: Transaction, case: Case, hold: Hold) -> None:
    letter = Letter(
        compact=case.compact, peer=case.origin, type="hold.changed", case_id=case.id, purpose=PURPOSE,
        legal_basis=tx.requests.get(hold.request_id).basis["instrument"],
        payload={"case": case.origin_case, "hold": hold_document(hold)},
    )  # fmt: skip
    send(node, tx, letter, actor=NODE)


def hold_document(hold: Hold) -> dict[str, Any]:
    """A hold as it is told to the node that asked for it."""
    return {
        "hold": hold.id, "account": hold.account, "institution": hold.institution,
        "currency": hold.currency, "amount_minor": hold.amount_minor, "state": hold.state,
        "placed_at": time_text(hold.placed_at), "lapses_at": time_text(hold.lapses_at),
    }  # fmt: skip


def _kept(tx: Transaction, hold: Hold, moved: Moved) -> Hold:
    """Store the new state and its deadlines."""
    tx.deadlines.clear("hold", hold.id, moved.cleared)
    for deadline in moved.deadlines:
        tx.deadlines.add(deadline)
    lapses = [deadline.due_at for deadline in moved.deadlines if deadline.event in _LAPSES]
    hold = replace(hold, state=moved.state, lapses_at=lapses[0] if lapses else hold.lapses_at)
    tx.holds.put(hold)
    return hold


def _procedure(node: Node) -> Any:
    return node.procedures[PROCEDURE]


def _subject(hold: Hold) -> Subject:
    return Subject(kind="hold", id=hold.id)


def _kind(before: str, after: str, event: str) -> str:
    """`hold.placed` when money is first held; a change of state by its name; else what happened."""
    if before == after:
        return f"hold.{event.replace('_', '-')}"
    return {"held": "hold.placed", "ordered": "hold.confirmed"}.get(after, f"hold.{after.replace('_', '-')}")
