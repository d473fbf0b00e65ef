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
from comity.law import Action, Decision
from comity.law.offences import offence
from comity.model import Crossing, Holding, Person
from comity.node.ask import MAX_CROSSINGS, MAX_PIECES
from comity.node.bootstrap import Node
from comity.node.handling.exits import require_item
from comity.node.handling.items import keep_received
from comity.node.hold import Ground, hold_document, hold_what_rests
from comity.node.increment import (
    answer_to_say,
    messages_behind,
    new_guesses,
    refuse_empty_pieces,
    whole_request,
)
from comity.node.open_parts import record_chokes
from comity.node.policy import may_with_request, our_reading, reach_of, require_with_request
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
from comity.tracing.chokes import choke_document

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
    decision = _decide(node, request)
    if decision.allowed:
        _answer_by_policy(node, request)
    else:
        _not_by_policy(node, request, decision)


def _decide(node: Node, request: Request, ours: CaseTrace | None = None) -> Decision:
    """Whether the standing policy answers it: before it was followed in our book, and again with what was found."""
    unmatched, exits = (ours.trace.unmatched, ours.trace.exits) if ours is not None else ((), ())
    with node.records.reading() as tx:
        guessed = len(new_guesses(tx, request, unmatched))
        reach = reach_of(node, tx, request, unmatched=len(unmatched), guessed=guessed, exits=len(exits))
    return may_with_request(node, Action.ANSWER_AUTOMATICALLY, request, reach=reach)


def _answer_by_policy(node: Node, request: Request) -> None:
    ours = _followed(node, request.id, actor="policy")
    decision = _decide(node, request, ours)
    if decision.allowed:
        _answer_with(node, request.id, ours, actor="policy", reasons=decision.reasons, person=None)
    else:
        _not_by_policy(node, request, decision)


def _not_by_policy(node: Node, request: Request, decision: Decision) -> None:
    if decision.refusal_ground:
        text = "; ".join(decision.reasons)
        refuse(node, request.id, ground=decision.refusal_ground, text=text, actor="policy")
    else:
        _leave_to_an_officer(node, request, decision.reasons)


def answer(
    node: Node, request_id: str, *, actor: str, reasons: Sequence[str] = (), person: Person | None = None
) -> Request:
    """Trace the inflows on in our own book, hold what rests, and send holdings and exits back."""
    ours = _followed(node, request_id, actor=actor)
    return _answer_with(node, request_id, ours, actor=actor, reasons=reasons, person=person)


def _followed(node: Node, request_id: str, *, actor: str) -> CaseTrace:
    """Follow what the request is about; what was followed for the case before is gone on from, where that can be."""
    with node.records.reading() as tx:
        request = _answerable(node, tx.requests.get(request_id))
        case = tx.cases.get(request.case_id)
        before = next((one for one in tx.cases.traces(case.id) if one.source == node.id), None)
        behind = messages_behind(tx, request)
    for message_id in behind:
        require_item(node, "derive", case.compact, request.peer, message_id, actor=actor)
    return trace_case(node, case, inflows_of(request), before=before)


def _answer_with(
    node: Node, request_id: str, ours: CaseTrace, *, actor: str, reasons: Sequence[str], person: Person | None
) -> Request:
    with node.records.transaction() as tx:
        request = _answerable(node, tx.requests.get(request_id))
        case = tx.cases.get(request.case_id)
        tx.cases.put_trace(ours)
        if "hold" in request.payload["asks"]:
            ground = Ground(case=case, request=request, actor=actor, person=person)
            hold_what_rests(node, tx, ground, ours)
        record_chokes(node, tx, case)
        reply = _reply(node, tx, request, ours)
        said = answer_to_say(tx, request, reply)
        guessed = 0 if person is not None else len(new_guesses(tx, request, ours.trace.unmatched))
        request = replace(request, answer=reply, unmatched=guessed)
        request = advance(node, tx, request, "answer", {"reasons": list(reasons)}, actor)
        _send_reply(node, tx, request, f"{PROCEDURE}.answer", said, actor)
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
    _refuse_more(len(payload["crossings"]), MAX_CROSSINGS, "crossings in a request", received)
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
    if not crossing.from_country or crossing.from_country in node.settings.covers:
        raise InputError.because(
            expected="the country that each transfer came from, which is none of ours",
            got=f"{crossing.transfer_id} from {crossing.from_country!r}", where=received.id,
        )  # fmt: skip
    if not crossing.tainted_minor:
        raise InputError.because(
            expected="stolen money in each transfer", got=f"{crossing.transfer_id} with none", where=received.id,
            remedy="Ask about stolen money only; withdraw what has turned out clean.",
        )  # fmt: skip
    refuse_empty_pieces(crossing, where=received.id)


def _refuse_more(count: int, most: int, what: str, received: Received) -> None:
    if count > most:
        raise InputError.because(expected=f"1 to {most} {what}", got=str(count), where=received.id)


def _whole(tx: Transaction, case: Case | None, received: Received) -> dict[str, Any]:
    """All that a request is about, within what one case may ask: each that goes on from another may add to it."""
    payload = whole_request(tx, case, received)
    if not payload["crossings"] and case is None:
        raise InputError.because(
            expected=f"1 to {MAX_CROSSINGS} crossings, or a case that was asked about before", got="none",
            where=received.id,
        )  # fmt: skip
    _refuse_more(len(payload["crossings"]), MAX_CROSSINGS, "crossings in a case", received)
    pieces = sum(len(one["pieces"]) for one in payload["crossings"])
    _refuse_more(pieces, MAX_PIECES, "pieces in a case", received)
    return payload


def _file(node: Node, received: Received) -> Request:
    """File the request and acknowledge it; the one that was filed before if this was."""
    with node.records.transaction() as tx:
        known = tx.requests.by_message(received.sender, received.id)
        if known is not None:
            return known
        now, known_case = node.clock(), tx.cases.of_origin(received.sender, received.payload["case"])
        payload = _whole(tx, known_case, received)
        case = known_case or _open_case(node, tx, received)
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
        "holdings": [holding_document(_as_told(holding)) for holding in ours.trace.holdings],
        "chokes": [choke_document(point) for point in ours.chokes],
        "exits": [crossing_document(crossing) for crossing in ours.trace.exits],
        "gaps": [gap_document(gap) for gap in ours.trace.gaps],
        "unmatched": [crossing_document(crossing) for crossing in ours.trace.unmatched],
        "holds": [
            hold_document(hold) for hold in tx.holds.of_case(request.case_id) if hold.holder == node.id
        ],
    }  # fmt: skip


def _as_told(holding: Holding) -> Holding:
    """How much else is in an account is nobody's business abroad: the balance that is told is the stolen part."""
    return replace(holding, balance_minor=holding.tainted_minor)


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
