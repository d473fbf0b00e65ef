"""A case as its page shows it: figures, holdings, holds, requests, events. Reads; decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from comity.backends.sql import Transaction
from comity.backends.sql.consents import ConsentRow
from comity.casework import Case, CaseTrace, Deadline, Hold, Request
from comity.model import Event
from comity.model.hold_states import COUNTED_AS_HELD
from comity.node.bootstrap import Node
from comity.node.handling.consent import waiting_for
from comity.node.handling.gate import HandlingForbids
from comity.node.handling.reading import Reading, withheld
from comity.node.open_parts import LEFT_OPEN, said_open
from comity.node.pages.event_words import is_step, summary_of
from comity.node.pages.federation_rows import choke_rows, federation, open_part_rows
from comity.node.pages.flow_graph import flow_graph
from comity.node.pages.notice_rows import notice_rows
from comity.node.pages.views import (
    Amount,
    CasePage,
    CaseRow,
    DeadlineRow,
    EventRow,
    HoldingRow,
    HoldRow,
    HoldState,
    Refusal,
    RequestOutcome,
    RequestRow,
)

_OUTCOMES = {
    "answered": RequestOutcome.ANSWERED, "closed": RequestOutcome.ANSWERED,
    "refused": RequestOutcome.REFUSED, "lapsed": RequestOutcome.EXPIRED,
}  # fmt: skip
_HOLD_STATES = {
    "requested": HoldState.ASKED, "held": HoldState.PLACED, "ordered": HoldState.CONFIRMED,
    "returned": HoldState.RETURNED, "confiscation_case": HoldState.CONFISCATION,
    "lapsed": HoldState.LAPSED, "released": HoldState.RELEASED, "refused": HoldState.RELEASED,
    "funds_gone": HoldState.RELEASED,
}  # fmt: skip


def case_row(node: Node, tx: Transaction, case: Case) -> CaseRow:
    """One line of the case list; of a case that may not be searched, only that it is there and why."""
    stands = Reading(node, tx, case.id, action="search").case(case, node)
    if stands is not None:
        return CaseRow(
            id=case.id, title="Withheld", status=withheld(stands), opened_at=case.opened_at, reported=(), held=(),
            open_requests=0, next_deadline_at=None,
        )  # fmt: skip
    requests, holds = tx.requests.of_case(case.id), _as_of(tx.holds.of_case(case.id), node)
    pending = [
        deadline.due_at
        for subject, id_ in [("request", one.id) for one in requests] + [("hold", one.id) for one in holds]
        for deadline in tx.deadlines.of_subject(subject, id_)
        if deadline.state == "pending" and not deadline.reminds_of
    ]
    events = [event for event, _ in tx.events.of_case(case.id)]
    return CaseRow(
        id=case.id, title=case.title,
        status=_status(case, requests, events, waiting_for(tx, case.id, node.clock())),
        opened_at=case.opened_at, reported=_amounts(_reported(tx, case)),
        held=_amounts(_held(holds)),
        open_requests=sum(_outcome(request) is RequestOutcome.RUNNING for request in requests),
        next_deadline_at=min(pending, default=None),
    )  # fmt: skip


def case_page(node: Node, tx: Transaction, case_id: str) -> CasePage:
    """The whole case, but for what may not be read (any more). The last `case.read` event is this reading."""
    case, reading = tx.cases.get(case_id), Reading(node, tx, case_id)
    stands = reading.case(case, node)
    if stands is not None:
        raise HandlingForbids(stands, where=case_id)
    unread = {one.source for one in tx.cases.traces(case_id) if reading.trace(one.source) is not None}
    traces = [one for one in tx.cases.traces(case_id) if one.source not in unread]
    holds = _as_of([one for one in tx.holds.of_case(case_id) if reading.told(one.holder) is None], node)
    requests = [
        one if reading.told(one.peer) is None else replace(one, answer=None)
        for one in tx.requests.of_case(case_id)
    ]
    events = tx.events.of_case(case_id)
    rows = tuple(_shown_row(reading, event, index) for event, index in events)
    times = [max(timedelta(0), hold.placed_at - case.reported_at) for hold in holds]
    return CasePage(
        id=case.id, title=case.title, withheld=reading.withheld,
        status=_status(
            case, requests, [event for event, _ in events], waiting_for(tx, case_id, node.clock())
        ),
        asked_by="" if case.origin == node.id else case.origin, rule=case.rule, as_of=node.clock(),
        reported_at=case.reported_at, reported=_amounts(_reported(tx, case)),
        traced=_amounts(_traced(traces)), held=_amounts(_held(holds)),
        returned=_amounts(_sum(hold for hold in holds if hold.state == "returned")),
        time_to_first_hold=min(times, default=None),
        flow=flow_graph(node, case, traces, holds, requests), events=rows,
        holdings=tuple(_holding_rows(node, traces)),
        holds=tuple(_hold_row(node, hold) for hold in holds),
        requests=tuple(_request_row(node, tx, request) for request in requests),
        reading=next(row for row in reversed(rows) if row.kind == "case.read"),
        notices=tuple(notice_rows(node, tx, case_id)),
        open_parts=tuple(open_part_rows(node, tx, case, unread=unread)),
        chokes=tuple(choke_rows(node, traces)), federation=federation(tx, case_id),
    )  # fmt: skip


def _shown_row(reading: Reading, event: Event, log_index: int | None) -> EventRow:
    """That something was done stays on the page; what was said, only while it may be read."""
    row, stands = event_row(event, log_index), reading.event(event)
    return row if stands is None else replace(row, summary=withheld(stands))


def event_row(event: Event, log_index: int | None) -> EventRow:
    return EventRow(
        id=event.id, at=event.at, kind=event.kind, actor=event.actor, summary=summary_of(event),
        log_index=log_index, step=is_step(event),
    )  # fmt: skip


def _status(
    case: Case, requests: Sequence[Request], events: Sequence[Event], waiting: Sequence[ConsentRow]
) -> str:
    """One honest line. What is only nearly done is not called done."""
    running = [one for one in requests if _outcome(one) is RequestOutcome.RUNNING]
    if any(one.direction == "in" for one in running):
        return "waiting for our answer"
    if case.pursuit_wanted == 0:
        return _asked_status(requests)
    if case.pursuit_done < case.pursuit_wanted:
        return "following the money"
    if any(one.state == "awaiting_approval" for one in running):
        return "waiting for approval"
    if waiting:
        whom = sorted({(one.peer, one.action, one.recipient) for one in waiting})
        return f"waiting for consent of {', '.join(_wish(*one) for one in whom)}"
    if running:
        return "waiting for partners"
    last = [one.kind for one in events if one.kind in _TELLING]
    if last and last[-1] == "alarm.case-stuck":
        return "stuck: see the timeline"
    return "followed, but a part left open" if said_open(events, LEFT_OPEN) else "followed to the end"


def _wish(peer: str, action: str, recipient: str) -> str:
    return f"{peer} to {f'tell {recipient}' if action == 'disclose_onward' else action.replace('_', ' ')}"


_TELLING = ("trace.made", "trace.left-open", "alarm.case-stuck")


def _asked_status(requests: Sequence[Request]) -> str:
    """Of a case that is another's: what we did with its last request."""
    if not requests:
        return "asked"
    return {"answered": "answered", "refused": "refused by us", "lapsed": "lapsed"}.get(
        requests[-1].state, requests[-1].state.replace("_", " ")
    )


