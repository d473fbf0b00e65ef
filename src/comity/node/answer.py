"""Answer a peer's request: check it against our own law and policy, trace on in our own book, hold, reply.

What goes back is holdings and exits only. A refusal names its ground. What the standing policy neither
answers nor refuses waits for an officer (`comity request answer`, `comity request refuse`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from comity.backends.sql import Received, Transaction
from comity.casework import Case, CaseTrace, Request
from comity.errors import Conflict, InputError
from comity.law import Action
from comity.law.offences import offence
from comity.model import Crossing, Person
from comity.node.ask import MAX_CROSSINGS
from comity.node.bootstrap import Node
from comity.node.handling.obligations import keep_received, require_item
from comity.node.hold import Ground, hold_document, hold_what_rests
from comity.node.policy import may_with_request, our_reading, require_with_request
from comity.node.post.send import Letter, send
from comity.node.request import NODE, PROCEDURE, PURPOSE, advance, inflows_of
from comity.node.trace import trace_case
from comity.tracing import (
    Rule,
    crossing_document,
    gap_document,
    holding_document,
    read_crossing,
    read_time,
)

MAX_NAME = 200
MAX_FACTS = 2_000
_SHAPES: Mapping[str, type] = {
    "request": str, "case": str, "report": str, "offence": str, "facts": str, "rule": str, "urgent": bool,
    "purpose": str, "permitted_use": str, "expires_at": str, "asks": list, "crossings": list, "basis": dict,
}  # fmt: skip


def take_request(node: Node, received: Received) -> None:
    """A request arrived: file it, then answer, refuse or leave it to an officer, as our policy says."""
    _check(node, received)
    request = _file(node, received)
    if request.state != "acknowledged":
        return
    if not request.basis["usable"]:
        text = "; ".join(request.basis["reasons"])
        refuse(node, request.id, ground="no-usable-basis", text=text, actor="policy")
        return
    decision = may_with_request(node, Action.ANSWER_AUTOMATICALLY, request)
    if decision.allowed:
        answer(node, request.id, actor="policy", reasons=decision.reasons)
    elif decision.refusal_ground:
        text = "; ".join(decision.reasons)
        refuse(node, request.id, ground=decision.refusal_ground, text=text, actor="policy")
    else:
        _leave_to_an_officer(node, request, decision.reasons)


def answer(
    node: Node, request_id: str, *, actor: str, reasons: Sequence[str] = (), person: Person | None = None
) -> Request:
    """Trace the inflows on in our own book, hold what rests, and send holdings and exits back."""
    with node.records.reading() as tx:
        request = _answerable(node, tx.requests.get(request_id))
        case = tx.cases.get(request.case_id)
    require_item(node, "derive", case.compact, request.peer, request.message_id, actor=actor)
    ours = trace_case(node, case, inflows_of(request))
    with node.records.transaction() as tx:
        request = _answerable(node, tx.requests.get(request_id))
        tx.cases.put_trace(ours)
        if "hold" in request.payload["asks"]:
            ground = Ground(case=case, request=request, actor=actor, person=person)
            hold_what_rests(node, tx, ground, ours)
        reply = _reply(node, tx, request, ours)
        request = replace(request, answer=reply)
        request = advance(node, tx, request, "answer", {"reasons": list(reasons)}, actor)
        _send_reply(node, tx, request, f"{PROCEDURE}.answer", reply, actor)
        return request


def refuse(node: Node, request_id: str, *, ground: str, text: str, actor: str) -> Request:
    """Refuse on a ground that the procedure declares; the asking node is told the ground and the words."""
    with node.records.transaction() as tx:
        request = _answerable(node, tx.requests.get(request_id))
        refusal = {"ground": ground, "text": text}
        request = replace(request, refusal=refusal)
        request = advance(node, tx, request, "refuse", {"reasons": [f"{ground}: {text}"]}, actor)
        _send_reply(node, tx, request, f"{PROCEDURE}.refusal", refusal, actor)
        return request


def answer_by_hand(node: Node, request_id: str, *, person: Person) -> Request:
    """An officer answers what no standing policy answers, if their role may."""
    _require(node, Action.ANSWER_REQUEST, request_id, person)
    return answer(node, request_id, actor=person.id, person=person)


def refuse_by_hand(node: Node, request_id: str, *, person: Person, ground: str, text: str) -> Request:
    """An officer refuses on a declared ground, if their role may."""
    _require(node, Action.REFUSE_REQUEST, request_id, person)
    return refuse(node, request_id, ground=ground, text=text, actor=person.id)


def _require(node: Node, action: Action, request_id: str, person: Person) -> None:
    with node.records.reading() as tx:
        request = tx.requests.get(request_id)
    require_with_request(node, action, request, person=person)


def _check(node: Node, received: Received) -> None:
    """The payload's shape, as a peer that we do not trust sent it: `InputError` says what is wrong."""
    payload = received.payload
    for key, shape in _SHAPES.items():
        if not isinstance(payload.get(key), shape):
            raise InputError.because(
                expected=f"{shape.__name__} in {key!r}", got=type(payload.get(key)).__name__,
                where=received.id,
            )  # fmt: skip
    named = {**payload, "instrument": payload["basis"].get("instrument")}
    for key in ("request", "case", "report", "instrument", "purpose", "permitted_use"):
        _check_name(named[key], key, received)
    if not 0 < len(payload["facts"].strip()) <= MAX_FACTS:
        raise InputError.because(
            expected=f"facts of 1 to {MAX_FACTS} characters",
            got=str(len(payload["facts"])),
            where=received.id,
        )
    if not 0 < len(payload["crossings"]) <= MAX_CROSSINGS:
        raise InputError.because(
            expected=f"1 to {MAX_CROSSINGS} crossings", got=str(len(payload["crossings"])), where=received.id
        )
    Rule.named(payload["rule"])
    offence(payload["offence"])
    read_time(payload["expires_at"], where="expires_at")
    for document in payload["crossings"]:
        _check_crossing(node, read_crossing(document), received)


