"""The register of competent authorities: who in a jurisdiction is competent for what, how they are reached, and how
far to trust the row. One readable file a jurisdiction: `data/authorities/CC.csv`.

What the data does not hold is unknown, never absent. Two authorities that claim the same part of a competence are a
conflict which people settle: both are shown, neither is put first. Nothing here is legal advice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from comity.errors import InputError
from comity.law.cells import Confidence, confidence, filled, one_of, yes_no
from comity.law.files import folder, read_rows
from comity.law.parties import name_of

COMPETENCES: Mapping[str, str] = {
    "mla": "mutual legal assistance",
    "extradition": "extradition",
    "fiu": "financial intelligence unit",
    "contact_24_7": "contact at any hour",
    "police": "police cooperation (INTERPOL national central bureau)",
    "anti_trafficking": "trafficking in persons",
    "asset_recovery": "asset recovery",
    "border": "border and immigration",
    "customs": "customs",
    "data_protection": "data protection",
    "oversight": "oversight",
}
CHANNELS: Mapping[str, str] = {
    "central_authority": "directly between central authorities",
    "diplomatic": "through diplomatic channels",
    "i247": "INTERPOL I-24/7",
    "egmont": "Egmont Secure Web",
    "memorandum": "only under a memorandum between the two units",
    "direct": "directly",
}
WHOLE = "all"
"""The scope of a row that claims a competence without saying which part of it."""

_COLUMNS = (
    "competence", "scope", "authority", "local_name", "languages", "channel", "source", "confidence",
    "verified", "as_of", "note",
)  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
_YEAR = re.compile(r"20\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetentAuthority:
    """A claim of one authority to one part (`scope`) of one competence.

    `local_name`, `channel` None and `languages` () are unknown, not none. `verified` is False until a lawyer has
    compared the row with its source; `as_of` is the year for which it is stated.
    """

    party: str
    competence: str
    scope: str
    authority: str
    local_name: str | None
    languages: tuple[str, ...]
    channel: str | None
    source: str
    confidence: Confidence
    verified: bool
    as_of: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """More than one authority claims the same part of a competence: for people of that jurisdiction to settle."""

    competence: str
    scope: str
    claims: tuple[CompetentAuthority, ...]

    @property
    def text(self) -> str:
        names = " and ".join(f"“{one.authority}”" for one in self.claims)
        part = f" ({self.scope})" if self.scope != WHOLE else ""
        return (
            f"{self.claims[0].party}: {names} both claim {COMPETENCES[self.competence]}{part}. "
            "The data does not put one before the other: ask both, or have them settle it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delineation:
    """Who is competent in `party`: the claims, the conflicts among them, and the competences nobody is known for."""

    party: str
    authorities: tuple[CompetentAuthority, ...]
    conflicts: tuple[Conflict, ...]
    unknown: tuple[str, ...]


def competent(party: str, competence: str | None = None, *, scope: str | None = None) -> Delineation:
    """Return who in `party` claims `competence` (all competences if None), in the order of the file.

    `scope` narrows to claims of that part and claims of the whole. Raises `InputError` for an unknown jurisdiction
    or competence, with what is known.
    """
    name_of(party)
    wanted = tuple(COMPETENCES) if competence is None else (one_of(competence, COMPETENCES, "competence"),)
    rows = tuple(
        row
        for row in authorities(party)
        if row.competence in wanted and (scope is None or row.scope in (scope, WHOLE))
    )
    return Delineation(
        party=party,
        authorities=rows,
        conflicts=conflicts(rows),
        unknown=tuple(one for one in wanted if one not in {row.competence for row in rows}),
    )


def conflicts(rows: tuple[CompetentAuthority, ...]) -> tuple[Conflict, ...]:
    """Same competence and same part, or one claims the whole of what another claims a part of."""
    found = []
    for competence in dict.fromkeys(row.competence for row in rows):
        claims = [row for row in rows if row.competence == competence]
        whole = [row for row in claims if row.scope == WHOLE]
        for scope in dict.fromkeys(row.scope for row in claims):
            same = tuple(row for row in claims if row.scope == scope)
            against = same if scope == WHOLE else (*whole, *same)
            if len({row.authority for row in against}) > 1:
                found.append(Conflict(competence=competence, scope=scope, claims=against))
    return tuple(found)


@cache
def authorities(party: str) -> tuple[CompetentAuthority, ...]:
    """The rows of one jurisdiction; none where the data holds no file on it (unknown, not absent)."""
    name_of(party)
    file = folder("authorities", f"{party}.csv")
    if not file.is_file():
        return ()
    return load_authorities(party, file.read_text(encoding="utf-8"))


def load_authorities(party: str, text: str) -> tuple[CompetentAuthority, ...]:
    """Read one file's text or raise `InputError` with the line that is wrong."""
    name = f"authorities/{party}.csv"
    rows = tuple(_row(party, row, where) for where, row in read_rows(text, _COLUMNS, where=name))
    keys = [(row.competence, row.scope, row.authority) for row in rows]
    if len(set(keys)) != len(keys):
        raise InputError.because(expected="each claim once", got="one twice", where=name)
    return rows


def as_json(found: Delineation) -> dict[str, Any]:
    """The answer as `comity law authority --json` prints it; null is unknown."""
    return {
        "party": found.party,
        "authorities": [_one_as_json(one) for one in found.authorities],
        "conflicts": [
            {
                "competence": one.competence,
                "scope": one.scope,
                "authorities": [claim.authority for claim in one.claims],
                "text": one.text,
            }
            for one in found.conflicts
        ],
        "unknown": list(found.unknown),
    }


def _one_as_json(one: CompetentAuthority) -> dict[str, Any]:
    return {
        "competence": one.competence,
        "scope": one.scope,
        "authority": one.authority,
        "local_name": one.local_name,
        "languages": list(one.languages) or None,
        "channel": one.channel,
        "source": one.source,
        "confidence": str(one.confidence),
        "verified": one.verified,
        "as_of": one.as_of,
        "note": one.note,
    }


def _row(party: str, row: dict[str, str], where: str) -> CompetentAuthority:
    languages = tuple(row["languages"].split())
    if not all(_LANGUAGE.fullmatch(one) for one in languages):
        raise InputError.because(expected="ISO 639-1 codes", got=repr(row["languages"]), where=where)
    if _YEAR.fullmatch(row["as_of"]) is None:
        raise InputError.because(expected="a year, 20NN", got=repr(row["as_of"]), where=where)
    return CompetentAuthority(
        party=party,
        competence=one_of(row["competence"], COMPETENCES, where),
        scope=filled(row["scope"], where),
        authority=filled(row["authority"], where),
        local_name=row["local_name"] or None,
        languages=languages,
        channel=one_of(row["channel"], CHANNELS, where) if row["channel"] else None,
        source=filled(row["source"], where),
        confidence=confidence(row["confidence"], where),
        verified=yes_no(row["verified"], where),
        as_of=int(row["as_of"]),
        note=row["note"],
    )
