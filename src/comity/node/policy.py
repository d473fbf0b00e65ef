"""Ask the node's policies, and build what they may look at. The law room decides; this only states facts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from comity.backends.sql import Transaction
from comity.casework import Hold, Request
from comity.errors import Forbidden
from comity.law import Action, Decision
from comity.law.bases import Basis, bases
from comity.model import Crossing, Person, humans_in
from comity.node.bootstrap import Node
from comity.tracing import read_crossing

NO_CURRENCY = "XXX"
"""ISO 4217: no currency is involved."""
NO_BASIS = {"instrument": "", "kind": "", "usable": False, "confidence": "low"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a request from abroad reaches. `unmatched` and `exits` are 0 until it was traced.

    `peer_requests_today` and `unmatched_today` are over all cases of the peer, this request included.
    """

    requests_today: int = 0
    peer_requests_today: int = 0
    unmatched_today: int = 0
    cases_today: int = 0
    unmatched: int = 0
    exits: int = 0


def reach_of(
    node: Node, tx: Transaction, request: Request, *, unmatched: int = 0, guessed: int = 0, exits: int = 0
) -> Reach:
    """`guessed`: how many of the `unmatched` are new in this request."""
    since = node.clock() - timedelta(days=1)
    asked, told = tx.requests.received_of(request.peer, since)
    return Reach(
        requests_today=tx.requests.received_since(request.case_id, request.peer, since),
        peer_requests_today=asked, unmatched_today=told + guessed,
        cases_today=tx.cases.opened_since(request.peer, since), unmatched=unmatched, exits=exits,
    )  # fmt: skip


def may_with_request(
    node: Node,
    action: Action,
    request: Request,
    *,
    person: Person | None = None,
    reach: Reach | None = None,
    drafters: Collection[str] | None = None,
) -> Decision:
    """Decide for every currency in the request: the first denial counts. One that only withdraws is about nothing.

    `drafters` are the humans who drafted it (`tx.people.humans_behind`); by default its accounts stand for them.
    """
    crossings = [read_crossing(document) for document in request.payload["crossings"]]
    amounts: dict[str, int] = {} if crossings else {NO_CURRENCY: 0}
    for crossing in crossings:
        amounts[crossing.currency] = amounts.get(crossing.currency, 0) + crossing.tainted_minor
    about = _request(node, request, crossings, reach or Reach(), drafters)
    decisions = [
        node.policies.decide(action, {**about, "currency": currency, "amount_minor": minor}, person=person)
        for currency, minor in amounts.items()
    ]
    return next((decision for decision in decisions if not decision.allowed), decisions[0])


def may_with_hold(
    node: Node, action: Action, facts: Mapping[str, Any], *, offence: str, person: Person | None = None
) -> Decision:
    """`facts` are the hold's, as its procedure knows them."""
    basis = facts.get("legal_basis")
    resource = {
        "urgent": True, "own_case": bool(facts.get("own_case", False)),
        "from_member": basis is not None, "placed_by": "policy", "offence": offence,
        "amount_minor": facts["amount_minor"], "currency": facts["currency"],
        "legal_basis": _basis(basis),
    }  # fmt: skip
    return node.policies.decide(action, resource, person=person)


def require_with_hold(node: Node, action: Action, hold: Hold, *, offence: str, person: Person) -> None:
    _require(may_with_hold(node, action, hold.facts, offence=offence, person=person), hold.id)


def require_with_request(
    node: Node, action: Action, request: Request, *, person: Person, drafters: Collection[str] | None = None
) -> None:
    _require(may_with_request(node, action, request, person=person, drafters=drafters), request.id)


def require_with_case(node: Node, action: Action, person: Person) -> None:
    """Cases of a node are real ones: an exercise runs on nodes of its own."""
    attributes = {"exercise": False, "disclosed_to_defence": False}
    _require(node.policies.decide(action, attributes, person=person), action.value)


def require_in_office(node: Node, action: Action, person: Person) -> None:
    _require(node.policies.decide(action, {}, person=person), action.value)


def require_with_matter(
    node: Node,
    action: Action,
    *,
    procedure: str,
    side: str,
    drafted_by: str,
    person: Person,
    event: str = "",
    approves: bool = False,
    peer: str = "",
    basis: Mapping[str, Any] | None = None,
) -> None:
    """Raise `Forbidden` unless the policies let `person` do `action` to this half of a matter.

    `side` is requesting or requested, `drafted_by` as `human_of` records it ("" where nobody here drafted it).
    `approves`: the procedure has a second person decide `event`; then whoever drafted it may not.
    `basis` is this node's own reading. Which roles may decide `event` says the procedure, not this.
    """
    matter: dict[str, Any] = {
        "procedure": procedure, "side": side, "own": side == "requesting", "event": event, "approves": approves,
        "drafters": sorted(humans_in(drafted_by)), "channel": node.settings.channel,
        "from_jurisdiction": node.jurisdiction_of(peer) if peer else "",
    }  # fmt: skip
    if basis:
        matter["legal_basis"] = _basis(basis)
    _require(node.policies.decide(action, matter, person=person), f"{procedure} {event}".strip())


