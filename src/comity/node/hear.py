"""Act on what arrived: each message has its effect once, in the transaction that marks it handled.

A message that we cannot act on never blocks the ones behind it: it is refused with a reason, or
quarantined with an alarm when the fault may be ours.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog

from comity.backends.register_updates import RegisterRollback
from comity.backends.sql import Received, Transaction
from comity.casework import Case, CaseTrace, Hold, Request
from comity.errors import ComityError, Forbidden, InputError, NotFound, StorageError
from comity.exchange import MAX_SKEW, Status
from comity.exchange.deconflict import QUESTION
from comity.exchange.notice import NOTICE
from comity.exchange.receipt import RECEIPTS
from comity.model import ChokePoint, Holding, Trace
from comity.model.hold_states import COUNTED_AS_HELD
from comity.node.answer import take_request
from comity.node.attachments.attach import STATE_TOLD, hear_state
from comity.node.bootstrap import Node
from comity.node.handling.answering import hear_question, hear_word
from comity.node.handling.comply import hear_retraction
from comity.node.handling.consent import ask_for
from comity.node.handling.gate import HandlingForbids
from comity.node.handling.items import keep_received
from comity.node.handling.retract import hear_compliance
from comity.node.handling.sending import CONTROL
from comity.node.handling.widen import hear_relaxation
from comity.node.hold import PROCEDURE as HOLD_PROCEDURE
from comity.node.increment import refuse_empty_pieces, whole_answer
from comity.node.joint.deconflict_heard import answer_question, work_out_answer
from comity.node.joint.heard import HANDLERS as JOINT
from comity.node.matters import HANDLERS as MATTERS
from comity.node.notice import take_notice
from comity.node.post.receipts import conclude
from comity.node.post.take_in import stands_against, waits
from comity.node.post.tell import hear_receipts
from comity.node.registers.update import CHANGED, take_changed
from comity.node.request import PROCEDURE, advance, inflows_of
from comity.tracing import read_crossing, read_gap, read_holding, read_time, time_text
from comity.tracing.chokes import read_choke

log = structlog.get_logger()
MAX_ROWS = 10_000
MAX_EXITS = 2_000
MAX_PIECES = 50_000
"""One peer's answer: what it makes us ask others must stay well within what may be asked."""


class _NotTogether(Exception):
    """A message of a run needs more than the transaction of the run."""


def hear(node: Node) -> int:
    """Handle what is waiting, oldest first; return how many messages were handled."""
    with node.records.reading() as tx:
        waiting = tx.inbox.to_handle()
    for together, run in groupby(waiting, lambda one: one.type in _TOGETHER):
        messages = list(run)
        if not (together and len(messages) > 1 and _hear_together(node, messages)):
            for received in messages:
                _hear_alone(node, received)
    return len(waiting)


def _hear_together(node: Node, messages: Sequence[Received]) -> bool:
    """Handle a run of messages in one transaction. False, and nothing was done, if it is not as simple as that:
    one of them must wait, or cannot be handled; then each has transactions of its own, and none undoes another.
    """
    try:
        with node.records.transaction() as tx:
            for received in messages:
                if stands_against(node, tx, received):
                    raise _NotTogether
                _TOGETHER[received.type](node, tx, received)
                _settle_in(node, tx, received, state="handled", status=Status.HANDLED)
    except StorageError:
        raise
    except (_NotTogether, ComityError):
        return False
    except Exception:
        log.exception("hearing one by one", count=len(messages))
        return False
    return True


def _hear_alone(node: Node, received: Received) -> None:
    try:
        if not waits(node, received):
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


def _hear_request(node: Node, received: Received) -> None:
    try:
        take_request(node, received)
    except StorageError:
        raise
    except ComityError as error:
        if not _left_to_an_officer(node, received, error):
            raise
    _settle(node, received, state="handled", status=Status.DELIVERED)  # handled with the reply (`send`)


