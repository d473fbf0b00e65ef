"""Act on what arrived: each message has its effect once, in the transaction that marks it handled.

A message that we cannot act on never blocks the ones behind it: it is refused with a reason, or
quarantined with an alarm when the fault may be ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from comity.backends.sql import Received, Transaction
from comity.casework import Case, CaseTrace, Hold, Request
from comity.errors import ComityError, Forbidden, InputError, NotFound, StorageError
from comity.exchange import MAX_SKEW, Status, verify_receipt
from comity.model import Holding, Trace
from comity.model.hold_states import COUNTED_AS_HELD
from comity.node.answer import take_request
from comity.node.bootstrap import Node
from comity.node.hold import PROCEDURE as HOLD_PROCEDURE
from comity.node.receipts import sign_receipt
from comity.node.request import PROCEDURE, advance, inflows_of, lapse_unheard
from comity.node.send import Letter, send
from comity.tracing import read_crossing, read_gap, read_holding, read_time, time_text

log = structlog.get_logger()
MAX_ROWS = 10_000
MAX_EXITS = 2_000
MAX_PIECES = 50_000
"""One peer's answer: what it makes us ask others must stay well within what may be asked."""
_FINAL = (Status.HANDLED, Status.REFUSED)


def hear(node: Node) -> int:
    """Handle what is waiting, oldest first; return how many messages were handled."""
    with node.records.reading() as tx:
        waiting = tx.inbox.to_handle()
    for received in waiting:
        try:
            _HANDLERS.get(received.type, _unknown)(node, received)
        except StorageError:
            raise
        except ComityError as error:
            _settle(node, received, state="handled", status=Status.REFUSED, code=error.code, text=str(error))
        except Exception as error:
            log.exception("message quarantined", message=received.id, sender=received.sender)
            _settle(
                node, received, state="quarantined", status=Status.REFUSED, code="quarantined",
                text=type(error).__name__,
            )  # fmt: skip
    return len(waiting)


def _hear_request(node: Node, received: Received) -> None:
    take_request(node, received)
    _settle(node, received, state="handled", status=Status.HANDLED)


def _hear_answer(node: Node, received: Received) -> None:
    payload: Any = received.payload
    with node.records.transaction() as tx:
        request, case = _asked(tx, received)
        if request.state not in ("sent", "acknowledged"):
            raise InputError.because(
                expected="an answer to a running request", got=f"{request.id}, {request.state}"
            )
        try:
            told = _told(node, case, request, payload, node.clock())
            holds = [
                _told_hold(node, tx, case, request, document, told.trace)
                for document in _list(payload, "holds")
            ]
        except InputError as error:
            _end_unreadable(node, tx, received, request, error)
            return
        tx.cases.put_trace(told)
        for hold in holds:
            _put_peer_hold(node, tx, case, hold)
        request = replace(request, answer=_summary(told))
        if request.state == "sent":
            request = advance(node, tx, request, "acknowledge", {}, received.sender)
        advance(node, tx, request, "answer", {}, received.sender)
        tx.cases.want_pursuit(case.id)
        _settle_in(node, tx, received, state="handled", status=Status.HANDLED)


def _end_unreadable(
    node: Node, tx: Transaction, received: Received, request: Request, error: ComityError
) -> None:
    """A reply that says what it may not, or nothing we can read: the request is over, and may be made again."""
    advance(node, tx, request, "expire", {"reasons": [f"the reply is refused: {error}"]}, received.sender)
    tx.cases.want_pursuit(request.case_id)
    _settle_in(node, tx, received, state="handled", status=Status.REFUSED, code=error.code, text=str(error))


def _hear_refusal(node: Node, received: Received) -> None:
    payload: Any = received.payload
    ground, text = str(payload.get("ground", ""))[:200], str(payload.get("text", ""))[:2_000]
    with node.records.transaction() as tx:
        request, case = _asked(tx, received)
        if request.state == "sent":
            request = advance(node, tx, request, "acknowledge", {}, received.sender)
        request = replace(request, refusal={"ground": ground, "text": text})
        try:
            advance(node, tx, request, "refuse", {"reasons": [f"{ground}: {text}"]}, received.sender)
        except Forbidden as error:
            _end_unreadable(node, tx, received, replace(request, refusal=None), error)
            return
        tx.cases.want_pursuit(case.id)
        _settle_in(node, tx, received, state="handled", status=Status.HANDLED)


