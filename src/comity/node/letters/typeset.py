"""A letter as a PDF: values in, bytes out, the same bytes for the same values. Pure but for the fonts that it reads.

The PDF is PDF/A-3a (ISO 19005-3, for archives, with the message inside) and PDF/UA-1 (ISO 14289-1, for readers who hear
it). A PDF/A shows no character without a picture, so that none is ever an empty box. What people wrote reaches
the typesetter as JSON strings and is shown as text; it is never read as its language.
"""

import json
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typst

from comity.errors import ComityError
from comity.law.wording import ENGLISH, wording
from comity.node.letters.fonts import Font, covering, fonts_for, loaded
from comity.node.letters.letter import Label, Letter, Office, Row, Section, texts_of, written_in
from comity.node.letters.printable import Printing, missing, right_to_left

TEMPLATES = Path(__file__).parent / "templates"
STANDARDS: tuple[Literal["a-3a", "ua-1"], ...] = ("a-3a", "ua-1")
_REGIONS = {"zh-Hans": ("zh", "cn"), "zh-Hant": ("zh", "hk")}
LONG = 600
"""Characters of a value that may be parted between two pages."""
Machine = Callable[[], tuple[Font, ...]]
MAX_ITEMS = 2_000
"""Entries of one list or mapping that are printed."""