def _left_to_an_officer(node: Node, received: Received, error: ComityError) -> bool:
    """What went wrong after a request was filed is an officer's to solve: it waits, and its sender is told that it
    arrived, so that a later answer counts. Whoever stands between us and the reply is asked. False if it was not filed.
    """
    with node.records.transaction() as tx:
        request = tx.requests.by_message(received.sender, received.id)
        if request is None or request.state != "acknowledged":
            return False
        node.record(
            tx, "request.left-to-officer", case_id=request.case_id, actor="node", request=request.id,
            peer=request.peer, reasons=[str(error)[:500]],
        )  # fmt: skip
        if isinstance(error, HandlingForbids):
            ask_for(node, tx, error.barred, actor="node")
    return True


def _hear_answer(node: Node, received: Received) -> None:
    payload: Any = received.payload
    with node.records.transaction() as tx:
        request, case = _asked(tx, received)
        if request.state not in ("sent", "acknowledged"):
            raise InputError.because(
                expected="an answer to a running request", got=f"{request.id}, {request.state}"
            )
        try:
            payload = whole_answer(tx, request, payload)
            told = _told(node, case, request, payload, node.clock())
            holds = [
                _told_hold(node, tx, case, request, document, told.trace)
                for document in _list(payload, "holds")
            ]
        except InputError as error:
            _end_unreadable(node, tx, received, request, error)
            return
        keep_received(node, tx, received, case.id)
        tx.cases.put_trace(told)
        for hold in holds:
            _put_peer_hold(node, tx, case, hold)
        request = replace(
            request, answer={**_summary(told), "message": received.id, "since": payload.get("since", "")}
        )
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
        keep_received(node, tx, received, case.id)
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
        case = tx.cases.find(str(payload.get("case")))
        document = payload.get("hold")
        known = [
            hold for hold in (tx.holds.of_case(case.id) if case else ())
            if hold.holder == received.sender
            and isinstance(document, dict) and hold.id == document.get("hold")
        ]  # fmt: skip
        if not known or case is None or case.compact != received.compact:
            raise NotFound.because(expected="a hold that this peer told us of", got=str(document)[:200])
        told = next((one.trace for one in tx.cases.traces(case.id) if one.source == received.sender), None)
        if told is None:
            raise NotFound.because(expected="a hold in a trace that stands", got="one that was taken back")
        request = tx.requests.get(known[0].request_id)
        keep_received(node, tx, received, case.id)
        _put_peer_hold(node, tx, case, _told_hold(node, tx, case, request, document, told))
        _settle_in(node, tx, received, state="handled", status=Status.HANDLED)


def _hear_notice(node: Node, received: Received) -> None:
    """Refused ones are marked so in the inbox: nobody is shown them."""
    try:
        with node.records.transaction() as tx:
            take_notice(node, tx, received)
            _settle_in(node, tx, received, state="handled", status=Status.HANDLED)
    except InputError as error:
        _settle(node, received, state="refused", status=Status.REFUSED, code=error.code, text=str(error))


def _hear_attachment_state(node: Node, received: Received) -> None:
    with node.records.transaction() as tx:
        hear_state(node, tx, received)
        _settle_in(node, tx, received, state="handled", status=Status.HANDLED)


def _within(hear_in: Callable[[Node, Transaction, Received], None]) -> Callable[[Node, Received], None]:
    """A handler that does all it does in the transaction that settles the message."""

    def heard(node: Node, received: Received) -> None:
        with node.records.transaction() as tx:
            hear_in(node, tx, received)
            _settle_in(node, tx, received, state="handled", status=Status.HANDLED)

    return heard


def _hear_question_of_targets(node: Node, received: Received) -> None:
    """Tokens take their time: they are worked out before anybody else has to wait for the database."""
    answered = work_out_answer(node, received)
    with node.records.transaction() as tx:
        answer_question(node, tx, received, answered)
        _settle_in(node, tx, received, state="handled", status=Status.HANDLED)


def _hear_register(node: Node, received: Received) -> None:
    """A member pushes a change of the register. Who already knows something newer has nothing to do."""
    with suppress(RegisterRollback):
        take_changed(node, received.compact, received.payload, peer=received.sender)
    _settle(node, received, state="handled", status=Status.HANDLED)


def _unknown(node: Node, received: Received) -> None:
    raise InputError.because(expected=f"one of {', '.join(_HANDLERS)}", got=received.type)


