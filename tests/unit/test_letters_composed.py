"""What letters say, for every document of every procedure: pure, so that no gate needs to be opened for it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from comity.casework.deadline import Deadline
from comity.casework.matter import Actor, Matter, Taken
from comity.errors import InputError
from comity.law.procedure_files import all_procedures
from comity.law.procedures import Document, Procedure
from comity.law.wording import ENGLISH, language_for, languages, parse_wording, wording
from comity.node.letters.compose import Occasion, compose
from comity.node.letters.forms import document_of, forms, is_request, parse_forms
from comity.node.letters.letter import Letter, Office, written_in
from comity.node.letters.typeset import typeset

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
TWO_SIDED = [one for one in all_procedures() if one.sides == "two"]
DOCUMENTS = [(one, document) for one in TWO_SIDED for document in one.documents]
IDS = [f"{one.name}-{document.name}" for one, document in DOCUMENTS]


def stated(one: Procedure, document: Document) -> dict[str, Any]:
    """What the event of a document may state, each with something in it."""
    names = {name for move in one.transitions if move.event == document.event for name in move.records}
    found: dict[str, Any] = {name: {"text": f"{name} is stated here"} for name in sorted(names)}
    if "refusal" in found:
        found["refusal"] = {"ground": one.refusals[0].code, "reasons": "because of this"}
    return found


def occasion(one: Procedure, document: Document, **changes: Any) -> Occasion:
    move = next(x for x in one.transitions if x.event == document.event)
    facts: dict[str, Any] = {field.name: f"{field.name} is stated here" for field in one.fields}
    facts |= {name: facts.get(name, f"{name} is stated here") for name in document_of(one, document).repeats}
    facts["basis"] = {
        "instrument": "UNTOC", "status": "in force", "usable": True, "confidence": "medium",
        "source": "treaty collection", "reasons": ["UNTOC 18(1)"],
    }  # fmt: skip
    steps = [("submit", "draft"), (document.event, move.source)]
    side: Any = "requested" if move.side == "requested" else "requesting"
    taken = tuple(
        Taken(
            number=number, event=event, source=source, target=move.target, at="2026-11-21T12:00:00.000000+00:00",
            actor=Actor(by="nadia", role="prosecutor", side=side), facts=stated(one, document) if number else {},
        )
        for number, (event, source) in enumerate(steps)
    )  # fmt: skip
    matter = Matter(
        id="matter-1", compact="x", requesting="ca", requested="th", side="requesting", case_id="", procedure=one.name,
        version=one.version, digest=one.digest, state=move.target, chain="00" * 32, facts={**facts, **taken[1].facts},
        steps=taken, pending=None, problem="", opened_at=AT, updated_at=AT,
    )  # fmt: skip
    given: dict[str, Any] = {
        "matter": matter, "procedure": one, "document": document, "step": taken[1],
        "sender": Office(authority="Sender", place="Canada"),
        "addressee": Office(authority="Receiver", place="Thailand"),
        "at": AT, "entries": {1: "17"}, "competent": ["An authority"], **changes,
    }  # fmt: skip
    return Occasion(**given)


def said(letter: Letter) -> str:
    return "\n".join(written_in(letter))


@pytest.mark.parametrize(("one", "document"), DOCUMENTS, ids=IDS)
def test_every_document_says_what_its_step_stated(one: Procedure, document: Document) -> None:
    letter = compose(occasion(one, document), language="km")
    assert letter.title.english == document.title
    assert letter.title.local
    text = said(letter)
    expected = (
        [field.name for field in one.fields] if is_request(one, document) else list(stated(one, document))
    )
    for name in (*expected, *document_of(one, document).repeats):
        assert name == "refusal" or f"{name} is stated here" in text, name
    assert "Entry 17" in text
    assert json.loads(letter.message)["procedure"] == one.name


@pytest.mark.parametrize(("one", "document"), DOCUMENTS, ids=IDS)
def test_every_document_can_be_set_and_every_name_has_words(one: Procedure, document: Document) -> None:
    for language in ("en", "my"):
        letter = compose(occasion(one, document), language=language)
        assert not any("stand in English only" in note for note in letter.notes)
        assert typeset(letter).unshown == ()


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_word(language: str) -> None:
    english, local = wording(ENGLISH), wording(language)
    for part in ("headings", "documents", "procedures", "fields"):
        assert set(getattr(local, part)) == set(getattr(english, part)), part
    assert set(local.procedures) >= {one.name for one in all_procedures()}
    names = {field.name for one in all_procedures() for field in one.fields}
    names |= {
        name
        for one, document in DOCUMENTS
        for name in (*stated(one, document), *document_of(one, document).repeats)
    }
    assert names - {"refusal"} <= set(local.fields)
    assert {document.name for _, document in DOCUMENTS} <= set(local.documents)
    assert local.verified is (language == ENGLISH), "nobody but a translator verifies"


def test_a_name_without_words_is_shown_in_english_and_the_letter_says_so() -> None:
    one = next(x for x in TWO_SIDED if x.name == "mla")
    document = next(x for x in one.documents if x.name == "conditions")
    told = occasion(one, document)
    step = told.step
    assert step is not None
    letter = compose(replace(told, step=replace(step, facts={"brand_new": "x"})), language="th")
    assert any("No words in Thai for: brand_new" in note for note in letter.notes)


def test_a_translation_says_that_no_translator_checked_it() -> None:
    letter = compose(occasion(*DOCUMENTS[0]), language="lo")
    assert any("not by a translator; the English text counts" in note for note in letter.notes)
    assert not any("translat" in note for note in compose(occasion(*DOCUMENTS[0])).notes)


def test_a_refusal_names_its_ground_with_the_article() -> None:
    for one, document in DOCUMENTS:
        if document.name == "refusal" and one.refusals:
            letter = compose(occasion(one, document))
            assert one.refusals[0].text in said(letter)
            assert one.refusals[0].article in said(letter)
            assert "because of this" in said(letter)


def test_what_nobody_verified_is_called_so() -> None:
    text = said(compose(occasion(*DOCUMENTS[0])))
    assert "medium: to be checked by a lawyer" in text
    assert "Not legal advice" in text


def test_every_form_is_of_a_procedure_that_there_is_and_the_other_way_round() -> None:
    assert set(forms()) == {one.name for one in TWO_SIDED} | {"trace_and_hold"}
    for one in TWO_SIDED:
        for document in one.documents:
            assert set(document_of(one, document).repeats) <= (
                {field.name for field in one.fields}
                | {name for move in one.transitions for name in move.records}
            )


def test_what_both_sign_has_room_for_both() -> None:
    signed = {
        (one.name, document.name) for one, document in DOCUMENTS if document_of(one, document).both_sign
    }
    assert {("joint_team", "agreement"), ("handover", "manifest"), ("extradition", "manifest")} <= signed
    for one, document in DOCUMENTS:
        assert len(compose(occasion(one, document)).signatures) == (
            2 if document_of(one, document).both_sign else 0
        )


def test_each_procedure_has_one_document_that_goes_out_first() -> None:
    for one in TWO_SIDED:
        assert sum(is_request(one, document) for document in one.documents) == 1, one.name


def test_a_referral_names_nobody() -> None:
    one = next(x for x in TWO_SIDED if x.name == "victim_referral")
    names = {field.name for field in one.fields}
    assert not names & {"name", "person", "born", "passport", "identity"}
    letter = compose(occasion(one, next(x for x in one.documents if is_request(one, x))))
    assert "It names nobody" in said(letter)
    assert any(document_of(one, document).to for document in one.documents)


def test_deadlines_say_whether_they_are_the_laws() -> None:
    due = Deadline(
        id="d", subject="matter", subject_id="matter-1", rule="mla/1/acknowledge", event="x", kind="T", source="policy",
        set_at=AT, due_at=datetime(2026, 11, 28, tzinfo=UTC), state="pending",
    )  # fmt: skip
    text = said(compose(occasion(*DOCUMENTS[0], deadlines=[due])))
    assert "2026-11-28 00:00 UTC. Target, not a term of law: policy" in text


def test_the_language_is_what_the_register_says_that_a_state_accepts() -> None:
    assert language_for("TH", "mla")[0] == "th"
    assert language_for("HK", "mla")[0] == "zh-Hant"
    assert language_for("MO", "mla")[0] == "zh-Hant"
    assert language_for("SG", "mla")[0] == "en"
    assert language_for("CN", "police")[0] == "en", "the bureau works in INTERPOL's languages"
    language, why = language_for("CN", "mla")
    assert language == "zh-Hans"
    assert "does not say" in why
    assert language_for("ZZ", "mla")[0] == "en"


def test_a_wording_file_is_read_strictly() -> None:
    with pytest.raises(InputError, match="direction"):
        parse_wording(
            "language: xx\nname: X\nown_name: X\ndirection: up\nverified: false\nby: me\n"
            "headings: {}\ndocuments: {}\nprocedures: {}\nfields: {}\n",
            where="wording/xx.yaml",
        )
    with pytest.raises(InputError, match="tlh"):
        wording("tlh")


@pytest.mark.parametrize(
    "text", ["[]", "mla: {}", "mla: {competence: love, opens: x, documents: {}}",
             "mla: {competence: mla, opens: x, documents: {request: {sings: true}}}",
             "mla: {competence: mla, opens: x, documents: {request: x}}"],
)  # fmt: skip
def test_a_file_of_forms_is_read_strictly(text: str) -> None:
    with pytest.raises(InputError, match="forms"):
        parse_forms(text, where="forms")
