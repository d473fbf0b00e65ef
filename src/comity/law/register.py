"""The register: instruments and their parties, bilateral treaties, statutes. Strict: an unknown status, type
or confidence, a malformed date, an empty source or a row given twice is an error, never a guess.

Every row carries its source and confidence; the age is `GATHERED` for all. Nothing here is legal advice.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from comity.errors import InputError
from comity.law.cells import Confidence, confidence, filled, one_of
from comity.law.files import read_rows, read_text
from comity.law.parties import known_jurisdictions

__all__ = [
    "FOOTINGS", "GATHERED", "PARTY_STATUSES", "TREATY_STATUSES", "Confidence", "PartyRow", "Register", "StatuteRow",
    "TreatyRow", "load_register", "register",
]  # fmt: skip

GATHERED = "2026-11"
"""When the rows were gathered. Shown wherever a row is used."""

PARTY_STATUSES = frozenset({
    "party", "extended", "signed", "ratified_reported", "not_signed", "not_signed_at_Hanoi",
    "not_extended", "extension_unknown", "not_in_force", "invited_not_party", "joining_process", "none",
    "member", "non_member", "unverified", "sub_bureau_of_NCB_Beijing",
    "increased_monitoring", "call_for_action_EDD",
})  # fmt: skip
TREATY_STATUSES = frozenset({
    "in_force", "in_force_by_succession", "signed", "signed_only", "suspended_2020", "none", "none_found",
    "none_police_MoU_2024-06",
})  # fmt: skip
FOOTINGS = frozenset({"designated", "arrangement", "reciprocal_warrants", "london_scheme"})
"""Written in place of a date of entry into force: surrender rests on this, not on a treaty."""

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRow:
    """One jurisdiction's standing in one instrument. `date` is "" where unknown."""

    instrument: str
    type: str
    party: str
    status: str
    date: str
    source: str
    confidence: Confidence
    age: str = GATHERED


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatyRow:
    """A bilateral treaty, or the statement that there is none. Symmetric in `a` and `b`."""

    type: str
    a: str
    b: str
    signed: str
    in_force: str
    footing: str
    """Set where surrender rests on something else than a treaty (`FOOTINGS`); then `in_force` is ""."""
    status: str
    source: str
    confidence: Confidence
    age: str = GATHERED


@dataclass(frozen=True, slots=True, kw_only=True)
class StatuteRow:
    """Provision and maximum penalty as gathered: text, "unverified" where it is."""

    party: str
    offence: str
    provision: str
    max_penalty: str
    source: str
    confidence: Confidence
    age: str = GATHERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    parties: tuple[PartyRow, ...]
    treaties: tuple[TreatyRow, ...]
    statutes: tuple[StatuteRow, ...]
    _standing: dict[tuple[str, str], tuple[PartyRow, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[tuple[str, str], tuple[PartyRow, ...]] = {}
        for row in self.parties:
            key = (row.instrument, row.party)
            found[key] = (*found.get(key, ()), row)
        object.__setattr__(self, "_standing", found)

    def standing(self, instrument: str, party: str) -> tuple[PartyRow, ...]:
        """The rows on `party` in `instrument`: usually one, none where the data is silent."""
        return self._standing.get((instrument, party), ())

    def between(self, type_: str, one: str, other: str) -> tuple[TreatyRow, ...]:
        """The rows of this type between two jurisdictions, whichever is named first."""
        return tuple(row for row in self.treaties if row.type == type_ and {row.a, row.b} == {one, other})


@cache
def register() -> Register:
    """The register that ships with the package."""
    return load_register(
        instruments=read_text("instruments.csv"),
        bilateral=read_text("bilateral.csv"),
        statutes=read_text("statutes.csv"),
    )


def load_register(*, instruments: str, bilateral: str, statutes: str) -> Register:
    """Read three CSV texts (columns: data/README.md) or raise `InputError` with the line that is wrong."""
    found = Register(
        parties=_parties(instruments), treaties=_treaties(bilateral), statutes=_statutes(statutes)
    )
    _once([(row.instrument, row.party, row.status) for row in found.parties], "instruments.csv")
    _agreed(found.treaties)
    _once([(row.party, row.offence) for row in found.statutes], "statutes.csv")
    return found


def _parties(text: str) -> tuple[PartyRow, ...]:
    columns = ("instrument", "type", "party", "status", "date", "source", "confidence")
    types = ("multilateral", "regional", "network", "listing")
    return tuple(
        PartyRow(
            instrument=filled(row["instrument"], where),
            type=one_of(row["type"], types, where),
            party=_party(row["party"], where),
            status=one_of(row["status"], sorted(PARTY_STATUSES), where),
            date=_date(row["date"], where),
            source=filled(row["source"], where),
            confidence=confidence(row["confidence"], where),
        )
        for where, row in read_rows(text, columns, where="instruments.csv")
    )


def _treaties(text: str) -> tuple[TreatyRow, ...]:
    columns = ("type", "a", "b", "signed", "in_force", "status", "source", "confidence")
    return tuple(_treaty(row, where) for where, row in read_rows(text, columns, where="bilateral.csv"))


def _treaty(row: dict[str, str], where: str) -> TreatyRow:
    if row["a"] == row["b"]:
        raise InputError.because(expected="two different parties", got=row["a"], where=where)
    footing = row["in_force"] if row["in_force"] in FOOTINGS else ""
    return TreatyRow(
        type=one_of(row["type"], ("extradition", "mla"), where),
        a=_party(row["a"], where),
        b=_party(row["b"], where),
        signed=_date(row["signed"], where),
        in_force="" if footing else _date(row["in_force"], where),
        footing=footing,
        status=one_of(row["status"], sorted(TREATY_STATUSES), where),
        source=filled(row["source"], where),
        confidence=confidence(row["confidence"], where),
    )


def _statutes(text: str) -> tuple[StatuteRow, ...]:
    columns = ("party", "offence", "provision", "max_penalty", "source", "confidence")
    return tuple(
        StatuteRow(
            party=_party(row["party"], where),
            offence=filled(row["offence"], where),
            provision=filled(row["provision"], where),
            max_penalty=filled(row["max_penalty"], where),
            source=filled(row["source"], where),
            confidence=confidence(row["confidence"], where),
        )
        for where, row in read_rows(text, columns, where="statutes.csv")
    )


def _party(code: str, where: str) -> str:
    return one_of(code, known_jurisdictions(), where)


def _date(text: str, where: str) -> str:
    if text and _DATE.fullmatch(text) is None:
        raise InputError.because(expected="YYYY, YYYY-MM, YYYY-MM-DD or nothing", got=repr(text), where=where)
    return text


def _agreed(rows: Iterable[TreatyRow]) -> None:
    """Several sources may state one treaty; where they state it differently a person must settle it first."""
    said: dict[tuple[str, ...], TreatyRow] = {}
    for row in rows:
        key = (row.type, *sorted((row.a, row.b)))
        first = said.setdefault(key, row)
        if first is not row and (first.status != row.status or first.source == row.source):
            raise InputError.because(
                expected="one statement of each treaty, or several sources that agree",
                got=f"{' '.join(key)}: {first.status} and {row.status}",
                where="bilateral.csv",
            )


def _once(keys: list[tuple[str, ...]], where: str) -> None:
    seen: set[tuple[str, ...]] = set()
    for key in keys:
        if key in seen:
            raise InputError.because(expected="each row once", got=f"{' '.join(key)} twice", where=where)
        seen.add(key)
