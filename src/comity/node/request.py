"""A request on its way through its procedure: approved, sent, and every step recorded.

`ask` makes requests, `answer` answers those of peers, `hear` takes in replies and `sweep` deadlines; each
step of any of them goes through `advance`, so that no state changes without its deadlines and its event.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from comity.backends.sql import Transaction
from comity.casework import Request, Subject, move
from comity.exchange import Outgoing
from comity.law import Action
from comity.model import Crossing, Person, human_of
from comity.model.authority import FOR
from comity.node.bootstrap import Node
from comity.node.handling.gate import recording
from comity.node.handling.sending import tellers
from comity.node.increment import to_say, withdrawn
from comity.node.policy import require_with_request
from comity.node.post.send import Letter, send
from comity.tracing import read_crossing

PROCEDURE = "trace_and_hold"
PURPOSE = "trace-and-hold"
RUNNING = ("draft", "checked", "awaiting_approval", "approved", "sent", "acknowledged")
NODE = "node"


def advance(
    node: Node,
    tx: Transaction,
    request: Request,
    event: str,
    facts: Mapping[str, Any],
    actor: str,
    *,
    since: datetime | None = None,
) -> Request:
    """Let `event` happen to a request: new state, deadlines and ledger event, in one transaction.

    Terms that follow run from now, or `since`: what happened while the node was off happened then.
    """
    moved = move(
        node.procedures[request.procedure], Subject(kind="request", id=request.id), request.state, event,
        {**_facts(request), **facts}, now=since or node.clock(), new_id=node.new_id,
        jurisdiction=node.jurisdiction_of(node.id),
    )  # fmt: skip
    tx.deadlines.clear("request", request.id, moved.cleared)
    for deadline in moved.deadlines:
        tx.deadlines.add(deadline)
    before = request.state
    request = replace(request, state=moved.state, updated_at=node.clock())
    tx.requests.put(request)
    node.record(
        tx, f"request.{moved.state if moved.state != before else event}".replace("_", "-"),
        case_id=request.case_id, actor=actor, request=request.id, peer=request.peer, because=event,
        basis=request.basis["instrument"], refusal=dict(request.refusal or {}),
        reasons=[*moved.reasons, *facts.get("reasons", [])],
    )  # fmt: skip
    return request


def approve(node: Node, request_id: str, *, person: Person) -> Request:
    """A second person approves and sends what no standing policy sends by itself."""
    with node.records.reading() as tx:
        request = tx.requests.get(request_id)
    with recording(node, request.case_id, actor=person.id), node.records.transaction() as tx:
        request = tx.requests.get(request_id)
        drafters = tx.people.humans_behind(request.drafted_by)
        require_with_request(node, Action.APPROVE_REQUEST, request, person=person, drafters=drafters)
        humans = {"approval": {"by": human_of(person)}, "drafted_by": FOR.join(sorted(drafters))}
        request = advance(node, tx, request, "approve", humans, person.id)
        return dispatch(node, tx, request, actor=person.id)


def dispatch(node: Node, tx: Transaction, request: Request, *, actor: str) -> Request:
    """Sign, seal and queue an approved request: what is new in it, where the peer knows the rest."""
    about = (*inflows_of(request), *withdrawn(tx, request))
    message_id = send(
        node, tx,
        Letter(
            compact=tx.cases.get(request.case_id).compact, peer=request.peer, type=f"{PROCEDURE}.request",
            case_id=request.case_id, purpose=PURPOSE,
            legal_basis=request.basis["instrument"], senders=tellers(node, tx, request.case_id, about),
            payload={"request": request.id, "basis": dict(request.basis), **to_say(tx, request)},
        ),
        actor=actor,
    )  # fmt: skip
    return advance(node, tx, replace(request, message_id=message_id), "send", {}, actor)


def lapse_unheard(node: Node, tx: Transaction, outgoing: Outgoing, *, why: str) -> None:
    """A message of ours reached nobody, or nobody could read it. A request in it lapses, so that the case
    goes on: it is asked again, a few times.
    """
    if not outgoing.case_id:
        return
    for request in tx.requests.of_case(outgoing.case_id):
        if request.message_id == outgoing.message_id and request.state in ("sent", "acknowledged"):
            advance(node, tx, request, "expire", {"reasons": [why]}, NODE)
    look_again(node, tx, outgoing.case_id)


def look_again(node: Node, tx: Transaction, case_id: str) -> None:
    """Something changed for this case: follow it again if it is ours. Others' cases their origin pursues."""
    if tx.cases.get(case_id).origin == node.id:
        tx.cases.want_pursuit(case_id)


def inflows_of(request: Request) -> tuple[Crossing, ...]:
    return tuple(read_crossing(crossing) for crossing in request.payload["crossings"])


def _facts(request: Request) -> dict[str, Any]:
    """What the procedure's gates are shown: the request's fields under the procedure's names."""
    about = request.payload["crossings"] or "none any more"  # to whom that may be said: `ask`, `answer`
    return {
        **request.payload, "crossings": about, "case_id": request.case_id, "legal_basis": dict(request.basis),
        "handling": "as in the manifest of the message", "drafted_by": request.drafted_by,
        "refusal": dict(request.refusal or {}),
    }  # fmt: skip
