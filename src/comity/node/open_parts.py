"""Which part of a case is open: what went to a member's country and is not answered for, since when, and why.

Worked out from what is there (traces, requests, deadlines), so that it closes by itself when a late answer comes. The
case's events say when a part is late, when nobody can be asked any more, and when it closes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity.backends.sql import Transaction
from comity.casework import Case, CaseTrace, Request
from comity.exchange import Member
from comity.law.chokes import piercing
from comity.model import Crossing, Event
from comity.node.bootstrap import Node
from comity.node.handling.consent import waiting_for
from comity.proofs.canonical import canonical_bytes
from comity.tracing import time_text
from comity.tracing.growing import changes, in_order

NODE = "node"
LEFT_OPEN, LATE, CLOSED = "trace.left-open", "trace.part-late", "trace.part-closed"
MOST_NAMED = 50
"""Choke points that a case names one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPart:
    """Money that came into the countries of `peer`, in minor units by currency, of which nobody there told us more.

    `code`: `not-asked`, `awaiting-approval`, `awaiting-consent`, `being-sent` (not received there yet),
    `unanswered`, `refused`, `cannot-be-asked`; `why` in words. `late`: a deadline of the request has passed.
    """

    peer: str
    countries: tuple[str, ...]
    amounts: Mapping[str, int]
    transfers: tuple[str, ...]
    since: datetime
    code: str
    why: str
    request: str
    late: bool


def open_parts(node: Node, tx: Transaction, case: Case, *, unread: Collection[str] = ()) -> list[OpenPart]:
    """Of a case of ours, by member; none of another's, which only its origin pursues.

    `unread`: members whose answers may not be read (any more): nothing of them is told.
    """
    compact = node.compacts().get(case.compact)
    if case.origin != node.id or compact is None:
        return []
    known = {trace.source: trace for trace in tx.cases.traces(case.id) if trace.source not in unread}
    found = []
    for peer in compact.members:
        if not peer.covers or peer.id == node.id:
            continue
        told = known[peer.id].inflows if peer.id in known else ()
        lacking = changes(told, into(known, peer.covers, apart=peer.id))
        if lacking.crossings or lacking.withdrawn:
            found.append(_part(node, tx, case, peer, known, lacking.crossings, told))
    return found


def into(known: Mapping[str, CaseTrace], covers: Sequence[str], *, apart: str) -> tuple[Crossing, ...]:
    """What other books say reached these countries, in order of events."""
    return in_order(
        [
            crossing
            for source, trace in known.items()
            if source != apart
            for crossing in trace.trace.exits
            if crossing.to_country in covers
        ]
    )


def amounts_of(crossings: Iterable[Crossing]) -> dict[str, int]:
    """Tainted money by currency."""
    amounts: dict[str, int] = {}
    for one in crossings:
        amounts[one.currency] = amounts.get(one.currency, 0) + one.tainted_minor
    return amounts


def rounds_of(requests: Iterable[Request]) -> int:
    """How often somebody was asked in a case of ours; how often we were asked in another's."""
    requests = list(requests)
    ours = [int(one.payload.get("round", 0)) for one in requests if one.direction == "out"]
    return max(ours) if ours else sum(one.direction == "in" for one in requests)


# --- events ----------------------------------------------------------------------------------------------------


def record_parts(node: Node, tx: Transaction, case: Case) -> None:
    """An event for each part that is late now, and for each that was said to be open and is so no more."""
    parts = open_parts(node, tx, case)
    late = [
        {
            "peer": one.peer, "amounts": dict(one.amounts), "transfers": list(one.transfers), "why": one.why,
            "code": one.code, "since": time_text(one.since), "request": one.request,
        }
        for one in parts
        if one.late
    ]  # fmt: skip
    record_new(node, tx, case, LATE, late)
    still = {one.peer for one in parts}
    for peer, event in said_open(event for event, _ in tx.events.of_case(case.id)).items():
        if peer not in still:
            node.record(
                tx, CLOSED, case_id=case.id, actor=NODE, peer=peer, amounts=event.body.get("amounts", {}),
                since=time_text(event.at),
            )  # fmt: skip


def said_open(events: Iterable[Event], *kinds: str) -> dict[str, Event]:
    """The last event that says a part is open, by member, where none after it says that it is closed."""
    found: dict[str, Event] = {}
    for event in events:
        if event.kind in (kinds or (LEFT_OPEN, LATE)):
            found[event.body["peer"]] = event
        elif event.kind == CLOSED:
            found.pop(event.body["peer"], None)
    return found