def require_with_joint(node: Node, action: Action, *, kind: str, person: Person, leads: bool = False) -> None:
    """Raise `Forbidden` unless `person` may do `action` to joint work: `kind` is team, operation or deconfliction."""
    _require(node.policies.decide(action, {"kind": kind, "leads": leads}, person=person), kind)


def our_reading(node: Node, peer: str, instrument: str, *, offence: str) -> dict[str, Any]:
    """The legal basis a peer names, as our own register finds it: their word for it counts for nothing."""
    theirs = node.jurisdiction_of(peer)
    found = bases(theirs, node.settings.authority.jurisdiction, "freeze", offence=offence)
    for basis in found.bases:
        if basis.instrument == instrument:
            return basis_document(basis)
    unknown = f"{instrument} is no basis between {theirs} and us that our register knows"
    return {**NO_BASIS, "instrument": instrument, "status": "unknown", "source": "", "reasons": [unknown]}


def basis_for(
    node: Node, asking: str, asked: str, for_: str, *, offence: str, instrument: str
) -> dict[str, Any]:
    """The legal basis that our own register finds for member `asking` to ask `asked`: `instrument` if it is named,
    else the first that can be used. Where there is none the document says so, with what is missing.
    """
    ours = node.settings.authority.jurisdiction
    of = {one: ours if one == node.id else node.jurisdiction_of(one) for one in (asking, asked)}
    if of[asking] == of[asked]:
        own = {"instrument": "domestic law", "kind": "domestic", "usable": True, "status": "one jurisdiction"}
        return {
            **NO_BASIS,
            **own,
            "source": "",
            "reasons": [f"both are authorities of {of[asking]}: its own law decides"],
        }
    found = bases(of[asking], of[asked], for_, offence=offence or None)
    named = [one for one in found.bases if not instrument or one.instrument == instrument]
    if named:
        return basis_document(next((one for one in named if one.usable), named[0]))
    why = [
        f"{instrument or 'nothing'} is no basis between {of[asking]} and {of[asked]} that our register knows"
    ]
    return {
        **NO_BASIS,
        "instrument": instrument,
        "status": "unknown",
        "source": "",
        "reasons": [*why, *found.missing],
    }


def basis_document(basis: Basis) -> dict[str, Any]:
    """A legal basis as requests and events carry it."""
    return {
        "instrument": basis.instrument, "kind": basis.kind, "status": basis.status,
        "usable": basis.usable, "confidence": basis.confidence, "source": basis.source,
        "reasons": list(basis.reasons),
    }  # fmt: skip


def _request(
    node: Node,
    request: Request,
    crossings: Sequence[Crossing],
    reach: Reach,
    drafters: Collection[str] | None,
) -> dict[str, Any]:
    asking = node.peers().get(request.peer) if request.direction == "in" else None
    own = node.settings.covers if request.direction == "out" else asking.covers if asking else ()
    drafted_by = request.drafted_by if request.direction == "out" else ""
    return {
        "type": request.procedure, "channel": node.settings.channel,
        "offence": request.payload["offence"], "urgent": request.payload["urgent"],
        "from_member": True, "from_jurisdiction": node.jurisdiction_of(request.peer),
        "legal_basis": _basis(request.basis),
        "drafted_by": drafted_by,
        "drafters": sorted(humans_in(drafted_by) if drafters is None else drafters),
        "rule": request.payload["rule"], "inflows": len(crossings),
        "accounts": len({one.to_account for one in crossings}),
        "third_countries": sum(one.from_country not in own for one in crossings),
        "unmatched": reach.unmatched, "exits": reach.exits,
        "peer_requests_today": reach.peer_requests_today, "unmatched_today": reach.unmatched_today,
        "requests_today": reach.requests_today, "cases_today": reach.cases_today,
    }  # fmt: skip


def _basis(basis: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: basis[key] for key in NO_BASIS} if basis else dict(NO_BASIS)


def _require(decision: Decision, where: str) -> None:
    if not decision.allowed:
        error = Forbidden("; ".join(decision.reasons), where=where)
        error.policies = decision.policies
        raise error
