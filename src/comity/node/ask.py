"""Ask across a border: what left our book is asked about where it went, until nothing new comes back.

`pursue` is one look at a case: trace in our own book, see which nodes do not yet know all that reached
them, and draft, approve and send what is to be asked, on a legal basis that the law room names.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog

from comity.backends.sql import Transaction
from comity.casework import Case, CaseTrace, Request
from comity.errors import InputError, StorageError
from comity.exchange import Member
from comity.law import Action
from comity.law.bases import Basis, Channel, bases, preferred
from comity.model import Crossing, Permission
from comity.node.bootstrap import Node
from comity.node.handling.consent import ask_for, asked_of, refused
from comity.node.handling.gate import barred, record_barred
from comity.node.handling.items import made_from
from comity.node.handling.sending import tellers
from comity.node.hold import Ground, hold_what_rests
from comity.node.increment import base_of, failed, no_more, since
from comity.node.open_parts import amounts_of, into, record_chokes, record_new, record_parts, rounds_of
from comity.node.policy import basis_document, may_with_request
from comity.node.request import NODE, PROCEDURE, PURPOSE, RUNNING, advance, dispatch
from comity.node.trace import trace_case
from comity.tracing import crossing_document, questions, time_text

log = structlog.get_logger()
PERMITTED_USE = "Following and holding the money of this case; intelligence, not evidence."
MAX_CROSSINGS = 10_000
MAX_PIECES = 100_000
"""What one request may ask about: it must fit an envelope (16 MiB)."""
MOST_NAMED = 50
"""Accounts beyond every book that a case names one by one."""
MAX_ROUNDS = 50
"""Requests to one peer in one case: one that changes its answers at will does not keep us asking for ever."""
RUNS_FOR = timedelta(days=30)
"""A request runs out then, as its procedure's `expiry` says."""
MOST_LAPSED = 3
"""Requests on one basis that may lapse unheard or unread before it is left alone."""
WAITS = "waits for a consent"
ANOTHER_BASIS_MAY_DO = ("no-usable-basis", "wrong-channel")
"""Grounds that speak of the basis or the channel, not of the matter."""


def pursue_all(node: Node) -> int:
    """Look at every case that wants it; return how many. A case that cannot be followed holds up no other:
    it raises an alarm and rests until something new arrives.
    """
    with node.records.reading() as tx:
        due = tx.cases.to_pursue()
    for case in due:
        try:
            pursue(node, case.id)
        except StorageError:
            raise
        except Exception as error:
            log.exception("case not followed", case=case.id)
            _record_stuck(node, case, error)
    return len(due)


def pursue(node: Node, case_id: str) -> None:
    """Take one step for a case of ours; does nothing new when nothing has changed (safe to repeat)."""
    with node.records.reading() as tx:
        case = tx.cases.get(case_id)
        known = {trace.source: trace for trace in tx.cases.traces(case_id)}
    ours = trace_case(node, case, into(known, node.settings.covers, apart=node.id))
    with node.records.transaction() as tx:
        if tx.cases.get(case_id).pursuit_done >= case.pursuit_wanted:
            return
        before = known.get(node.id)
        if before is None or (before.trace, before.chokes) != (ours.trace, ours.chokes):
            tx.cases.put_trace(ours)
            _record_trace(node, tx, ours)
            hold_what_rests(node, tx, Ground(case=case, request=None, actor=NODE), ours)
        if case.compact in node.compacts():
            number = 1 + rounds_of(tx.requests.of_case(case.id))
            for peer, inflows in _to_ask(node, tx, case):
                draft(node, tx, case, peer, inflows, actor=NODE, number=number)
            _record_beyond(node, tx, case)
            record_parts(node, tx, case)
            record_chokes(node, tx, case)
        tx.cases.pursued(case_id, case.pursuit_wanted)


