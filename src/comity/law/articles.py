"""What an instrument allows, article by article (`data/articles.csv`), and what a party declared or reserved
(`data/declarations.csv`). Paraphrases to find the article by, never the text; each row says whether it was verified.

The declarations are those that were gathered, not all there are: that none is listed proves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from comity.errors import InputError
from comity.law.cells import Confidence, confidence, filled, one_of, yes_no
from comity.law.files import read_rows, read_text
from comity.law.instruments import PURPOSES, instruments
from comity.law.parties import known_jurisdictions

EFFECTS = {
    "no_treaty_basis": "the convention is not taken as the treaty basis of extradition",
    "no_dispute_settlement": "the clause on settling disputes does not bind",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """`purposes` are those of `instruments.PURPOSES` that it serves or limits; `limits` may be ""."""

    instrument: str
    article: str
    about: str
    allows: str
    limits: str
    purposes: tuple[str, ...]
    source: str
    confidence: Confidence
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A reservation, declaration or notification of one party; `effect` is one of `EFFECTS`."""

    instrument: str
    party: str
    article: str
    effect: str
    text: str
    source: str
    confidence: Confidence
    verified: bool

    @property
    def said(self) -> str:
        kind = "verified" if self.verified else "not verified"
        return f"{self.party} on {self.instrument} {self.article}: {self.text} ({self.confidence} confidence, {kind})"


@cache
def articles() -> tuple[Article, ...]:
    """Every article row, in the order of the file."""
    return load_articles(read_text("articles.csv"))


@cache
def declarations() -> tuple[Declaration, ...]:
    return load_declarations(read_text("declarations.csv"))


def articles_for(instrument: str, purpose: str) -> tuple[Article, ...]:
    """The articles of `instrument` that matter for `purpose`."""
    return tuple(row for row in articles() if row.instrument == instrument and purpose in row.purposes)


def declared(instrument: str, parties: Iterable[str], effect: str | None = None) -> tuple[Declaration, ...]:
    """What these parties are known to have declared about `instrument`."""
    names = set(parties)
    return tuple(
        row
        for row in declarations()
        if row.instrument == instrument and row.party in names and effect in (None, row.effect)
    )


def load_articles(text: str) -> tuple[Article, ...]:
    columns = (
        "instrument", "article", "about", "allows", "limits", "purposes", "source", "confidence", "verified",
    )  # fmt: skip
    rows = tuple(_article(row, where) for where, row in read_rows(text, columns, where="articles.csv"))
    _once([(row.instrument, row.article) for row in rows], "articles.csv")
    return rows


def load_declarations(text: str) -> tuple[Declaration, ...]:
    columns = ("instrument", "party", "article", "effect", "text", "source", "confidence", "verified")
    rows = tuple(
        _declaration(row, where) for where, row in read_rows(text, columns, where="declarations.csv")
    )
    _once([(row.instrument, row.party, row.effect) for row in rows], "declarations.csv")
    return rows


def _article(row: dict[str, str], where: str) -> Article:
    return Article(
        instrument=_instrument(row["instrument"], where),
        article=filled(row["article"], where),
        about=filled(row["about"], where),
        allows=filled(row["allows"], where),
        limits=row["limits"],
        purposes=tuple(one_of(one, PURPOSES, where) for one in filled(row["purposes"], where).split()),
        source=filled(row["source"], where),
        confidence=confidence(row["confidence"], where),
        verified=yes_no(row["verified"], where),
    )


def _declaration(row: dict[str, str], where: str) -> Declaration:
    return Declaration(
        instrument=_instrument(row["instrument"], where),
        party=one_of(row["party"], known_jurisdictions(), where),
        article=filled(row["article"], where),
        effect=one_of(row["effect"], EFFECTS, where),
        text=filled(row["text"], where),
        source=filled(row["source"], where),
        confidence=confidence(row["confidence"], where),
        verified=yes_no(row["verified"], where),
    )


def _instrument(text: str, where: str) -> str:
    return one_of(text, [one.id for one in instruments()], where)


def _once(keys: list[tuple[str, ...]], where: str) -> None:
    twice = sorted({" ".join(key) for key in keys if keys.count(key) > 1})
    if twice:
        raise InputError.because(expected="each row once", got=f"{', '.join(twice)} twice", where=where)
