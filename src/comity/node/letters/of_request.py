"""The letter of a request to trace and hold, which runs by itself: what was asked, on which basis, who approved it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from comity.casework import Request
from comity.law import Action, procedure
from comity.law.procedures import Document
from comity.law.wording import language_for, wording
from comity.model import Event, Person
from comity.node.bootstrap import Node
from comity.node.handling.exits import require_case, require_moment
from comity.node.letters.compose import basis_section, field_label, reading
from comity.node.letters.forms import form_of
from comity.node.letters.letter import Letter, Row, Section
from comity.node.letters.make import Made, office
from comity.node.letters.typeset import Machine, typeset
from comity.node.letters.words import Words, notes_for
from comity.node.policy import require_with_case
from comity.proofs.canonical import canonical_bytes

_DECIDED = {"request.drafted": "Drafted", "request.approved": "Approved", "request.sent": "Sent"}
_REQUEST = Document(name="request", title="Request to trace and hold", event="send")


def make_request_letter(
    node: Node, request_id: str, *, person: Person, language: str = "", machine: Machine = lambda: ()
) -> Made:
    """The letter of one request, ours or received. Raises `NotFound`, or `Forbidden` if it may not be read."""
    if language:
        wording(language)
    require_with_case(node, Action.READ_CASE, person)
    actor = person.id
    with node.records.reading() as tx:
        found = tx.requests.get(request_id)
    require_case(node, found.case_id, actor=actor)
    require_moment(node, found.case_id, found.created_at, actor=actor)
    with node.records.reading() as tx:
        events = [(one, place) for one, place in tx.events.of_case(found.case_id) if _about(one, found)]
    one = procedure(found.procedure)
    asked = found.peer if found.direction == "out" else node.id
    why = "asked for"
    if not language:
        language, why = language_for(node.jurisdiction_of(asked), form_of(one).competence)
    sent = next((event.at for event, _ in events if event.kind == "request.sent"), None)
    draft = found.direction == "out" and sent is None
    letter = _letter(node, found, events, language, draft=draft, at=sent or found.created_at)
    made = typeset(letter, machine=machine)
    digest = hashlib.sha256(made.pdf).hexdigest()
    node.append_event(
        "letter.made", case_id=found.case_id, actor=actor, matter=found.id, document="request", language=language,
        draft=draft, sha256=digest,
    )  # fmt: skip
    return Made(document=_REQUEST, language=language, why=why, draft=draft, digest=digest, typeset=made)


def _letter(
    node: Node,
    found: Request,
    events: list[tuple[Event, int | None]],
    language: str,
    *,
    draft: bool,
    at: datetime,
) -> Letter:
    words, one = Words(language), procedure(found.procedure)
    facts: Mapping[str, Any] = {**found.payload, "case_id": found.case_id, "drafted_by": found.drafted_by}
    rows = tuple(Row(label=field_label(x, words), value=facts[x.name]) for x in one.fields if x.name in facts)
    basis = Row(label=words.heading("basis_requesting"), value=reading(found.basis))
    ours = found.direction == "out"
    return Letter(
        reference=found.id, at=at, language=language, sender=office(node, node.id if ours else found.peer),
        addressee=office(node, found.peer if ours else node.id), to=words.heading("to"), page=words.heading("page"),
        references=(
            Row(label=words.heading("reference"), value=found.id),
            Row(label=words.heading("date"), value=f"{at:%Y-%m-%d %H:%M} UTC"),
            Row(label=words.heading("procedure"), value=f"{one.title}, version {one.version}"),
        ),
        title=words.title(one, _REQUEST), banner="DRAFT: not approved, not sent, not valid." if draft else "",
        markings=("URGENT",) if found.payload.get("urgent") is True else (), opening=(form_of(one).opens,),
        sections=(
            Section(title=words.heading("contents"), rows=rows),
            basis_section((basis,), words),
        ),
        approval=Section(
            title=words.heading("approval"), note=_approved(found, events),
            rows=tuple(_decision(*x, words) for x in events),
        ),
        message=canonical_bytes(dict(found.payload)), message_name=f"{found.id}.json", notes=notes_for(language, words),
    )  # fmt: skip


def _about(one: Event, found: Request) -> bool:
    return one.kind in _DECIDED and one.body.get("request") == found.id


def _decision(one: Event, place: int | None, words: Words) -> Row:
    entry = f"\nEntry {place} of this node's log" if place is not None else ""
    return Row(
        label=words.english(_DECIDED[one.kind]), value=f"{one.actor}, {one.at:%Y-%m-%d %H:%M} UTC{entry}"
    )


def _approved(found: Request, events: list[tuple[Event, int | None]]) -> str:
    if found.direction == "in":
        return "Approved by the authority that asks; the proof is in its log."
    if any(event.kind == "request.approved" for event, _ in events):
        return "Not signed by hand: the entries in the log prove who decided it and when (comity log prove)."
    return "Nobody has approved this."