def draft(
    node: Node, tx: Transaction, case: Case, peer: Member, inflows: Sequence[Crossing], *, actor: str,
    number: int,
) -> None:  # fmt: skip
    """Draft a request to `peer` on the next usable basis; send it if the standing policy allows.

    `inflows` is everything the peer is to know; it is told what it does not know yet. `number`: of the round.
    """
    earlier = [one for one in tx.requests.of_case(case.id) if one.peer == peer.id and one.direction == "out"]
    tried = [one.basis["instrument"] for one in earlier if one.refusal is not None]
    basis, why_not = _next_basis(node, case, peer, earlier)
    pieces = sum(len(crossing.pieces) for crossing in inflows)
    if len(inflows) > MAX_CROSSINGS or pieces > MAX_PIECES:
        basis, why_not = (
            None,
            f"{len(inflows)} transfers of {pieces} pieces are more than may be asked at once",
        )
    before = base_of(tx, case.id, peer.id)
    about = (*inflows, *no_more(before, inflows))
    why_not = why_not if basis is None else _stands_against(node, tx, case, peer, about)
    if basis is None or why_not:
        if why_not != WAITS:
            _record_open(node, tx, case, peer, inflows, tried, why_not)
        return
    now = node.clock()
    payload = {**_payload(node, case, inflows), "round": number}
    if before is not None and not failed(tx, case.id, peer.id):
        payload["since"] = since(before)
    request = Request(
        id=node.new_id("request"), case_id=case.id, direction="out", procedure=PROCEDURE, peer=peer.id,
        state=node.procedures[PROCEDURE].initial, message_id="", drafted_by=actor,
        basis=basis_document(basis), payload=payload, answer=None, refusal=None,
        created_at=now, updated_at=now,
    )  # fmt: skip
    tx.requests.put(request)
    node.record(
        tx, "request.drafted", case_id=case.id, actor=actor, request=request.id, peer=peer.id,
        basis=dict(request.basis), transfers=[crossing.transfer_id for crossing in inflows],
        refused_before=tried, round=number, goes_on_from=payload.get("since", {}).get("request", ""),
    )  # fmt: skip
    request = advance(node, tx, request, "check", {}, actor)
    decision = may_with_request(node, Action.SEND_REQUEST_WITHOUT_SECOND_PERSON, request)
    if decision.allowed:
        approval = {"allowed": True, "policy": ", ".join(decision.policies)}
        request = advance(node, tx, request, "approve_by_policy", {"approval": approval}, "policy")
        dispatch(node, tx, request, actor="policy")
    else:
        advance(node, tx, request, "submit", {"reasons": list(decision.reasons)}, actor)


def _stands_against(
    node: Node, tx: Transaction, case: Case, peer: Member, inflows: Sequence[Crossing]
) -> str:
    """Why what others told us may not go to `peer`: nothing, `WAITS` while they are asked, or that they said no."""
    sources = made_from(tx, case.id, tellers(node, tx, case.id, inflows))
    found = barred(
        node, tx, "disclose_onward", sources, recipient=peer.id, purpose=PURPOSE, compact=case.compact
    )
    final = [one for one in found if one.permitted.permission is Permission.DENY or refused(tx, one)]
    if final:
        return f"{final[0].item.originator} does not allow to tell {peer.id}"
    for one in found:
        if ask_for(node, tx, one, actor=NODE):
            record_barred(node, tx, case.id, one, actor=NODE)
        unasked = set(one.permitted.ask) - asked_of(tx, one, node.clock())
        if unasked:
            return f"{', '.join(sorted(unasked))} cannot be asked to allow that {peer.id} is told"
    return WAITS if found else ""


def _to_ask(node: Node, tx: Transaction, case: Case) -> list[tuple[Member, tuple[Crossing, ...]]]:
    """Whom to ask now, and about what: the complete set, in place of what they were told before.

    Not where a request is still running: its answer may change the question.
    """
    known = {trace.source: trace for trace in tx.cases.traces(case.id)}
    requests = [request for request in tx.requests.of_case(case.id) if request.direction == "out"]
    running = {request.peer for request in requests if request.state in RUNNING}
    peers = [
        one for one in node.compact(case.compact).members if one.covers and one.id not in {node.id, *running}
    ]
    told = {
        country: tuple(one for one in known[peer.id].inflows if one.to_country == country)
        for peer in peers
        for country in peer.covers
        if peer.id in known
    }
    covered = frozenset(country for peer in peers for country in peer.covers)
    exits = {source: trace.trace.exits for source, trace in known.items()}
    due = {question.country for question in questions(exits, told, covered)}
    asked = []
    for peer in peers:
        if due & set(peer.covers):
            inflows = into(known, peer.covers, apart=peer.id)
            asked.append((peer, inflows))
    return asked


