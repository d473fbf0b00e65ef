"""A Desk in memory for tests: two people, one rich case, and a log whose proofs really hold."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.model import Person, Role
from comity.node.pages.views import (
    CasePage,
    CaseRow,
    EventProof,
    EventRow,
    Figure,
    NodeCard,
    PeerRow,
    PersonRow,
    ProofStep,
    PublicPage,
    SignedIn,
    TimeToHold,
)
from tests.browser.sample_case import CASE_ID, EVENTS, NOW, REPORTED_AT, cad, case_page, hkd, thb

ANALYST, ADMINISTRATOR = "a.chen", "admin"
PASSWORDS = {ANALYST: "correct horse", ADMINISTRATOR: "battery staple"}
_FIRST_INDEX = 1040


def leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1, as it is written there."""
    if len(leaves) == 1:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*path(index, leaves[:split]), root(leaves[split:])]
    return [*path(index - split, leaves[split:]), root(leaves[:split])]


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


class SampleDesk:
    """Knows its people by heart; `cases_exist=False` is a node on its first day."""

    def __init__(self, *, cases_exist: bool = True) -> None:
        self.cases_exist = cases_exist
        self.sessions: dict[str, Person] = {}
        self.roles = {ANALYST: Role.ANALYST, ADMINISTRATOR: Role.ADMINISTRATOR}
        self.passwords = dict(PASSWORDS)
        self.readings = 0
        self.attempts: list[str] = []
        self.page: CasePage | None = None

    def sign_in(self, name: str, password: str) -> SignedIn | None:
        self.attempts.append(name)
        if self.passwords.get(name) != password:
            return None
        token = f"session-{len(self.attempts)}-{name}"
        self.sessions[token] = Person(id=name, role=self.roles[name])
        return SignedIn(token=token, person=self.sessions[token])

    def who(self, token: str) -> Person | None:
        return self.sessions.get(token)

    def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)

    def cases(self, person: Person) -> list[CaseRow]:
        self._refuse_administrator(person)
        if not self.cases_exist:
            return []
        row = CaseRow(
            id=CASE_ID,
            title="Law firm in Vancouver: changed invoice, CAD 2.3 M",
            status="open",
            opened_at=REPORTED_AT,
            reported=(cad(230_000_000),),
            held=(hkd(580_800_000), thb(1_100_000_000)),
            open_requests=1,
            next_deadline_at=REPORTED_AT + timedelta(hours=24, minutes=8),
        )
        older = replace(
            row,
            id="CA-2025-0611-02",
            title="Romance fraud, 3 transfers to Macao",
            status="closed",
            opened_at=REPORTED_AT - timedelta(days=7, hours=2),
            reported=(cad(4_120_000),),
            held=(),
            open_requests=0,
            next_deadline_at=None,
        )
        return [row, older]

    def case(self, person: Person, case_id: str) -> CasePage:
        self._refuse_administrator(person)
        if case_id != CASE_ID or not self.cases_exist:
            raise NotFound(f"expected a case of this node, got {case_id!r}")
        self.readings += 1
        reading = EventRow(
            id=f"reading-{self.readings}",
            at=NOW,
            kind="case.read",
            actor=person.id,
            summary=f"{person.id} read the case",
            log_index=None,
        )
        return case_page(reading) if self.page is None else replace(self.page, reading=reading)

    def people(self, person: Person) -> list[PersonRow]:
        self._only_administrator(person)
        return [
            PersonRow(
                name=name,
                role=role,
                human=name,
                deputy_for=(),
                added_at=REPORTED_AT - timedelta(days=30),
                last_signed_in_at=NOW if name == ADMINISTRATOR else None,
            )
            for name, role in self.roles.items()
        ]

    def add_person(self, person: Person, name: str, role: Role, human: str = "") -> str:
        self._only_administrator(person)
        if not name:
            raise InputError.because(expected="a name", got="nothing")
        if name in self.roles:
            raise Conflict(f"expected a new name, got {name!r}, who is here already")
        self.roles[name], self.passwords[name] = role, "orbit-velvet-canyon-41"
        return self.passwords[name]

    def event_proof(self, person: Person, event_id: str) -> EventProof:
        self._refuse_administrator(person)
        if event_id.startswith("reading-"):
            return self._waiting(event_id, person)
        found = next((event for event in EVENTS if event.id == event_id), None)
        if found is None:
            raise NotFound(f"expected an event of this node, got {event_id!r}")
        return proof_of(found)

    def public(self) -> PublicPage:
        some = self.cases_exist
        return PublicPage(
            node=self.node(),
            as_of=NOW,
            cases=2 if some else 0,
            figures=(
                Figure(
                    key="reported",
                    label="Reported",
                    amounts=(cad(234_120_000),) if some else (),
                    definition="Amounts claimed in reports received, by the currency it was taken in.",
                    counted_from=("report.received",),
                ),
                Figure(
                    key="held",
                    label="Held",
                    amounts=(hkd(580_800_000), thb(1_100_000_000)) if some else (),
                    definition="Stolen money under a hold that stands: neither lapsed nor released.",
                    counted_from=("hold.placed", "hold.lapsed", "hold.released"),
                ),
                Figure(
                    key="returned",
                    label="Returned",
                    amounts=(),
                    definition="Money paid back to victims under an order.",
                    counted_from=("return.paid",),
                ),
            ),
            time_to_hold=TimeToHold(
                median=timedelta(minutes=6, seconds=24) if some else None,
                fastest=timedelta(minutes=6, seconds=12) if some else None,
                slowest=timedelta(minutes=44) if some else None,
                holds=4 if some else 0,
                definition="From the moment a report came in to the moment a hold was placed, every hold.",
                counted_from=("report.received", "hold.placed"),
            ),
        )

    def node(self) -> NodeCard:
        def peer(
            id_: str, name: str, country: str, minutes: float, *, waiting: int = 0, oversight: bool = False
        ) -> PeerRow:
            heard = NOW - timedelta(minutes=minutes)
            return PeerRow(
                id=id_,
                name=name,
                jurisdiction=country,
                oversight=oversight,
                last_heard_at=heard,
                waiting=waiting,
            )

        return NodeCard(
            name="Canada",
            authority="Canadian Anti-Fraud Centre (exercise)",
            jurisdiction="CA",
            compact="Mekong and Pacific interception compact",
            peers=(
                peer("hk-adu", "Hong Kong ADU", "HK", 0.4),
                peer("th-amlo", "Thailand AMLO", "TH", 2),
                peer("kh-fiu", "Cambodia FIU", "KH", 71, waiting=2),
                peer("oversight", "Regional oversight body", "SG", 0.2, oversight=True),
            ),
            log_origin="comity.ca/log",
            log_size=1058,
            log_key="comity.ca/log+6f2a1c9e+AVr7vZ0q0y7n1m7uQ8Fj9xk2a0J3p5w8c1d4e6f7g8h9",
            cosigned_by=("Hong Kong ADU", "Thailand AMLO", "Regional oversight body"),
        )

    def _waiting(self, event_id: str, person: Person) -> EventProof:
        event = EventRow(
            id=event_id,
            at=NOW,
            kind="case.read",
            actor=person.id,
            summary="The case was read",
            log_index=None,
        )
        return replace(
            proof_of(EVENTS[0]),
            event=event,
            log_index=None,
            tree_size=None,
            inclusion=(),
            checkpoint="",
            steps=(),
        )

    @staticmethod
    def _refuse_administrator(person: Person) -> None:
        if person.role is Role.ADMINISTRATOR:
            raise Forbidden("expected a role that works on cases, got administrator")

    @staticmethod
    def _only_administrator(person: Person) -> None:
        if person.role is not Role.ADMINISTRATOR:
            raise Forbidden(f"expected an administrator, got {person.role}")