def record_chokes(node: Node, tx: Transaction, case: Case) -> None:
    """What arrived where tracing ends, and the request that would pierce it."""
    points = [(trace.source, point) for trace in tx.cases.traces(case.id) for point in trace.chokes]
    bodies = []
    for source, point in points[:MOST_NAMED]:
        way = piercing(point.kind)
        bodies.append(
            {
                "told_by": source, "account": point.account, "country": point.country, "currency": point.currency,
                "kind": point.kind.value, "amount_minor": point.tainted_minor, "transfers": point.transfers,
                "request": way.request, "addressee": way.addressee, "basis": way.basis,
            }
        )  # fmt: skip
    record_new(node, tx, case, "trace.choked", bodies)


def record_new(
    node: Node, tx: Transaction, case: Case, kind: str, bodies: Sequence[Mapping[str, Any]]
) -> None:
    """One event for each body that this case has no such event of yet, or none since that part was closed."""
    known: dict[bytes, str] = {}
    for event, _ in tx.events.of_case(case.id) if bodies else ():
        if event.kind == kind:
            known[canonical_bytes(dict(event.body))] = str(event.body.get("peer", ""))
        elif event.kind == CLOSED:
            known = {body: peer for body, peer in known.items() if peer != event.body["peer"]}
    for body in bodies:
        if canonical_bytes(dict(body)) not in known:
            node.record(tx, kind, case_id=case.id, actor=NODE, **body)


# --- one part --------------------------------------------------------------------------------------------------


def _part(
    node: Node, tx: Transaction, case: Case, peer: Member, known: Mapping[str, CaseTrace],
    lacking: Sequence[Crossing], told: Sequence[Crossing],
) -> OpenPart:  # fmt: skip
    asked = [one for one in tx.requests.of_case(case.id) if one.peer == peer.id and one.direction == "out"]
    said = said_open((event for event, _ in tx.events.of_case(case.id)), LEFT_OPEN).get(peer.id)
    code, why = _reason(node, tx, case, peer, asked, said)
    last = asked[-1] if asked else None
    return OpenPart(
        peer=peer.id, countries=peer.covers, amounts=_still(lacking, told),
        transfers=tuple(one.transfer_id for one in lacking),
        since=_since(asked, said, known, lacking, case), code=code, why=why, request=last.id if last else "",
        late=last is not None and code in ("being-sent", "unanswered", "awaiting-approval")
        and any(one.state == "passed" for one in tx.deadlines.of_subject("request", last.id)),
    )  # fmt: skip


def _still(lacking: Iterable[Crossing], told: Iterable[Crossing]) -> dict[str, int]:
    """What is open: of a crossing that was told with less, only the rest."""
    before = {one.transfer_id: one.tainted_minor for one in told}
    amounts: dict[str, int] = {}
    for one in lacking:
        rest = max(0, one.tainted_minor - before.get(one.transfer_id, 0))
        amounts[one.currency] = amounts.get(one.currency, 0) + rest
    return amounts


def _reason(
    node: Node, tx: Transaction, case: Case, peer: Member, asked: Sequence[Request], said: Event | None
) -> tuple[str, str]:
    last = asked[-1] if asked else None
    running = last.state if last is not None else ""
    if last is not None and running in ("sent", "approved") and tx.outbox.waits(peer.id, last.message_id):
        return "being-sent", f"{peer.id} has not confirmed that it received the request"
    if running in ("sent", "approved", "acknowledged"):
        return "unanswered", f"{peer.id} has the request and has not answered it"
    if running in ("draft", "checked", "awaiting_approval"):
        return "awaiting-approval", "the request waits for a second person here"
    consents = [one.peer for one in waiting_for(tx, case.id, node.clock()) if one.recipient == peer.id]
    if consents:
        return "awaiting-consent", f"{', '.join(sorted(set(consents)))} must allow that {peer.id} is told"
    if said is not None:
        refused = last is not None and last.refusal is not None
        return ("refused" if refused else "cannot-be-asked"), str(said.body["why"])
    return "not-asked", f"{peer.id} has not been asked about it yet"


def _since(
    asked: Sequence[Request], said: Event | None, known: Mapping[str, CaseTrace],
    lacking: Iterable[Crossing], case: Case,
) -> datetime:  # fmt: skip
    """When it was first asked and not answered; else when it was given up; else when we came to know of the money."""
    unanswered: list[Request] = []
    for one in asked:
        unanswered = [] if one.state == "answered" and one.refusal is None else [*unanswered, one]
    if unanswered:
        return unanswered[0].created_at
    if said is not None:
        return said.at
    wanted = {one.transfer_id for one in lacking}
    told = [
        trace.at for trace in known.values() if any(one.transfer_id in wanted for one in trace.trace.exits)
    ]
    return max(told, default=case.opened_at)