def _reported(tx: Transaction, case: Case) -> Mapping[str, int]:
    for event, _ in tx.events.of_case(case.id):
        if event.kind == "report.received":
            amounts: Mapping[str, int] = event.body["amounts"]
            return amounts
    total: dict[str, int] = {}
    for trace in tx.cases.traces(case.id):
        for crossing in trace.inflows:
            total[crossing.currency] = total.get(crossing.currency, 0) + crossing.tainted_minor
    return total


def _traced(traces: Iterable[CaseTrace]) -> dict[str, int]:
    total: dict[str, int] = {}
    for trace in traces:
        for holding in trace.trace.holdings:
            total[holding.currency] = total.get(holding.currency, 0) + holding.tainted_minor
    return total


def _as_of(holds: Iterable[Hold], node: Node) -> list[Hold]:
    """Holds as they are now: a copy of a partner's hold that ran out without a word from it has lapsed."""
    now = node.clock()
    return [
        replace(hold, state="lapsed")
        if hold.holder != node.id and hold.state in ("held", "ordered") and hold.lapses_at <= now
        else hold
        for hold in holds
    ]


def _held(holds: Iterable[Hold]) -> dict[str, int]:
    return _sum(hold for hold in holds if hold.state in COUNTED_AS_HELD)


def _sum(holds: Iterable[Hold]) -> dict[str, int]:
    total: dict[str, int] = {}
    for hold in holds:
        total[hold.currency] = total.get(hold.currency, 0) + hold.amount_minor
    return total