def entry(event: EventRow) -> tuple[str, bytes, bytes]:
    """Canonical event, salt, and the salted commitment that is the log's entry."""
    body = json.dumps(
        {
            "actor": event.actor,
            "at": event.at.isoformat(),
            "case": CASE_ID,
            "id": event.id,
            "kind": event.kind,
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    salt = sha256(f"salt {event.id}".encode()).digest()
    return body, salt, sha256(salt + body.encode()).digest()


def proof_of(event: EventRow) -> EventProof:
    assert event.log_index is not None
    leaves = [leaf(f"earlier {n}".encode()) for n in range(_FIRST_INDEX)]
    leaves += [leaf(entry(one)[2]) for one in EVENTS]
    leaves += [leaf(f"later {n}".encode()) for n in range(1058 - len(leaves))]
    top = b64encode(root(leaves)).decode()
    body, salt, committed = entry(event)
    return EventProof(
        case_id=CASE_ID,
        event=event,
        log_origin="comity.ca/log",
        log_key="comity.ca/log+6f2a1c9e+AVr7vZ0q0y7n1m7uQ8Fj9xk2a0J3p5w8c1d4e6f7g8h9",
        log_index=event.log_index,
        tree_size=len(leaves),
        salt=salt.hex(),
        event_json=body,
        entry_hash=committed.hex(),
        inclusion=tuple(step.hex() for step in path(event.log_index, leaves)),
        checkpoint=f"comity.ca/log\n{len(leaves)}\n{top}\n\n— comity.ca/log Az3grnmR…\n",
        cosigned_by=("Hong Kong ADU", "Thailand AMLO", "Regional oversight body"),
        steps=(
            ProofStep(
                title="Recompute the entry",
                detail="SHA-256 over the salt followed by the event's bytes is the entry in the log.",
                command="python3 -c \"import hashlib,json,sys; p=json.load(open('event-1040-proof.json')); "
                "print(hashlib.sha256(bytes.fromhex(p['salt'])+p['event'].encode()).hexdigest())\"",
            ),
            ProofStep(
                title="Climb to the root",
                detail="Hash the entry as a leaf and combine it with the inclusion proof, as RFC 6962 says; "
                "the result is the root in the checkpoint's third line.",
            ),
            ProofStep(
                title="Check who signed the checkpoint",
                detail="The log's own signature and those of its witnesses, each with a key you hold.",
                command="comity log verify DIR",
            ),
        ),
    )