def _check_name(value: Any, key: str, received: Received) -> None:
    """One line that can be shown and sent back."""
    if not (isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= MAX_NAME):
        raise InputError.because(
            expected=f"one line of 1 to {MAX_NAME} characters in {key!r}", got=repr(value)[:100],
            where=received.id,
        )  # fmt: skip


def _check_crossing(node: Node, crossing: Crossing, received: Received) -> None:
    if crossing.to_country not in node.settings.covers:
        raise InputError.because(
            expected=f"money that came into {', '.join(node.settings.covers) or 'no country'}",
            got=f"{crossing.transfer_id} into {crossing.to_country}",
            where=received.id,
        )


def _file(node: Node, received: Received) -> Request:
    """File the request and acknowledge it; the one that was filed before if this was."""
    with node.records.transaction() as tx:
        known = tx.requests.by_message(received.sender, received.id)
        if known is not None:
            return known
        payload, now = received.payload, node.clock()
        case = tx.cases.of_origin(received.sender, payload["case"]) or _open_case(node, tx, received)
        if case.compact != received.compact:
            raise InputError.because(
                expected=f"the compact of this case: {case.compact}", got=received.compact, where=received.id
            )
        if (case.rule, case.offence) != (payload["rule"], payload["offence"]):
            raise InputError.because(
                expected=f"the rule and offence of this case: {case.rule}, {case.offence}",
                got=f"{payload['rule']}, {payload['offence']}",
                where=received.id,
            )
        request = Request(
            id=node.new_id("request"), case_id=case.id, direction="in", procedure=PROCEDURE,
            peer=received.sender, state="sent", message_id=received.id, drafted_by=received.sender,
            basis=our_reading(
                node, received.sender, payload["basis"]["instrument"], offence=case.offence
            ),
            payload=payload, answer=None, refusal=None, created_at=now, updated_at=now,
        )  # fmt: skip
        keep_received(node, tx, received, case.id)
        if request.basis["usable"]:
            request = advance(node, tx, replace(request, state="approved"), "send", {}, received.sender)
        return advance(node, tx, request, "acknowledge", {}, NODE)


def _open_case(node: Node, tx: Transaction, received: Received) -> Case:
    payload, now = received.payload, node.clock()
    case = Case(
        id=node.new_id("case"), compact=received.compact, origin=received.sender, origin_case=payload["case"],
        title=f"Asked by {received.sender}: {payload['report']}", summary=payload["facts"],
        offence=payload["offence"], rule=payload["rule"],
        report={"report_id": payload["report"], "claims": {}}, reported_at=now, opened_at=now,
        pursuit_wanted=0, pursuit_done=0,
    )  # fmt: skip
    tx.cases.add(case)
    node.record(
        tx, "case.opened", case_id=case.id, actor=NODE, origin=case.origin,
        origin_case=case.origin_case, offence=case.offence,
    )  # fmt: skip
    return case


def _answerable(node: Node, request: Request) -> Request:
    if read_time(request.payload["expires_at"]) <= node.clock():
        raise Conflict.because(
            expected="a request that has not run out", got=f"{request.id}, {request.payload['expires_at']}"
        )
    if request.direction != "in" or request.state != "acknowledged":
        raise Conflict.because(
            expected="a request that arrived here and waits for an answer",
            got=f"{request.id}, {'sent by us' if request.direction == 'out' else request.state}",
        )
    return request


def _reply(node: Node, tx: Transaction, request: Request, ours: CaseTrace) -> dict[str, Any]:
    return {
        "rule": ours.trace.rule,
        "holdings": [holding_document(holding) for holding in ours.trace.holdings],
        "exits": [crossing_document(crossing) for crossing in ours.trace.exits],
        "gaps": [gap_document(gap) for gap in ours.trace.gaps],
        "unmatched": [crossing_document(crossing) for crossing in ours.trace.unmatched],
        "holds": [
            hold_document(hold) for hold in tx.holds.of_case(request.case_id) if hold.holder == node.id
        ],
    }  # fmt: skip


def _send_reply(
    node: Node, tx: Transaction, request: Request, type_: str, reply: Mapping[str, Any], actor: str
) -> None:
    letter = Letter(
        compact=tx.cases.get(request.case_id).compact, peer=request.peer, type=type_,
        case_id=request.case_id, purpose=PURPOSE,
        legal_basis=request.basis["instrument"], in_reply_to=request.message_id, answers=True,
        payload={"request": request.payload["request"], "case": request.payload["case"], **reply},
    )  # fmt: skip
    send(node, tx, letter, actor=actor)


def _leave_to_an_officer(node: Node, request: Request, reasons: Sequence[str]) -> None:
    with node.records.transaction() as tx:
        node.record(
            tx, "request.left-to-officer", case_id=request.case_id, actor="policy", request=request.id,
            peer=request.peer, reasons=list(reasons),
        )  # fmt: skip