_HANDLERS: Mapping[str, Callable[[Node, Received], None]] = {
    f"{PROCEDURE}.request": _hear_request,
    f"{PROCEDURE}.answer": _hear_answer,
    f"{PROCEDURE}.refusal": _hear_refusal,
    "hold.changed": _hear_hold,
    NOTICE: _hear_notice,
    STATE_TOLD: _hear_attachment_state,
    RECEIPTS: _within(hear_receipts),
    CHANGED: _hear_register,
    "consent.request": _within(hear_question),
    "consent.grant": _within(hear_word),
    "consent.refusal": _within(hear_word),
    "consent.withdrawal": _within(hear_word),
    "item.retraction": _within(hear_retraction),
    "item.compliance": _within(hear_compliance),
    "item.relaxation": _within(hear_relaxation),
    **{type_: _within(hear_in) for type_, hear_in in MATTERS.items()},
    **{type_: _within(hear_in) for type_, hear_in in JOINT.items()},
    QUESTION: _hear_question_of_targets,
}

_TOGETHER: Mapping[str, Callable[[Node, Transaction, Received], None]] = {
    NOTICE: take_notice,
    RECEIPTS: hear_receipts,
}
"""What comes in great numbers, and touches nothing but the database."""


def _asked(tx: Transaction, received: Received) -> tuple[Request, Case]:
    """The request of ours that this replies to: only the member we asked may answer it."""
    named = str(received.payload.get("request"))
    request = next((one for one in tx.requests.sent_in(received.in_reply_to) if one.id == named), None)
    if request is None or request.peer != received.sender:
        raise NotFound.because(expected=f"a request that we sent to {received.sender}", got=named)
    case = tx.cases.get(request.case_id)
    if case.compact != received.compact:
        raise NotFound.because(expected=f"a request that we sent to {received.sender}", got=named)
    return request, case


def _told(node: Node, case: Case, request: Request, payload: Mapping[str, Any], now: datetime) -> CaseTrace:
    """A peer's answer as a trace of its book: it may speak of its own accounts only."""
    covers = node.compact(case.compact).member(request.peer).covers
    holdings = tuple(read_holding(document) for document in _list(payload, "holdings"))
    exits = tuple(read_crossing(document) for document in _list(payload, "exits"))
    for crossing in exits:
        refuse_empty_pieces(crossing, where=request.id)
    pieces = sum(len(crossing.pieces) for crossing in exits)
    if len(exits) > MAX_EXITS or pieces > MAX_PIECES:
        raise InputError.because(
            expected=f"at most {MAX_EXITS} exits of {MAX_PIECES} pieces in all",
            got=f"{len(exits)} of {pieces}",
        )
    chokes = tuple(read_choke(document) for document in _list({"chokes": [], **payload}, "chokes"))
    resting: list[Holding | ChokePoint] = [*holdings, *chokes]
    wrong = [one.account for one in resting if not _theirs(one, covers)]
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
        case_id=case.id, source=request.peer, inflows=inflows_of(request), at=now, moves=(), chokes=chokes,
        trace=Trace(
            rule=case.rule, totals=(), holdings=holdings, flows=(), exits=exits,
            gaps=tuple(read_gap(document) for document in _list(payload, "gaps")),
            unmatched=tuple(read_crossing(document) for document in _list(payload, "unmatched")),
        ),
    )  # fmt: skip


def _theirs(one: Holding | ChokePoint, covers: tuple[str, ...]) -> bool:
    return one.country in covers or one.country == ""


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
        "gaps": len(told.trace.gaps), "unmatched": len(told.trace.unmatched), "chokes": len(told.chokes),
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
    """Mark it handled, and note what its sender is to be told, once."""
    if not tx.inbox.settle(received, state=state):
        return
    if received.type not in CONTROL and not tx.items.has(received.compact, received.sender, received.id):
        keep_received(node, tx, received, "")
    if status is Status.REFUSED and node.pace.alarms.allow(received.sender, node.clock()):
        node.record(
            tx, "alarm.message-refused", actor="node", peer=received.sender, message=received.id,
            type=received.type, code=code, problem=text[:500],
        )  # fmt: skip
    if received.type != RECEIPTS:
        conclude(node, tx, received.compact, received.sender, received.id, status, code=code, text=text)
