"""A letter as PDF: every script has its pictures, nothing that people write is code, and it is the same twice."""

import io
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from comity.law.wording import languages, wording
from comity.node.letters.fonts import Font, covering, fonts_for, shipped
from comity.node.letters.letter import Label, Letter, Office, Row, Section, Signature
from comity.node.letters.printable import LONGEST, Printing, clusters, missing, right_to_left
from comity.node.letters.typeset import Typeset, typeset

MESSAGE = '{"facts":"ข้อเท็จจริง","amount_minor":125000}'.encode()


def letter(value: Any = "as stated", *, language: str = "en", **changes: Any) -> Letter:
    """A small letter whose one field holds `value`, with every heading of `language`."""
    words = wording(language)
    english = wording("en")
    rows = tuple(
        Row(label=Label(english=english.fields[name], local=text), value="x")
        for name, text in words.fields.items()
    )
    made = Letter(
        reference="matter-1", at=datetime(2026, 11, 21, 12, tzinfo=UTC), language=language,
        sender=Office(authority="Department of Justice", place="Canada"),
        addressee=Office(authority="Attorney General", place="Thailand"),
        references=(Row(label=Label(english="Reference"), value="matter-1"),),
        title=Label(english="Request", local=words.documents["request"]),
        to=Label(english="To"), page=Label(english="Page", local=words.headings["page"]),
        approval=Section(title=Label(english="Approval"), note="Not signed by hand."),
        sections=(
            Section(title=Label(english="Contents"), rows=(Row(label=Label(english="Facts"), value=value),)),
            *((Section(title=Label(english="All"), rows=rows),) if language != "en" else ()),
        ),
        message=MESSAGE,
    )  # fmt: skip
    return replace(made, **changes)


def read(made: Typeset) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made.pdf)).pages)


@pytest.mark.parametrize("language", languages())
def test_every_word_of_every_language_has_its_pictures(language: str) -> None:
    """A PDF/A with a character that no font has is refused by the typesetter: this one passes."""
    assert missing(wording(language).texts, fonts_for(language)) == set()
    made = typeset(letter(language=language))
    assert made.unshown == ()
    assert made.borrowed == ()


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant", "vi", "ko", "ja", "es", "id"])
def test_words_can_be_read_back(language: str) -> None:
    said = "".join(read(typeset(letter(language=language))).split())
    for text in list(wording(language).fields.values())[:20]:
        assert "".join(text.split()) in said, text


def test_the_pdf_is_for_archives_and_for_readers_who_hear_it() -> None:
    reader = PdfReader(io.BytesIO(typeset(letter()).pdf))
    assert reader.metadata is not None
    assert reader.metadata.title == "Request, matter-1"
    assert reader.xmp_metadata is not None
    xmp = reader.xmp_metadata.stream.get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp


def test_the_message_attached_is_the_message_to_the_byte() -> None:
    files = PdfReader(io.BytesIO(typeset(letter()).pdf)).attachments
    assert files == {"message.json": [MESSAGE]}


def test_without_a_message_nothing_is_attached() -> None:
    assert not PdfReader(io.BytesIO(typeset(letter(message=b"")).pdf)).attachments


def test_the_same_values_are_the_same_bytes() -> None:
    one = letter({"b": [1, True, None], "a": "ទីក្រុងភ្នំពេញ"}, language="km")
    assert typeset(one).pdf == typeset(one).pdf
    assert typeset(one).pdf != typeset(replace(one, at=datetime(2026, 11, 22, tzinfo=UTC))).pdf


@pytest.mark.parametrize(
    "hostile",
    [
        '#read("/etc/passwd")', '"); #read("/etc/passwd"); (', "#{ panic() }", "*bold* _it_ `code` $x^2$ <label> @ref",
        "= A heading\n== Another", "#import \"@preview/cetz:0.3.0\": *", "\\u{202e}", "{{7*7}} ${7*7} %s {0}",
        "#pdf.attach(\"x\", bytes(\"y\"))", "</Metadata><x/>", "'; DROP TABLE matters; --",
    ],
)  # fmt: skip
def test_what_people_write_is_never_code(hostile: str) -> None:
    made = typeset(letter(hostile, reference=hostile, markings=(hostile,), banner=hostile, notes=(hostile,)))
    said = "".join(read(made).split())
    assert said.count("".join(hostile.split())) >= 4
    assert "root:x:0:0" not in said
    assert list(PdfReader(io.BytesIO(made.pdf)).attachments) == ["message.json"]


