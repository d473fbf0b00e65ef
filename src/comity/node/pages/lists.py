"""What somebody's role lets them read of requests, holds and deadlines, and what waits for them; each reading an event.

The command line shows the same to whoever holds the node's directory; here the policies decide, person by person. What
a peer told us and may not be read (any more) is said to be withheld, and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity.backends.sql import Transaction
from comity.casework import Deadline, Hold, Request
from comity.casework.matter import Matter
from comity.law import Action
from comity.model import Person
from comity.node import matters
from comity.node.bootstrap import Node
from comity.node.handling.exits import require_case, require_moment
from comity.node.handling.reading import may_be_listed, why_withheld
from comity.node.matters.keeping import procedure_of
from comity.node.policy import may_with_request, require_with_case


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """`basis` is empty where `withheld` says why no more is shown."""

    id: str
    case_id: str
    direction: str
    procedure: str
    peer: str
    state: str
    basis: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    withheld: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    request: Request
    deadlines: tuple[Deadline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something that waits for a person. `event` is what they would decide; `may` whether this one may, `why` why not.

    `subject` is request or matter.
    """

    subject: str
    id: str
    case_id: str
    procedure: str
    peer: str
    state: str
    event: str
    drafted_by: str
    since: datetime
    may: bool
    why: tuple[str, ...]


def requests(node: Node, *, person: Person) -> list[RequestLine]:
    """Sent and received, in the order in which they were made."""
    require_with_case(node, Action.READ_CASE, person)
    with node.records.transaction() as tx:
        node.record(tx, "requests.listed", actor=person.id)
    with node.records.reading() as tx:
        return [_row(one, why_withheld(node, tx, one.case_id, one.created_at)) for one in tx.requests.all()]


def request(node: Node, request_id: str, *, person: Person) -> RequestPage:
    """One request with its deadlines. `Forbidden` by policy, or by the obligations on what was told."""
    require_with_case(node, Action.READ_CASE, person)
    with node.records.reading() as tx:
        found = tx.requests.get(request_id)
    require_case(node, found.case_id, actor=person.id)
    require_moment(node, found.case_id, found.created_at, actor=person.id)
    with node.records.transaction() as tx:
        found = tx.requests.get(request_id)
        due = tuple(tx.deadlines.of_subject("request", request_id))
        node.record(tx, "request.read", case_id=found.case_id, actor=person.id, request=request_id)
    return RequestPage(request=found, deadlines=due)


def holds(node: Node, *, person: Person) -> list[Hold]:
    """Those this node placed, and those its partners told it of."""
    require_with_case(node, Action.READ_CASE, person)
    with node.records.transaction() as tx:
        node.record(tx, "holds.listed", actor=person.id)
    with node.records.reading() as tx:
        return [one for one in tx.holds.all() if may_be_listed(node, tx, one.case_id, one.holder)]


def hold(node: Node, hold_id: str, *, person: Person) -> Hold:
    """A hold that this node placed."""
    require_with_case(node, Action.READ_CASE, person)
    with node.records.transaction() as tx:
        found = tx.holds.get(node.id, hold_id)
        node.record(tx, "hold.read", case_id=found.case_id, actor=person.id, hold=hold_id)
        return found


def deadlines(node: Node, *, person: Person) -> list[Deadline]:
    """Those that run, the next one first: of what this person may read."""
    require_with_case(node, Action.READ_CASE, person)
    readable = {one.id for one in matters.listed(node, person=person)}
    with node.records.transaction() as tx:
        node.record(tx, "deadlines.listed", actor=person.id)
    with node.records.reading() as tx:
        found = tx.deadlines.pending()
    return [one for one in found if one.subject != "matter" or one.subject_id in readable]


def approvals(node: Node, *, person: Person) -> list[Waiting]:
    """What waits for somebody's decision, and whether it may be this person's: four eyes among the rest."""
    require_with_case(node, Action.READ_CASE, person)
    with node.records.transaction() as tx:
        node.record(tx, "approvals.listed", actor=person.id)
    with node.records.reading() as tx:
        found = [_request_waiting(node, tx, one, person) for one in tx.requests.all()]
    return [one for one in found if one is not None] + [
        one for matter in matters.listed(node, person=person) for one in _of_matter(node, matter, person)
    ]


def _row(one: Request, why: str) -> RequestLine:
    return RequestLine(
        id=one.id, case_id=one.case_id, direction=one.direction, procedure=one.procedure, peer=one.peer,
        state=one.state, basis={} if why else one.basis, created_at=one.created_at, updated_at=one.updated_at,
        withheld=why,
    )  # fmt: skip


_WAITS = {
    ("out", "awaiting_approval"): ("approve", Action.APPROVE_REQUEST),
    ("in", "acknowledged"): ("answer", Action.ANSWER_REQUEST),
}


def _request_waiting(node: Node, tx: Transaction, one: Request, person: Person) -> Waiting | None:
    event, action = _WAITS.get((one.direction, one.state), ("", None))
    if action is None or why_withheld(node, tx, one.case_id, one.created_at):
        return None
    drafters = tx.people.humans_behind(one.drafted_by)
    decision = may_with_request(node, action, one, person=person, drafters=drafters)
    return Waiting(
        subject="request", id=one.id, case_id=one.case_id, procedure=one.procedure, peer=one.peer,
        state=one.state, event=event, drafted_by=one.drafted_by, since=one.updated_at, may=decision.allowed,
        why=() if decision.allowed else decision.reasons,
    )  # fmt: skip


def _of_matter(node: Node, matter: Matter, person: Person) -> list[Waiting]:
    """The events of our side that this person's role decides; what is missing for each stands in `why`."""
    with node.records.reading() as tx:
        one = procedure_of(tx, matter)
    return [
        Waiting(
            subject="matter", id=matter.id, case_id=matter.case_id, procedure=matter.procedure, peer=matter.peer,
            state=matter.state, event=each.event, drafted_by=matter.drafted_by, since=matter.updated_at,
            may=not each.shut, why=(each.shut,) if each.shut else (),
        )
        for each in matters.openings(node, matter, one, person=person)
        if person.role.value in each.roles
    ]  # fmt: skip