def _hear_hold(node: Node, received: Received) -> None:
    payload: Any = received.payload
    with node.records.transaction() as tx:
        case = tx.cases.get(str(payload.get("case")))
        document = payload.get("hold")
        known = [
            hold for hold in tx.holds.of_case(case.id)
            if hold.holder == received.sender
            and isinstance(document, dict) and hold.id == document.get("hold")
        ]  # fmt: skip
        if not known:
            raise NotFound.because(expected="a hold that this peer told us of", got=str(document)[:200])
        told = next(one.trace for one in tx.cases.traces(case.id) if one.source == received.sender)
        request = tx.requests.get(known[0].request_id)
        _put_peer_hold(node, tx, case, _told_hold(node, tx, case, request, document, told))
        _settle_in(node, tx, received, state="handled", status=Status.HANDLED)


def _hear_receipt(node: Node, received: Received) -> None:
    """A peer says what became of a message of ours. Never answered with a receipt: that would not end."""
    text = received.payload.get("receipt")
    if not isinstance(text, str):
        raise InputError.because(expected="a signed receipt", got=type(text).__name__, where=received.id)
    receipt = verify_receipt(text, member=node.compact().member(received.sender))
    why = f"{receipt.reason_code}: {receipt.reason_text}".strip(": ")
    with node.records.transaction() as tx:
        outgoing = tx.outbox.of_receipt(receipt)
        if outgoing is None or receipt.status not in _FINAL:
            raise NotFound.because(
                expected="a final receipt for a message of ours to its giver", got=receipt.message_id
            )
        tx.outbox.note_receipt(outgoing, state=receipt.status.value, receipt=text, why=why)
        node.record(
            tx, f"message.{receipt.status.value}", case_id=outgoing.case_id, actor=received.sender,
            message=outgoing.message_id, type=outgoing.type, peer=received.sender, reason=why[:500],
        )  # fmt: skip
        if receipt.status is Status.REFUSED:
            lapse_unheard(node, tx, outgoing, why=why[:500])
        tx.inbox.settle(received, state="handled")


def _unknown(node: Node, received: Received) -> None:
    raise InputError.because(expected=f"one of {', '.join(_HANDLERS)}", got=received.type)


_HANDLERS: Mapping[str, Callable[[Node, Received], None]] = {
    f"{PROCEDURE}.request": _hear_request,
    f"{PROCEDURE}.answer": _hear_answer,
    f"{PROCEDURE}.refusal": _hear_refusal,
    "hold.changed": _hear_hold,
    "receipt": _hear_receipt,
}


def _asked(tx: Transaction, received: Received) -> tuple[Request, Case]:
    """The request of ours that this replies to: only the member we asked may answer it."""
    payload: Any = received.payload
    request = tx.requests.get(str(payload.get("request")))
    if (
        request.direction != "out"
        or request.peer != received.sender
        or request.message_id != received.in_reply_to
    ):
        raise NotFound.because(
            expected=f"a request that we sent to {received.sender}", got=str(payload.get("request"))
        )
    return request, tx.cases.get(request.case_id)


def _told(node: Node, case: Case, request: Request, payload: Mapping[str, Any], now: datetime) -> CaseTrace:
    """A peer's answer as a trace of its book: it may speak of its own accounts only."""
    covers = node.compact().member(request.peer).covers
    holdings = tuple(read_holding(document) for document in _list(payload, "holdings"))
    exits = tuple(read_crossing(document) for document in _list(payload, "exits"))
    pieces = sum(len(crossing.pieces) for crossing in exits)
    if len(exits) > MAX_EXITS or pieces > MAX_PIECES:
        raise InputError.because(
            expected=f"at most {MAX_EXITS} exits of {MAX_PIECES} pieces in all",
            got=f"{len(exits)} of {pieces}",
        )
    wrong = [holding.account for holding in holdings if not _theirs(holding, covers)]
    wrong += [
        crossing.transfer_id
        for crossing in exits
        if crossing.from_country not in covers or crossing.to_country in covers
    ]
    if wrong:
        raise InputError.because(
            expected=f"holdings in {', '.join(covers)} and exits from there to elsewhere", got=wrong[0]
        )
    if payload.get("rule") != case.rule:
        raise InputError.because(expected=f"a trace under {case.rule}", got=repr(payload.get("rule"))[:40])
    return CaseTrace(
        case_id=case.id, source=request.peer, inflows=inflows_of(request), at=now, moves=(),
        trace=Trace(
            rule=case.rule, totals=(), holdings=holdings, flows=(), exits=exits,
            gaps=tuple(read_gap(document) for document in _list(payload, "gaps")),
            unmatched=tuple(read_crossing(document) for document in _list(payload, "unmatched")),
        ),
    )  # fmt: skip


def _theirs(holding: Holding, covers: tuple[str, ...]) -> bool:
    return holding.country in covers or holding.country == ""


def _list(payload: Mapping[str, Any], key: str) -> list[Any]:
    value = payload.get(key)
    if not isinstance(value, list) or len(value) > MAX_ROWS:
        raise InputError.because(expected=f"a list of at most {MAX_ROWS} in {key!r}", got=str(type(value)))
    return value