def test_what_hides_or_turns_text_stands_as_its_code_point() -> None:
    made = typeset(letter("pay \u202eDAC 48\u202c to\x00\x1b[31m\u200b him\ufeff \ue000"))
    said = read(made)
    for code in ("[U+202E]", "[U+202C]", "[U+0000]", "[U+001B]", "[U+FEFF]", "[U+E000]"):
        assert code in said
    assert "Characters that cannot be printed" in said
    assert set(made.unshown) == set("\u202e\u202c\x00\x1b\ufeff\ue000")


def test_a_character_that_no_font_has_is_said_aloud_and_never_an_empty_box() -> None:
    made = typeset(letter("𠮷野家 😀"))
    assert made.unshown == ("😀", "𠮷")
    assert "[U+20BB7]野家" in read(made)


def test_a_mark_that_belongs_to_another_script_does_not_break_the_letter() -> None:
    made = typeset(letter("ก\u0301 a\u0e31 \u0301 \u1039x"))
    assert "U+0301" in read(made)


def test_right_to_left_text_is_set_from_the_right() -> None:
    assert right_to_left("محمد") is True
    assert right_to_left("123 — محمد") is True
    assert right_to_left("CAD محمد") is False
    assert right_to_left("123") is False
    assert typeset(letter("محمد بن راشد آل مكتوم\nand English", language="ar")).unshown == ()


def test_a_very_long_value_is_cut_aloud_and_what_cannot_be_broken_is_broken() -> None:
    made = typeset(letter("A" * 5_000 + " " + "word " * 40_000))
    assert made.cut == 205_001 - LONGEST
    assert f"{made.cut} characters or entries of values" in " ".join(read(made).split())


def test_a_megabyte_is_still_a_letter() -> None:
    made = typeset(letter(["ข้อความ " * 1_800] * 70, language="th"))
    assert made.cut > 800_000
    pages = PdfReader(io.BytesIO(made.pdf)).pages
    assert len(pages) > 20
    assert "were left out" in pages[-1].extract_text()


def test_anything_that_unicode_has_can_be_given() -> None:
    chance = random.Random(20261121)
    for _ in range(12):
        points = [
            chance.choice((chance.randrange(0x250), chance.randrange(0x2000), chance.randrange(0x110000)))
            for _ in range(300)
        ]
        text = "".join(map(chr, points))
        typeset(letter({text[:50]: [text[50:]]}, addressee=Office(authority=text[:80] or "x", place="")))


def test_signatures_have_room() -> None:
    line = Signature(label=Label(english="For the requesting authority"), under="name, office, seal")
    assert "name, office, seal" in read(typeset(letter(signatures=(line, line))))


def test_a_letter_falls_back_on_given_fonts_for_what_is_missing_only() -> None:
    other = Font(family="Other", characters=frozenset({ord("😀")}))
    useless = Font(family="Useless", characters=frozenset({ord("b")}))
    assert covering({ord("😀"), 0x20BB7}, (useless, other)) == (other,)
    assert covering(set(), (useless, other)) == ()


def test_the_machines_fonts_are_looked_at_only_if_a_character_is_missing() -> None:
    def never() -> tuple[Font, ...]:
        raise AssertionError("nothing is missing")

    assert typeset(letter("हिन्दी বাংলা தமிழ் සිංහල"), machine=never).unshown == ()
    with pytest.raises(AssertionError, match="nothing is missing"):
        typeset(letter("😀"), machine=never)


def test_letters_keep_their_marks_and_joiners() -> None:
    assert list(clusters("កើត a\u0301b")) == ["កើ", "ត", " ", "a\u0301", "b"]
    printing = Printing(fonts=shipped())
    assert printing.line("ក\u200bខ \u1000\u1039\u1001") == "ក\u200bខ \u1000\u1039\u1001"
    assert printing.unshown == set()
