"""What a letter says: a matter as it was when one of its documents went out, in the words of both authorities. Pure.

Nothing is said that the matter does not say. What nobody verified is called so; what is missing is called missing; a
draft says that it is one. Only headings and names are translated, never what people wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from comity.casework.deadline import Deadline
from comity.casework.matter import Matter, Taken, step_document
from comity.casework.matter_following import replayed
from comity.law.bases import NOT_ADVICE
from comity.law.procedures import Document, Field, Procedure
from comity.law.wording import ENGLISH
from comity.node.letters.forms import document_of, form_of, is_request
from comity.node.letters.letter import Label, Letter, Office, Row, Section, Signature
from comity.node.letters.words import Words, notes_for
from comity.proofs.canonical import canonical_bytes

_BASES = (("basis", "basis_requesting"), ("requested_basis", "basis_requested"))
_KINDS = {"L": "Legal term", "T": "Target, not a term of law"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One document of one matter. `step` is the one that it went out with, and `matter` the half right after
    it; None: a draft, made at `at`. `deadlines` are those that began with the step.

    `entries` are the places of steps in this node's log, by the step's number. `competent` is whom our register of
    authorities names for this at the receiving side.
    """

    matter: Matter
    procedure: Procedure
    document: Document
    step: Taken | None
    sender: Office
    addressee: Office
    at: datetime
    deadlines: Sequence[Deadline] = ()
    entries: Mapping[int, str] | None = None
    competent: Sequence[str] = ()


def compose(occasion: Occasion, *, language: str = ENGLISH) -> Letter:
    """The letter of one document, in English and in the words of `language`."""
    one, words = occasion, Words(language)
    matter = one.matter
    request = is_request(one.procedure, one.document)
    body = _fields(matter, one.procedure, words) if request else _stated(one, words)
    sections = (*body, *_basis(matter, words), *_terms(one, words))
    if request:
        sections = (*sections, *_kept(one.procedure, words), *_receiving(one, words))
    return Letter(
        reference=matter.id, at=one.at, language=language, sender=one.sender, addressee=one.addressee,
        references=_references(one, words), title=words.title(one.procedure, one.document),
        to=words.heading("to"), page=words.heading("page"),
        markings=_markings(matter.facts), banner=_banner(one, request),
        opening=(_opening(one, request),), sections=sections,
        approval=_approval(one, request, words),
        signatures=_signatures(words) if document_of(one.procedure, one.document).both_sign else (),
        message=message_of(matter), message_name=f"{matter.id}.json", notes=notes_for(language, words),
    )  # fmt: skip


def as_of(matter: Matter, procedure: Procedure, number: int) -> Matter:
    """The half as it was right after one of its steps, every step up to it judged again."""
    blank = replace(matter, steps=(), facts={}, state="", chain="", pending=None)
    return replayed(procedure, blank, matter.steps[: number + 1]).matter


def message_of(matter: Matter) -> bytes:
    """The matter's story as it crosses between the nodes (spec/matter.md), canonical."""
    return canonical_bytes({
        "matter": matter.id, "number": matter.number, "chain": matter.chain, "requesting": matter.requesting,
        "requested": matter.requested, "procedure": matter.procedure, "version": matter.version,
        "digest": matter.digest, "steps": [step_document(one) for one in matter.steps],
    })  # fmt: skip


def _opening(one: Occasion, request: bool) -> str:
    own = document_of(one.procedure, one.document).opens
    if request or own:
        return own or form_of(one.procedure).opens
    sides = f"{one.matter.requesting} asked of {one.matter.requested}"
    return f"This is about {one.matter.id}, {one.procedure.title.lower()}, which {sides}."


def _fields(matter: Matter, procedure: Procedure, words: Words) -> tuple[Section, ...]:
    rows = tuple(
        Row(label=field_label(one, words), value=_at(matter.facts, one.name)) for one in procedure.fields
    )
    return (Section(title=words.heading("contents"), rows=rows),)


def field_label(one: Field, words: Words) -> Label:
    """A field by its name, with what it is to hold and the article that asks for it."""
    name = words.field(one.name, one.article)
    return replace(name, note="" if one.text.casefold() == name.english.casefold() else one.text)


def _stated(one: Occasion, words: Words) -> tuple[Section, ...]:
    """What the step stated: a refusal with its ground and article, conditions, a list of evidence."""
    known = one.matter.facts
    earlier = {
        name: known[name] for name in document_of(one.procedure, one.document).repeats if name in known
    }
    facts = {**earlier, **(one.step.facts if one.step else {})}
    facts = {name: value for name, value in facts.items() if name not in dict(_BASES)}
    sections = []
    if isinstance(refusal := facts.pop("refusal", None), dict):
        sections.append(_refusal(refusal, one.procedure, words))
    rows = tuple(Row(label=words.field(name), value=value) for name, value in facts.items())
    text = next((x.text for x in one.procedure.transitions if x.event == one.document.event), "")
    if rows or not sections:
        happened = Row(label=words.heading("event"), value=text)
        sections.insert(0, Section(title=words.heading("answer"), rows=(happened, *rows)))
    return tuple(sections)


