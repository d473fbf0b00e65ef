"""The desk on the database: what people see of the node, each reading recorded, each thing only to whom it
may be shown. The values are in `views`; the pages and the command line only lay them out.
"""

import threading
import time
from datetime import timedelta
from statistics import median

from comity.errors import NotFound
from comity.indicators import COUNTED_KINDS, DEFINITIONS, Interception, interception
from comity.law import Action
from comity.ledger import cosignatures_on, prove_entry, read_checkpoint
from comity.model import Person, Role, human_of
from comity.model.authority import FOR
from comity.node import people
from comity.node.bootstrap import Node
from comity.node.handling.exits import require_case, require_moment
from comity.node.log.prove import log_signer, witness_key
from comity.node.pages.case_page import case_page, case_row, event_row
from comity.node.pages.erased import refuse_erased
from comity.node.pages.proof_steps import proof_steps
from comity.node.pages.views import (
    Amount,
    CasePage,
    CaseRow,
    EventProof,
    Figure,
    NodeCard,
    PeerRow,
    PersonRow,
    PublicPage,
    SignedIn,
    TimeToHold,
)
from comity.node.policy import require_in_office, require_with_case
from comity.proofs.note import verifier_of

PUBLIC_FRESH_SECONDS = 3.0
_LABELS = {
    "reported": "Reported",
    "held_here": "Held here",
    "held_by_partners": "Held by partners",
    "returned": "Returned",
}
_COUNTED = {
    "reported": ("report.received",),
    "held_here": ("hold.placed", "hold.amended", "hold.lapsed", "hold.released"),
    "held_by_partners": ("hold.told",),
    "returned": ("hold.returned", "hold.told"),
}


