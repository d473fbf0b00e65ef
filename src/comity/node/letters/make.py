"""Make the letter of a document of a matter: who reads it is asked and recorded, and so is what was made.

A letter says no more than the matter that its reader may read (`node.matters.get`). The log keeps the PDF's digest, so
that a paper can be held against it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from comity.casework.deadline import Deadline
from comity.casework.matter import Matter, Taken, was_sent
from comity.errors import Conflict, NotFound
from comity.law.authorities import COMPETENCES, competent
from comity.law.parties import known_jurisdictions
from comity.law.procedures import Document, Procedure
from comity.law.wording import ENGLISH, language_for, languages, wording
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.letters.compose import Occasion, as_of, compose
from comity.node.letters.forms import document_of, form_of, is_request
from comity.node.letters.letter import Office
from comity.node.letters.typeset import Machine, Typeset, typeset
from comity.node.matters import get
from comity.node.matters.keeping import SUBJECT, file_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A letter that was made. `why` says why its headings are in `language`; `draft` that nobody approved it."""

    document: Document
    language: str
    why: str
    draft: bool
    digest: str
    typeset: Typeset


def make_letter(
    node: Node, matter_id: str, *, person: Person, document: str = "", language: str = "",
    machine: Machine = lambda: (),
) -> Made:  # fmt: skip
    """The letter of `document` ("": the last of ours that went out), with headings in `language` ("": what the
    receiving authority accepts). `machine` gives fonts to fall back on.

    Raises `NotFound` (no such document), `Conflict` (it has not gone out) or what reading the matter raises.
    """
    if language:
        wording(language)
    matter, procedure = get(node, matter_id, person=person)
    chosen, step = _chosen(matter, procedure, document)
    occasion = _occasion(node, matter, procedure, chosen, step)
    why = "asked for"
    if not language:
        language, why = _language(node, matter, procedure, chosen, step)
    made = typeset(compose(occasion, language=language), machine=machine)
    digest = hashlib.sha256(made.pdf).hexdigest()
    node.append_event(
        "letter.made", case_id=file_of(matter), actor=person.id, matter=matter.id, document=chosen.name,
        language=language, draft=step is None, sha256=digest,
    )  # fmt: skip
    return Made(document=chosen, language=language, why=why, draft=step is None, digest=digest, typeset=made)


def _chosen(matter: Matter, procedure: Procedure, name: str) -> tuple[Document, Taken | None]:
    """The document, and the step that it went out with: None while it is a draft."""
    known = {one.name: one for one in procedure.documents}
    if not known or (name and name not in known):
        raise NotFound.because(
            expected=f"one of the documents {', '.join(known) or '(none)'}", got=repr(name)
        )
    wanted = [known[name]] if name else list(known.values())
    out = [(one, step) for step in matter.steps for one in wanted if one.event == step.event]
    ours = [pair for pair in out if pair[1].actor.side == matter.side]
    if out:
        return (ours or out)[-1]
    drafts = [one for one in wanted if is_request(procedure, one)]
    if drafts and not was_sent(procedure, matter):
        return drafts[0], None
    raise Conflict.because(
        expected=f"a document that has gone out ({', '.join(one.event for one in wanted)})",
        got=f"{matter.id} in {matter.state}", remedy="A letter follows a decision: it is made once that is taken.",
    )  # fmt: skip


def _occasion(
    node: Node, matter: Matter, procedure: Procedure, document: Document, step: Taken | None
) -> Occasion:
    receiver = _receiver(matter, procedure, document, step)
    sender = matter.requested if receiver == matter.requesting else matter.requesting
    with node.records.reading() as tx:
        deadlines = tx.deadlines.of_subject(SUBJECT, matter.id)
        events = tx.events.of_case(file_of(matter))
    entries = {
        event.body["number"]: str(place) for event, place in events
        if event.kind == "matter.moved" and event.body.get("matter") == matter.id and place is not None
    }  # fmt: skip
    return Occasion(
        matter=matter if step is None else as_of(matter, procedure, step.number), procedure=procedure,
        document=document, step=step, sender=office(node, sender),
        addressee=_addressee(node, receiver, matter, procedure, document),
        at=node.clock() if step is None else datetime.fromisoformat(step.at),
        deadlines=_begun(deadlines, matter, step), entries=entries,
        competent=_competent(node.jurisdiction_of(receiver), procedure),
    )  # fmt: skip


def _begun(deadlines: Sequence[Deadline], matter: Matter, step: Taken | None) -> list[Deadline]:
    """The deadlines that began with a step: after it, and before the next."""
    if step is None:
        return []
    at = datetime.fromisoformat(step.at)
    later = [datetime.fromisoformat(one.at) for one in matter.steps if one.number == step.number + 1]
    return [
        one for one in deadlines
        if at <= one.set_at and not (later and one.set_at >= later[0]) and not one.reminds_of
    ]  # fmt: skip


def _language(
    node: Node, matter: Matter, procedure: Procedure, document: Document, step: Taken | None
) -> tuple[str, str]:
    """A person's own language, where they stated one; an authority's, as our register knows it."""
    if document_of(procedure, document).to:
        own = matter.facts.get("language")
        if isinstance(own, str) and own in languages():
            return own, "the person's own language, as the matter states it"
        return ENGLISH, f"the matter states no language of {', '.join(languages())} for the person"
    place = node.jurisdiction_of(_receiver(matter, procedure, document, step))
    return language_for(place, form_of(procedure).competence)


def _receiver(matter: Matter, procedure: Procedure, document: Document, step: Taken | None) -> str:
    """The member that gets it: the other than the one whose people decided it."""
    sides = [one.side for one in procedure.transitions if one.event == document.event]
    side = step.actor.side if step else sides[0]
    return matter.requesting if side == "requested" else matter.requested


def _addressee(node: Node, receiver: str, matter: Matter, procedure: Procedure, document: Document) -> Office:
    person = document_of(procedure, document).to
    return Office(authority=f"{person}, {matter.id}") if person else office(node, receiver)


def office(node: Node, member: str) -> Office:
    """A member as letters name it; by its id, if it has left every compact of ours."""
    if member == node.id:
        return Office(
            authority=node.settings.authority.name, place=_name(node.settings.authority.jurisdiction)
        )
    known = node.peers().get(member)
    return Office(
        authority=known.authority.name if known else member, place=_name(node.jurisdiction_of(member))
    )


def _competent(place: str, procedure: Procedure) -> Sequence[str]:
    """Whom our register names for this in the receiving jurisdiction: more than one is shown, none is put first."""
    competence = form_of(procedure).competence
    claims = competent(place, competence).authorities if place in known_jurisdictions() else ()
    return [
        f"{one.authority}{f' ({one.local_name})' if one.local_name else ''}, {COMPETENCES[competence]}; "
        f"{one.confidence} confidence, {'verified' if one.verified else 'not verified'}, as of {one.as_of}"
        for one in claims
    ]


def _name(place: str) -> str:
    return known_jurisdictions().get(place, place)