def _told_hold(node: Node, tx: Transaction, case: Case, request: Request, document: Any, told: Trace) -> Hold:
    """A hold as a peer tells it; `InputError` if it cannot be one of this case."""
    hold = _read_hold(case, request, document)
    if hold.state not in node.procedures[HOLD_PROCEDURE].states:
        raise InputError.because(expected="a state that a hold can be in", got=repr(hold.state))
    known = tx.holds.find(hold.holder, hold.id)
    if known is not None and known.case_id != case.id:
        raise InputError.because(expected=f"a hold of case {case.id}", got=f"{hold.id} of another case")
    _refuse_impossible(hold, known, case, told, node.clock())
    return hold


def _put_peer_hold(node: Node, tx: Transaction, case: Case, hold: Hold) -> None:
    """Keep a copy of a peer's hold, and an event when it is new or changed."""
    known = tx.holds.find(hold.holder, hold.id)
    if known == hold:
        return
    tx.holds.put(hold)
    node.record(
        tx, "hold.told", case_id=case.id, actor=hold.holder, hold=hold.id, account=hold.account,
        currency=hold.currency, amount_minor=hold.amount_minor, state=hold.state,
        was=known.state if known else "", placed_at=time_text(hold.placed_at),
        lapses_at=time_text(hold.lapses_at),
        reported_at=time_text(case.reported_at),
        was_minor=known.amount_minor if known else 0,
    )  # fmt: skip


def _refuse_impossible(hold: Hold, known: Hold | None, case: Case, told: Trace, now: datetime) -> None:
    """A peer's word moves our figures: no hold of more than it says rests there, none from before we asked.

    What an order confirmed stays at its amount though a later trace finds less.
    """
    resting = sum(
        one.tainted_minor
        for one in told.holdings
        if (one.account, one.currency) == (hold.account, hold.currency)
    )
    most = max(resting, known.amount_minor) if known is not None and hold.state != "held" else resting
    if hold.state in COUNTED_AS_HELD and hold.amount_minor > most:
        raise InputError.because(
            expected=f"a hold of at most the {most} that rest in {hold.account}",
            got=str(hold.amount_minor),
        )
    if not case.opened_at - MAX_SKEW <= hold.placed_at <= now + MAX_SKEW:
        raise InputError.because(
            expected="a hold placed since the case was opened", got=hold.placed_at.isoformat()
        )


def _read_hold(case: Case, request: Request, document: Any) -> Hold:
    texts = ("hold", "account", "institution", "currency", "state", "placed_at", "lapses_at")
    if not isinstance(document, dict) or any(not isinstance(document.get(key), str) for key in texts):
        raise InputError.because(expected="a hold", got=str(document)[:200])
    minor = document.get("amount_minor")
    if not isinstance(minor, int) or isinstance(minor, bool) or minor < 0:
        raise InputError.because(expected="amount_minor, not negative", got=repr(minor))
    return Hold(
        id=document["hold"][:100], holder=request.peer, case_id=case.id, request_id=request.id,
        account=document["account"][:200], institution=document["institution"][:200],
        currency=document["currency"][:10], amount_minor=minor, state=document["state"][:40],
        placed_at=read_time(document["placed_at"]), lapses_at=read_time(document["lapses_at"]), facts={},
    )  # fmt: skip


def _summary(told: CaseTrace) -> dict[str, Any]:
    return {
        "holdings": len(told.trace.holdings), "exits": len(told.trace.exits),
        "gaps": len(told.trace.gaps), "unmatched": len(told.trace.unmatched),
    }  # fmt: skip


def _settle(
    node: Node, received: Received, *, state: str, status: Status, code: str = "", text: str = ""
) -> None:
    with node.records.transaction() as tx:
        _settle_in(node, tx, received, state=state, status=status, code=code, text=text)


def _settle_in(
    node: Node,
    tx: Transaction,
    received: Received,
    *,
    state: str,
    status: Status,
    code: str = "",
    text: str = "",
) -> None:
    """Mark it handled and send the receipt that says so, once; nobody is told who has left the compact."""
    if not tx.inbox.settle(received, state=state):
        return
    if status is Status.REFUSED:
        node.record(
            tx, "alarm.message-refused", actor="node", peer=received.sender, message=received.id,
            type=received.type, code=code, problem=text[:500],
        )  # fmt: skip
    if received.type == "receipt" or not node.knows(received.sender):
        return
    receipt = sign_receipt(
        node, status, message_id=received.id, digest=received.digest, sender=received.sender, code=code,
        text=text,
    )  # fmt: skip
    send(
        node, tx,
        Letter(
            peer=received.sender, type="receipt", case_id="", purpose="receipt", legal_basis="",
            payload={"receipt": receipt}, in_reply_to=received.id,
        ),
        actor="node",
    )  # fmt: skip