class NodeDesk:
    """`views.Desk` for one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._public: tuple[float, PublicPage] | None = None
        self._making_public = threading.Lock()

    def sign_in(self, name: str, password: str) -> SignedIn | None:
        person = people.check_password(self._node, name, password)
        if person is None:
            return None
        return SignedIn(token=people.open_session(self._node, person), person=person)

    def who(self, token: str) -> Person | None:
        return people.in_session(self._node, token)

    def sign_out(self, token: str) -> None:
        people.close_session(self._node, token)

    def cases(self, person: Person) -> list[CaseRow]:
        require_with_case(self._node, Action.READ_CASE, person)
        with self._node.records.transaction() as tx:
            self._node.record(tx, "cases.listed", actor=person.id, role=person.role.value)
        with self._node.records.reading() as tx:
            return [case_row(self._node, tx, case) for case in tx.cases.all()]

    def case(self, person: Person, case_id: str) -> CasePage:
        require_with_case(self._node, Action.READ_CASE, person)
        refuse_erased(self._node, case_id)
        require_case(self._node, case_id, actor=person.id)
        with self._node.records.transaction() as tx:
            tx.cases.get(case_id)
            self._node.record(tx, "case.read", case_id=case_id, actor=person.id, role=person.role.value)
        with self._node.records.reading() as tx:
            return case_page(self._node, tx, case_id)

    def people(self, person: Person) -> list[PersonRow]:
        require_in_office(self._node, Action.MANAGE_PEOPLE, person)
        with self._node.records.transaction() as tx:
            self._node.record(tx, "people.listed", actor=person.id, role=person.role.value)
        with self._node.records.reading() as tx:
            signed_in = [event for event in tx.events.all() if event.kind == "person.signed-in"]
            last = {event.actor.partition(FOR)[0]: event.at for event in signed_in}
            now = self._node.clock()
            standing = [one for one in tx.deputies.all() if one.holds(now)]
            return [
                PersonRow(
                    name=one.id, role=one.role, human=human_of(one), added_at=added,
                    deputy_for=tuple(each.principal for each in standing if each.deputy == one.id),
                    last_signed_in_at=last.get(one.id),
                )
                for one, added in tx.people.all()
            ]  # fmt: skip

    def add_person(self, person: Person, name: str, role: Role, human: str = "") -> str:
        require_in_office(self._node, Action.MANAGE_PEOPLE, person)
        return people.add_person(self._node, name, role, actor=person.id, human=human)

    def event_proof(self, person: Person, event_id: str) -> EventProof:
        require_with_case(self._node, Action.READ_CASE, person)
        with self._node.records.transaction() as tx:
            opening = tx.events.opening(event_id)
            if opening is not None:
                self._node.record(
                    tx, "event.read", case_id=opening.event.case_id, actor=person.id, event=event_id
                )  # fmt: skip
        if opening is None or not opening.event.case_id:
            raise NotFound.because(expected="an event of a case of this node", got=repr(event_id))
        require_moment(self._node, opening.event.case_id, opening.event.at, actor=person.id)
        key = verifier_of(log_signer(self._node))
        published = read_checkpoint(self._node.log, key)
        row = event_row(opening.event, opening.log_index)
        covered = (
            published is not None and opening.log_index is not None and opening.log_index < published[0].size
        )
        proof = None
        if published is not None and opening.log_index is not None and covered:
            proof = prove_entry(
                self._node.log, opening.log_index, size=published[0].size, note=published[1].encode()
            )
        return EventProof(
            case_id=opening.event.case_id, event=row, log_origin=key.name, log_key=str(key),
            log_index=opening.log_index if covered else None,
            tree_size=published[0].size if published and covered else None, salt=opening.salt.hex(),
            event_json=opening.body.decode(), entry_hash=opening.entry.hex(),
            inclusion=tuple(value.hex() for value in proof.hashes) if proof else (),
            checkpoint=proof.note.decode() if proof else "", cosigned_by=self._cosigned_by(),
            steps=proof_steps(self._node.settings.public_url),
        )  # fmt: skip

    def public(self) -> PublicPage:
        now = time.monotonic()
        with self._making_public:
            if self._public is None or now - self._public[0] > PUBLIC_FRESH_SECONDS:
                with self._node.records.reading() as tx:
                    counted = tx.events.of_kinds(COUNTED_KINDS)
                    figures = interception(counted, now=self._node.clock())
                self._public = (now, self._page(figures))
            return self._public[1]

    def node(self) -> NodeCard:
        settings = self._node.settings
        key = verifier_of(log_signer(self._node))
        published = read_checkpoint(self._node.log, key)
        with self._node.records.reading() as tx:
            peers = tuple(
                PeerRow(
                    id=one.id, name=one.authority.name, jurisdiction=one.authority.jurisdiction,
                    oversight=one.authority.oversight, last_heard_at=tx.inbox.last_heard(one.id),
                    waiting=tx.outbox.waiting(one.id),
                )
                for one in self._node.peers().values()
            )  # fmt: skip
        return NodeCard(
            name=settings.authority.name, authority=self._node.id,
            jurisdiction=settings.authority.jurisdiction, compact=", ".join(self._node.compacts()),
            peers=peers, log_origin=key.name, log_size=published[0].size if published else 0,
            log_key=str(key), cosigned_by=self._cosigned_by(),
        )  # fmt: skip

    def _cosigned_by(self) -> tuple[str, ...]:
        """Names of the members that cosigned the published checkpoint."""
        published = read_checkpoint(self._node.log, verifier_of(log_signer(self._node)))
        if published is None:
            return ()
        names = {witness_key(one): one.authority.name for one in self._node.peers().values()}
        return tuple(names[each.key] for each in cosignatures_on(published[1], list(names)))

    def _page(self, found: Interception) -> PublicPage:
        sums = {
            "reported": found.reported, "held_here": found.held_here,
            "held_by_partners": found.held_by_partners, "returned": found.returned,
        }  # fmt: skip
        return PublicPage(
            node=self.node(), as_of=self._node.clock(), cases=found.cases,
            figures=tuple(
                Figure(
                    key=key, label=_LABELS[key], definition=DEFINITIONS[key], counted_from=_COUNTED[key],
                    amounts=tuple(
                        Amount(minor=minor, currency=currency) for currency, minor in sorted(by.items())
                    ),
                )
                for key, by in sums.items()
            ),
            time_to_hold=_time_to_hold(found.times),
        )  # fmt: skip


def _time_to_hold(times: tuple[timedelta, ...]) -> TimeToHold:
    middle = median([time.total_seconds() for time in times]) if times else 0.0
    return TimeToHold(
        median=timedelta(seconds=middle) if times else None, fastest=min(times, default=None),
        slowest=max(times, default=None), holds=len(times), definition=DEFINITIONS["time_to_hold"],
        counted_from=("hold.placed", "hold.told"),
    )  # fmt: skip