class NotTypeset(ComityError):
    """A letter could not be set."""

    code = "letters.not-typeset"
    remedy = (
        "A fault of the program: report it with the form of the letter. The message itself is not affected."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Typeset:
    """`unshown` are the characters that no font has, shown by their code points; `cut` how many were left out because a
    value was too long. `borrowed` are fonts of this machine: elsewhere the letter may look different there.
    """

    pdf: bytes
    unshown: tuple[str, ...]
    cut: int
    borrowed: tuple[str, ...]


def typeset(letter: Letter, *, machine: Machine = lambda: ()) -> Typeset:
    """Set one letter. `machine` gives fonts to fall back on; it is asked only if the package's lack a character."""
    fonts = fonts_for(letter.language)
    lacking = missing(written_in(letter), fonts)
    borrowed = covering(lacking, machine()) if lacking else ()
    layout = Layout(Printing(fonts=(*fonts, *borrowed)), letter.language)
    document = layout.letter(letter)
    document["fonts"] = [one.family for one in (*fonts, *borrowed)]
    inputs = {"document": json.dumps(document, ensure_ascii=False)}
    if letter.message:
        inputs["message"] = letter.message.decode("utf-8")
    return Typeset(
        pdf=set_in_type("letter.typ", inputs, at=letter.at.timestamp(), machine=bool(borrowed)),
        unshown=tuple(sorted(layout.printing.unshown)),
        cut=layout.printing.cut,
        borrowed=tuple(one.family for one in borrowed),
    )


def set_in_type(template: str, inputs: Mapping[str, str], *, at: float, machine: bool = False) -> bytes:
    """Run one of our templates over `inputs`. `at` is the PDF's date, in seconds since 1970."""
    try:
        return typst.compile(
            TEMPLATES / template, root=TEMPLATES, font_paths=loaded(machine), ignore_system_fonts=not machine,
            sys_inputs=dict(inputs), pdf_standards=list(STANDARDS), timestamp=int(at),
        )  # fmt: skip
    except typst.TypstError as error:
        raise NotTypeset(f"expected a letter that can be set, got: {error.message[:300]}") from error


class Layout:
    """Turns values into what the templates lay out, every text printable."""

    def __init__(self, printing: Printing, language: str) -> None:
        self.printing = printing
        self._wording = wording(language) if language != ENGLISH else None

    def letter(self, one: Letter) -> dict[str, Any]:
        document = {
            "name": self.printing.line(f"{one.title.english}, {one.reference}"),
            "author": self.printing.line(one.sender.authority),
            "keywords": [self.printing.line(one.reference)],
            "footer": self.printing.line(f"{one.sender.authority} · {one.reference}"),
            "page-word": self.text(one.page.local or one.page.english, local=bool(one.page.local)),
            "head": self.office(one.sender),
            "markings": [self.printing.line(mark) for mark in one.markings],
            "to": {"label": self.label(one.to), "lines": self._address(one.addressee)},
            "references": [self.row(row) for row in one.references],
            "title": self.label(one.title),
            "banner": self.printing.line(one.banner),
            "opening": [self.own(text) for text in one.opening],
            "approval": self.section(one.approval),
            "sections": [self.section(part) for part in one.sections],
            "signatures": [
                {**self.label(sign.label), "under": self.printing.line(sign.under)} for sign in one.signatures
            ],
            "attachment": {"name": one.message_name, "description": "The message as it crosses between the nodes"},
        }  # fmt: skip
        return {**document, "notes": [self.own(text) for text in (*one.notes, *self.limits())]}

    def limits(self) -> list[str]:
        """What could not be printed, said aloud; to be asked last."""
        said = []
        if self.printing.unshown:
            codes = ", ".join(f"U+{ord(one):04X}" for one in sorted(self.printing.unshown)[:20])
            more = len(self.printing.unshown) - 20
            said.append(
                f"Characters that cannot be printed stand as their code points: {codes}"
                f"{f' and {more} more' if more > 0 else ''}. The attached message has them as they were written."
            )
        if self.printing.cut:
            said.append(
                f"{self.printing.cut} characters or entries of values too long to print were left out, at […]. "
                "The attached message has them all."
            )
        return said

    def section(self, one: Section) -> dict[str, Any]:
        return {
            "title": self.label(one.title), "rows": [self.row(row) for row in one.rows],
            "note": self.printing.line(one.note),
        }  # fmt: skip

    def row(self, one: Row) -> dict[str, Any]:
        long = sum(map(len, texts_of(one.value))) > LONG
        return {"label": self.label(one.label), "value": self.value(one.value), "long": long}

    def label(self, one: Label) -> dict[str, Any]:
        return {
            "english": self.text(one.english),
            "local": self.text(one.local, local=True) if one.local else None,
            "note": self.printing.line(one.note.replace("`", "")),
            "article": self.printing.line(one.article.replace("`", "")),
        }

    def office(self, one: Office) -> dict[str, Any]:
        return {
            "authority": self.text(one.authority), "place": self.printing.line(one.place),
            "local": self.text(one.local) if one.local else None,
        }  # fmt: skip

    def value(self, value: Any) -> dict[str, Any]:
        """Any JSON as text, list or pairs; what is not stated says so."""
        if value is None or value in ("", [], {}):
            return {"kind": "quiet", "text": "not stated"}
        if isinstance(value, dict):
            pairs = [
                [self._key(str(key)), self.value(one)] for key, one in [*value.items()][: self._room(value)]
            ]
            return {"kind": "pairs", "pairs": pairs}
        if isinstance(value, (list, tuple)):
            return {"kind": "list", "items": [self.value(one) for one in value[: self._room(value)]]}
        text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
        paragraphs = [self._directed(one) for one in self.printing.paragraphs(text)]
        return {"kind": "text", "paragraphs": paragraphs}

    def own(self, text: str) -> dict[str, Any]:
        """A sentence of the letter itself: it is never left out."""
        return {"kind": "text", "paragraphs": [self._directed(self.printing.line(text))]}

    def text(self, text: str, *, local: bool = False) -> dict[str, Any]:
        """Words in one language, for the typesetter to shape and break as that language does."""
        if not local or self._wording is None:
            return self._directed(self.printing.line(text))
        language, region = _REGIONS.get(self._wording.language, (self._wording.language, None))
        found = {"text": self.printing.line(text), "lang": language, "dir": self._wording.direction}
        return {**found, "region": region} if region else found

    def _key(self, name: str) -> dict[str, Any]:
        local = self._wording.fields.get(name, "") if self._wording else ""
        return {"english": self.text(words(name)), "local": self.text(local, local=True) if local else None}

    def _address(self, one: Office) -> list[dict[str, Any]]:
        return [self.text(line) for line in (one.authority, one.local, one.place) if line]

    def _directed(self, text: str) -> dict[str, Any]:
        rtl = right_to_left(text)
        return {"text": text, "lang": "ar" if rtl else "en", "dir": "rtl" if rtl else "ltr"}

    def _room(self, found: Sized) -> int:
        """How many entries are printed; the others count as left out."""
        self.printing.cut += max(0, len(found) - MAX_ITEMS)
        return MAX_ITEMS


def words(name: str) -> str:
    """The name of a fact as words: `amount_minor` is amount minor."""
    return name.replace("_", " ")