def _next_basis(node: Node, case: Case, peer: Member, earlier: Sequence[Request]) -> tuple[Basis | None, str]:
    """The next usable basis on which this peer may be asked, or why it is not asked (again).

    A refusal of the basis or the channel leaves the other bases. A refusal of the matter itself (sovereignty,
    human rights …) is an answer: the same is not asked again under another name.
    """
    refusals = [one for one in earlier if one.refusal is not None]
    final = [one for one in refusals if (one.refusal or {})["ground"] not in ANOTHER_BASIS_MAY_DO]
    if final:
        return None, f"{peer.id} refused it: {(final[-1].refusal or {})['ground']}"
    if len(earlier) >= MAX_ROUNDS:
        return None, f"asked {len(earlier)} times in this case already"
    own, theirs = node.settings.authority.jurisdiction, peer.authority.jurisdiction
    try:
        found = bases(own, theirs, "freeze", offence=case.offence)
    except InputError as error:
        return None, f"the law data cannot say on what basis: {error.problem}"
    for basis in preferred(found, Channel(node.settings.channel)):
        unheard = [one for one in earlier if one.state == "lapsed" and _on(one, basis)]
        if not any(_on(one, basis) for one in refusals) and len(unheard) < MOST_LAPSED:
            return basis, ""
    return None, "no usable basis is left"


def _on(request: Request, basis: Basis) -> bool:
    return bool(request.basis["instrument"] == basis.instrument)


def _payload(node: Node, case: Case, inflows: Sequence[Crossing]) -> dict[str, Any]:
    return {
        "case": case.id, "report": case.report["report_id"], "offence": case.offence,
        "facts": case.summary or case.title, "reported_at": time_text(case.reported_at),
        "rule": case.rule, "urgent": True, "asks": ["trace", "hold"], "purpose": PURPOSE,
        "permitted_use": PERMITTED_USE, "expires_at": time_text(node.clock() + RUNS_FOR),
        "crossings": [crossing_document(crossing) for crossing in inflows],
    }  # fmt: skip


def _record_trace(node: Node, tx: Transaction, ours: CaseTrace) -> None:
    node.record(
        tx, "trace.made", case_id=ours.case_id, actor=NODE, rule=ours.trace.rule,
        holdings=len(ours.trace.holdings), flows=len(ours.trace.flows), exits=len(ours.trace.exits),
        held_minor={total.currency: total.held_minor for total in ours.trace.totals},
    )  # fmt: skip


def _record_open(
    node: Node, tx: Transaction, case: Case, peer: Member, inflows: Sequence[Crossing],
    tried: Sequence[str], why: str,
) -> None:  # fmt: skip
    """Nobody can be asked there (any more): that part of the trace stays open, and the case says so."""
    transfers = [crossing.transfer_id for crossing in inflows]
    body = {
        "peer": peer.id, "why": why, "refused_before": list(tried), "transfers": transfers,
        "amounts": amounts_of(inflows),
    }  # fmt: skip
    record_new(node, tx, case, "trace.left-open", [body])


def _record_beyond(node: Node, tx: Transaction, case: Case) -> None:
    """Money that left for where no node of the compact has a book: the trace ends there, and says so."""
    covered = {country for member in node.compact(case.compact).members for country in member.covers}
    gone: dict[tuple[str, str, str], list[Crossing]] = {}
    for trace in tx.cases.traces(case.id):
        for crossing in trace.trace.exits:
            if crossing.to_country not in covered:
                pot = (crossing.to_account, crossing.to_country, crossing.currency)
                gone.setdefault(pot, []).append(crossing)
    bodies = [
        {
            "account": account, "country": country, "currency": currency, "transfers": len(crossings),
            "amount_minor": sum(crossing.tainted_minor for crossing in crossings),
        }
        for (account, country, currency), crossings in list(gone.items())[:MOST_NAMED]
    ]  # fmt: skip
    if len(gone) > MOST_NAMED:
        bodies.append(
            {
                "account": f"{len(gone) - MOST_NAMED} more",
                "country": "",
                "currency": "",
                "transfers": 0,
                "amount_minor": 0,
            }
        )
    record_new(node, tx, case, "trace.left-compact", bodies)


def _record_stuck(node: Node, case: Case, error: Exception) -> None:
    with node.records.transaction() as tx:
        tx.cases.pursued(case.id, case.pursuit_wanted)
        node.record(
            tx, "alarm.case-stuck", case_id=case.id, actor=NODE, problem=str(error)[:500],
            fault=type(error).__name__,
        )  # fmt: skip
