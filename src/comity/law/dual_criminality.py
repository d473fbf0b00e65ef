"""Dual criminality: would this conduct be an offence in both jurisdictions? Elements are compared, never labels.

A provision counts, under whatever label, if it punishes one of the acts the offence is about. It is met if the facts
hold every element it asks for, not met if one is absent, else unknown. What was not gathered is unknown; "not met"
says so of the provisions in the data and of no other. Articles: `data/dual_criminality.csv`. Not legal advice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from comity.errors import InputError
from comity.law.cells import Confidence, confidence, filled, one_of
from comity.law.elements import Conduct, Standing, acts, check_conduct
from comity.law.files import read_rows, read_text
from comity.law.instruments import PURPOSES
from comity.law.offences import Offence, offence
from comity.law.parties import name_of
from comity.law.provisions import Penalty, Provision, Threshold, provisions


class Verdict(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One provision against the facts: which of what it asks for is present, absent, unknown."""

    provision: Provision
    verdict: Verdict
    present: tuple[str, ...]
    absent: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One jurisdiction: its readings, and whether the penalty of what is met reaches the threshold."""

    party: str
    verdict: Verdict
    penalty: Verdict
    readings: tuple[Reading, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DualCriminality:
    offence: str
    verdict: Verdict
    sides: tuple[Side, Side]
    to_check: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Whether dual criminality is a condition for a purpose: required, may_decline, not_required or unknown."""

    purpose: str
    condition: str
    text: str
    article: str
    source: str
    confidence: Confidence


def compare(
    one: str, other: str, offence_id: str, conduct: Conduct, *, threshold: Threshold | None = None
) -> DualCriminality:
    """Compare `conduct` with the provisions of both. Met only if both are met and both penalties reach `threshold`.

    Raises `InputError` for an unknown jurisdiction, offence or element, and where both jurisdictions are the same.
    """
    name_of(one)
    name_of(other)
    if one == other:
        raise InputError.because(expected="two different jurisdictions", got=f"{one} twice")
    check_conduct(conduct)
    about = offence(offence_id)
    sides = (_side(one, about, conduct, threshold), _side(other, about, conduct, threshold))
    parts = [side.verdict for side in sides]
    if threshold is not None:
        parts += [side.penalty for side in sides]
    return DualCriminality(
        offence=offence_id, verdict=_all_of(parts), sides=sides, to_check=tuple(_to_check(sides, threshold))
    )


def read(provision: Provision, conduct: Conduct) -> Reading:
    """Hold one provision against the facts."""
    by: dict[Standing, list[str]] = {standing: [] for standing in Standing}
    for asked in provision.requires:
        standing = asked.standing(conduct)
        held = [name for name in asked.one_of if conduct.get(name)]
        by[standing].append(" or ".join(held) if held else str(asked))
    if by[Standing.ABSENT]:
        verdict = Verdict.NOT_MET
    elif by[Standing.UNKNOWN] or not provision.requires:
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.MET
    return Reading(
        provision=provision,
        verdict=verdict,
        present=tuple(by[Standing.PRESENT]),
        absent=tuple(by[Standing.ABSENT]),
        unknown=tuple(by[Standing.UNKNOWN]),
    )


def condition(purpose: str) -> Condition:
    """Whether dual criminality is a condition for `purpose`, with the article."""
    return _conditions()[one_of(purpose, PURPOSES, "purpose")]


def _side(party: str, about: Offence, conduct: Conduct, threshold: Threshold | None) -> Side:
    readings = tuple(read(row, conduct) for row in _about(party, about))
    verdict = _any_of(one.verdict for one in readings)
    penalty = _penalty(readings, threshold) if threshold is not None else Verdict.UNKNOWN
    return Side(
        party=party,
        verdict=verdict,
        penalty=penalty,
        readings=readings,
        reasons=tuple(_reasons(party, about, verdict, readings)),
    )


def _about(party: str, about: Offence) -> list[Provision]:
    """Those under the offence's own label, and those under another that punish one of its acts."""
    wanted = acts(about.conduct)
    return [row for row in provisions(party) if row.offence == about.statutes or wanted & acts(row.requires)]


def _any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Met if one is; not met only if there is one and none is met or unknown."""
    found = set(verdicts)
    if Verdict.MET in found:
        return Verdict.MET
    return Verdict.NOT_MET if found == {Verdict.NOT_MET} else Verdict.UNKNOWN


def _all_of(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    if Verdict.NOT_MET in found:
        return Verdict.NOT_MET
    return Verdict.MET if found == {Verdict.MET} else Verdict.UNKNOWN


def _penalty(readings: tuple[Reading, ...], threshold: Threshold) -> Verdict:
    """Of what is met, or may be: the ordinary maximum against the threshold."""
    possible = [one for one in readings if one.verdict is not Verdict.NOT_MET]
    return _any_of(_reaches(one, threshold) for one in possible)


def _reaches(reading: Reading, threshold: Threshold) -> Verdict:
    maximum = reading.provision.maximum
    if maximum is None:
        return Verdict.UNKNOWN
    if not maximum.reaches(threshold.years):
        return Verdict.NOT_MET
    return Verdict.MET if reading.verdict is Verdict.MET else Verdict.UNKNOWN


def _reasons(party: str, about: Offence, verdict: Verdict, readings: tuple[Reading, ...]) -> Iterable[str]:
    if not readings:
        yield f"no provision of {party} on {about.name.lower()} is in the data: unknown, not absent"
    elif verdict is Verdict.NOT_MET:
        yield (
            f"none of the {len(readings)} provisions of {party} in the data is met by these facts; "
            f"others, not in the data, may be: a lawyer of {party} must say"
        )
    elif verdict is Verdict.UNKNOWN:
        yield f"the facts or the data do not say enough for {party}"
    for one in readings:
        if one.provision.offence != about.statutes:
            yield f"{one.provision.provision} stands under another label and punishes the same act"


def _to_check(sides: tuple[Side, Side], threshold: Threshold | None) -> Iterable[str]:
    for side in sides:
        for row in (one.provision for one in side.readings if one.verdict is not Verdict.NOT_MET):
            if not row.verified:
                yield f"{row.party} {row.provision}: {row.confidence} confidence, not verified: {row.source}"
            yield from _assurances(row)
        if threshold is not None and side.penalty is Verdict.UNKNOWN:
            yield f"{side.party}: whether the maximum reaches {threshold.years} years ({threshold.article}) is unknown"


def _assurances(row: Provision) -> Iterable[str]:
    """Penalties for which nobody is surrendered without an assurance, where the data knows of them."""
    if Penalty("death") in (row.maximum, row.aggravated):
        yield f"{row.party} {row.provision} threatens death: see `comity law check death_penalty`"
    if row.corporal:
        yield f"{row.party} {row.provision} threatens a corporal penalty: see `comity law check corporal_penalty`"


@cache
def _conditions() -> dict[str, Condition]:
    columns = ("purpose", "condition", "text", "article", "source", "confidence", "verified")
    found = {}
    text = read_text("dual_criminality.csv")
    for where, row in read_rows(text, columns, where="dual_criminality.csv"):
        found[one_of(row["purpose"], PURPOSES, where)] = Condition(
            purpose=row["purpose"],
            condition=one_of(row["condition"], ("required", "may_decline", "not_required", "unknown"), where),
            text=filled(row["text"], where),
            article=row["article"],
            source=filled(row["source"], where),
            confidence=confidence(row["confidence"], where),
        )
    if set(found) != set(PURPOSES):
        raise InputError.because(
            expected="a row for every purpose", got=str(sorted(found)), where="dual_criminality.csv"
        )
    return found