def _amounts(by_currency: Mapping[str, int]) -> tuple[Amount, ...]:
    return tuple(Amount(minor=minor, currency=currency) for currency, minor in sorted(by_currency.items()))


def _holding_rows(node: Node, traces: Iterable[CaseTrace]) -> Iterable[HoldingRow]:
    for trace in traces:
        for holding in trace.trace.holdings:
            yield HoldingRow(
                account=holding.account, institution=holding.institution, country=holding.country,
                tainted=Amount(minor=holding.tainted_minor, currency=holding.currency),
                balance=Amount(minor=holding.balance_minor, currency=holding.currency)
                if trace.source == node.id
                else None,
                told_by="" if trace.source == node.id else trace.source,
            )  # fmt: skip


def _hold_row(node: Node, hold: Hold) -> HoldRow:
    return HoldRow(
        id=hold.id, account=hold.account, institution=hold.institution,
        country=node.jurisdiction_of(hold.holder),
        amount=Amount(minor=hold.amount_minor, currency=hold.currency),
        state=_HOLD_STATES.get(hold.state, HoldState.ASKED), placed_by=hold.holder,
        placed_at=hold.placed_at,
        lapses_at=hold.lapses_at if hold.state in ("held", "ordered") else None,
    )  # fmt: skip


def _outcome(request: Request) -> RequestOutcome:
    if request.refusal is not None:
        return RequestOutcome.REFUSED
    return _OUTCOMES.get(request.state, RequestOutcome.RUNNING)


def _request_row(node: Node, tx: Transaction, request: Request) -> RequestRow:
    outcome = _outcome(request)
    return RequestRow(
        id=request.id, sent_by_us=request.direction == "out", peer=request.peer,
        country=node.jurisdiction_of(request.peer),
        procedure=node.procedures[request.procedure].title, state=request.state.replace("_", " "),
        outcome=outcome, legal_basis=request.basis["instrument"],
        basis_reasons=(
            *request.basis["reasons"],
            f"source: {request.basis['source']}; confidence: {request.basis['confidence']}",
        ),
        issued_at=request.created_at,
        answered_at=None if outcome is RequestOutcome.RUNNING else request.updated_at,
        deadlines=tuple(
            _deadline_row(deadline, request.updated_at)
            for deadline in tx.deadlines.of_subject("request", request.id)
            if not deadline.reminds_of
        ),
        refusal=_refusal(node, request), result=_result(request),
    )  # fmt: skip


def _refusal(node: Node, request: Request) -> Refusal | None:
    if request.refusal is None:
        return None
    declared = {one.code: one for one in node.procedures[request.procedure].refusals}
    ground = declared.get(request.refusal["ground"])
    return Refusal(
        ground=ground.text if ground else request.refusal["ground"],
        source=ground.article if ground else "", words=request.refusal["text"],
    )  # fmt: skip


def _deadline_row(deadline: Deadline, updated_at: datetime) -> DeadlineRow:
    label = deadline.name.replace("-", " ")
    return DeadlineRow(
        label=f"{label} ({'law' if deadline.kind == 'L' else 'target'})", due_at=deadline.due_at,
        met_at=updated_at if deadline.state == "cleared" else None, missed=deadline.state == "passed",
    )  # fmt: skip


def _result(request: Request) -> str:
    """`answer` is the whole reply where we gave it, and its counts where we received it."""
    if request.answer is None:
        return ""
    counts = {
        key: value if isinstance(value, int) else len(value)
        for key, value in request.answer.items()
        if key in ("holdings", "exits", "gaps", "unmatched")
    }
    said = f"{counts.get('holdings', 0)} holdings, {counts.get('exits', 0)} exits"
    unmatched = counts.get("unmatched", 0)
    return said + (f", {unmatched} inflows not in their book" if unmatched else "")
