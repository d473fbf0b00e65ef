"""Provisions, read into conduct elements and maximum penalties (`data/provisions.csv`), and the thresholds that
penalties are measured by (`data/thresholds.csv`).

An own reading of what was gathered, to be checked by a lawyer of the state. An empty cell is unknown: an unknown
penalty reaches no threshold and misses none.
"""

import re
from dataclasses import dataclass
from functools import cache

from comity.errors import InputError
from comity.law.cells import Confidence, confidence, filled, one_of, yes_no
from comity.law.elements import Requirement, requirements
from comity.law.files import read_rows, read_text
from comity.law.offences import offences
from comity.law.parties import known_jurisdictions, name_of

_YEARS = re.compile(r"([1-9]\d?)y", re.ASCII)


@dataclass(frozen=True, slots=True)
class Penalty:
    """A maximum: whole `years`, or for life, or death. The text is `12y`, `life`, `death`."""

    text: str

    @property
    def years(self) -> int | None:
        found = _YEARS.fullmatch(self.text)
        return int(found[1]) if found else None

    def reaches(self, years: int) -> bool:
        return self.years is None or self.years >= years

    def __str__(self) -> str:
        return f"{self.years} years" if self.years else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """`requires` () and `maximum` None were not gathered; `corporal` None: not known whether it threatens a corporal
    penalty. `aggravated` is the maximum of a graver form, which is never measured against a threshold.
    """

    party: str
    offence: str
    provision: str
    requires: tuple[Requirement, ...]
    maximum: Penalty | None
    aggravated: Penalty | None
    corporal: bool | None
    source: str
    confidence: Confidence
    verified: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    id: str
    years: int
    about: str
    article: str
    source: str
    confidence: Confidence
    verified: bool


@cache
def all_provisions() -> tuple[Provision, ...]:
    return load_provisions(read_text("provisions.csv"))


@cache
def thresholds() -> tuple[Threshold, ...]:
    return load_thresholds(read_text("thresholds.csv"))


def provisions(party: str, statutes: str | None = None) -> tuple[Provision, ...]:
    """The provisions of `party`, all or those under one key of statutes.csv; none gathered is unknown, not absent."""
    name_of(party)
    return tuple(row for row in all_provisions() if row.party == party and statutes in (None, row.offence))


def threshold(id_: str) -> Threshold:
    """Return one threshold; `InputError` that lists the known ids if there is none."""
    known = {row.id: row for row in thresholds()}
    return known[one_of(id_, known, "threshold")]


def load_provisions(text: str) -> tuple[Provision, ...]:
    columns = (
        "party", "offence", "provision", "requires", "max_penalty", "aggravated", "corporal", "source",
        "confidence", "verified", "note",
    )  # fmt: skip
    rows = tuple(_provision(row, where) for where, row in read_rows(text, columns, where="provisions.csv"))
    keys = [(row.party, row.provision) for row in rows]
    if len(set(keys)) != len(keys):
        raise InputError.because(expected="each provision once", got="one twice", where="provisions.csv")
    return rows


def load_thresholds(text: str) -> tuple[Threshold, ...]:
    columns = ("threshold", "years", "about", "article", "source", "confidence", "verified")
    return tuple(
        Threshold(
            id=filled(row["threshold"], where),
            years=int(one_of(row["years"], [str(years) for years in range(1, 31)], where)),
            about=filled(row["about"], where),
            article=filled(row["article"], where),
            source=filled(row["source"], where),
            confidence=confidence(row["confidence"], where),
            verified=yes_no(row["verified"], where),
        )
        for where, row in read_rows(text, columns, where="thresholds.csv")
    )


def _provision(row: dict[str, str], where: str) -> Provision:
    corporal = one_of(row["corporal"], ("yes", "no", "unknown"), where)
    return Provision(
        party=one_of(row["party"], known_jurisdictions(), where),
        offence=one_of(row["offence"], dict.fromkeys(one.statutes for one in offences()), where),
        provision=filled(row["provision"], where),
        requires=requirements(row["requires"], where=where),
        maximum=_penalty(row["max_penalty"], where),
        aggravated=_penalty(row["aggravated"], where),
        corporal=None if corporal == "unknown" else corporal == "yes",
        source=filled(row["source"], where),
        confidence=confidence(row["confidence"], where),
        verified=yes_no(row["verified"], where),
        note=row["note"],
    )


def _penalty(text: str, where: str) -> Penalty | None:
    if not text:
        return None
    if text not in ("life", "death") and _YEARS.fullmatch(text) is None:
        raise InputError.because(expected="NNy, life, death or nothing", got=repr(text), where=where)
    return Penalty(text)