def _refusal(refusal: Mapping[str, Any], procedure: Procedure, words: Words) -> Section:
    ground = next((one for one in procedure.refusals if one.code == refusal.get("ground")), None)
    label = words.heading("ground")
    stated = ground.text if ground else refusal.get("ground")
    rest = [
        Row(label=words.field(name), value=value)
        for name, value in refusal.items() if name not in ("ground", "reasons", "text")
    ]  # fmt: skip
    rows = (
        Row(label=replace(label, article=ground.article if ground else ""), value=stated),
        Row(label=words.heading("reasons"), value=refusal.get("reasons", refusal.get("text"))),
        *rest,
    )
    return Section(title=words.heading("refusal"), rows=rows)


def _basis(matter: Matter, words: Words) -> tuple[Section, ...]:
    rows = []
    for fact, heading in _BASES:
        if isinstance(found := matter.facts.get(fact), dict):
            rows.append(Row(label=words.heading(heading), value=reading(found)))
    return (basis_section(tuple(rows), words),) if rows else ()


def basis_section(rows: tuple[Row, ...], words: Words) -> Section:
    """What registers say about the legal basis, never as advice."""
    return Section(title=words.heading("basis"), rows=rows, note=NOT_ADVICE)


def reading(basis: Mapping[str, Any]) -> dict[str, Any]:
    """One register's reading, with its status, its confidence and its source said aloud."""
    usable = (
        "usable, as that register reads it"
        if basis.get("usable") is True
        else "NOT usable, as that register reads it"
    )
    return {
        "instrument": basis.get("instrument") or "none", "status": f"{basis.get('status', 'unknown')}; {usable}",
        "confidence": f"{basis.get('confidence', 'unknown')}: to be checked by a lawyer", "source": basis.get("source"),
        "reasons": basis.get("reasons"),
    }  # fmt: skip


def _terms(one: Occasion, words: Words) -> tuple[Section, ...]:
    rows = tuple(
        Row(
            label=words.english(x.rule.rpartition("/")[2]),
            value=f"{x.due_at:%Y-%m-%d %H:%M} UTC. {_KINDS[x.kind]}: {x.source}",
        )
        for x in sorted(one.deadlines, key=lambda x: (x.due_at, x.rule))
    )
    return (Section(title=words.heading("deadlines"), rows=rows),) if rows else ()


def _kept(procedure: Procedure, words: Words) -> tuple[Section, ...]:
    machine = [one.text for one in procedure.safeguards if one.by]
    people = [one.text for one in procedure.safeguards if not one.by]
    rows = [Row(label=words.heading("kept_by_both"), value=machine)] if machine else []
    rows += [Row(label=words.heading("kept_by_people"), value=people)] if people else []
    return (Section(title=words.heading("safeguards"), rows=tuple(rows)),) if rows else ()


def _references(one: Occasion, words: Words) -> tuple[Row, ...]:
    return (
        Row(label=words.heading("reference"), value=one.matter.id),
        Row(label=words.heading("date"), value=f"{one.at:%Y-%m-%d %H:%M} UTC"),
        Row(
            label=words.heading("procedure"), value=f"{one.procedure.title}, version {one.procedure.version}"
        ),
    )


def _receiving(one: Occasion, words: Words) -> tuple[Section, ...]:
    row = Row(label=words.heading("competent"), value=list(one.competent))
    return (Section(title=words.heading("authorities"), rows=(row,)),) if one.competent else ()


def _markings(facts: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    if facts.get("urgent") is True:
        found.append("URGENT")
    if facts.get("confidential") is True:
        found.append("CONFIDENTIAL: the fact and substance of this request (UNTOC 18(20))")
    handling = facts.get("handling")
    given = handling if isinstance(handling, list) else [handling]
    return (*found, *(one.upper() for one in given if isinstance(one, str) and 0 < len(one) <= 60))


def _banner(one: Occasion, request: bool) -> str:
    matter = one.matter
    if one.step is not None:
        return f"The two halves of this matter disagree: {matter.problem}" if matter.problem else ""
    said = "DRAFT: not approved, not sent, not valid."
    lacks = [
        x.name for x in one.procedure.fields if x.required and _at(matter.facts, x.name) in (None, "", [], {})
    ]
    return f"{said} Still missing: {', '.join(lacks)}." if request and lacks else said


def _approval(one: Occasion, request: bool, words: Words) -> Section:
    steps: Sequence[Taken] = () if one.step is None else (one.step,)
    if request and one.step is not None:
        steps = one.matter.steps[: one.step.number + 1]
    entries = one.entries or {}
    rows = [
        Row(
            label=words.english(x.event),
            value=f"{x.actor.by}, {x.actor.role.replace('-', ' ')}, {x.at[:16].replace('T', ' ')} UTC"
            + (f"\nEntry {entries[x.number]} of this node's log" if x.number in entries else ""),
        )
        for x in steps
    ]
    note = (
        "Not signed by hand: the entry in the log proves who decided it and when (comity log prove). The message "
        "between the nodes is signed."
        if steps else "Nobody has approved this."
    )  # fmt: skip
    return Section(title=words.heading("approval"), rows=tuple(rows), note=note)


def _signatures(words: Words) -> tuple[Signature, ...]:
    under = "name, office, place, date, seal"
    return (
        Signature(label=words.heading("for_requesting"), under=under),
        Signature(label=words.heading("for_requested"), under=under),
    )


def _at(facts: Mapping[str, Any], path: str) -> Any:
    found: Any = facts
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
