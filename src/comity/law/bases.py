"""Which legal basis lets one jurisdiction ask another for a freeze, mutual legal assistance, extradition, keeping data,
recovering assets, a joint team, police or financial intelligence.

Never claims more than the data: what is signed but not in force, suspended, not extended, unverified or
unknown is never usable, and is listed with the reason. `missing` says what the data does not know and a
lawyer must check. Not legal advice.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Any

from comity.errors import InputError
from comity.law.articles import articles_for, declared
from comity.law.authorities import Delineation
from comity.law.authorities import as_json as authorities_as_json
from comity.law.basis import Bases, Basis, Question
from comity.law.bilateral import bilateral_bases
from comity.law.instruments import PURPOSES, instruments
from comity.law.multilateral import cautions, multilateral_basis
from comity.law.offences import offence as named_offence
from comity.law.otherwise import Way, police_memorandum, ways, whom_to_ask
from comity.law.parties import name_of
from comity.law.provisions import provisions, threshold
from comity.law.register import GATHERED, Confidence, Register, register

__all__ = [
    "NOT_ADVICE", "PURPOSES", "Bases", "Basis", "Channel", "as_json", "bases", "preferred", "remaining", "to_ask",
]  # fmt: skip

NOT_ADVICE = f"Not legal advice. Data of {GATHERED}; each row has its own source and confidence."


_CONVENTION_OFFENCES = ("organised_group", "ml", "corruption", "tip", "forced_labour")
"""UNTOC 5, 6, 8 and, through TIP Protocol 1(3), trafficking: no maximum is asked for."""


class Channel(StrEnum):
    """Between which kind of authority a request goes: police units, financial intelligence units, central
    authorities.
    """

    POLICE = "police"
    FIU = "fiu"
    JUDICIAL = "judicial"


def bases(
    from_: str, to: str, for_: str, *, offence: str | None = None, data: Register | None = None
) -> Bases:
    """List every basis on which `from_` may ask `to`, usable ones first, each with its reasons.

    `for_` is one of `PURPOSES`. `offence` (an id of the catalogue) decides instruments that serve some
    offences only. Usable ones are ordered bilateral, multilateral, arrangement; within these by confidence.
    Raises `InputError` for an unknown jurisdiction, purpose or offence, and where both are the same.
    """
    question = _question(from_, to, for_, offence, data or register())
    found, missing = bilateral_bases(question)
    treaty = next((one for one in found if one.usable and one.kind == "bilateral"), None)
    for instrument in instruments():
        one, unknown = multilateral_basis(question, instrument, treaty if for_ == "extradition" else None)
        found += [one] if one else []
        missing += unknown
    found = [_with_articles(question, one) for one in sorted(found, key=_rank)]
    found = _with_cautions(question, found)
    missing = list(dict.fromkeys(missing + _to_check(question, found)))
    return Bases(from_=from_, to=to, for_=for_, bases=tuple(found), missing=tuple(missing))


def remaining(found: Bases) -> tuple[Way, ...]:
    """What may remain where nothing in `found` is usable; empty where something is."""
    return () if any(one.usable for one in found.bases) else ways(_asked(found))


def to_ask(found: Bases) -> Delineation:
    """Which authorities of the requested jurisdiction the register names for this purpose."""
    return whom_to_ask(_asked(found))


def preferred(found: Bases, channel: Channel) -> tuple[Basis, ...]:
    """The usable bases in the order to try for an urgent freeze between two authorities of this kind.

    First the arrangement that is their own channel (INTERPOL I-GRIP for police, Egmont for FIUs), because it
    takes hours where a treaty takes weeks; then treaties; last the channels of other authorities, which
    would have to be asked to carry it.
    """
    own = {one.id: one.channel for one in instruments()}

    def turn(basis: Basis) -> int:
        if own.get(basis.instrument) == channel:
            return 0
        return 2 if own.get(basis.instrument) is not None else 1

    return tuple(sorted((one for one in found.bases if one.usable), key=turn))


def as_json(found: Bases) -> dict[str, Any]:
    """The answer as `comity law bases --json` prints it."""
    return {
        "from": found.from_,
        "to": found.to,
        "for": found.for_,
        "bases": [_one_as_json(one) for one in found.bases],
        "missing": list(found.missing),
        "otherwise": [{"way": one.kind, "text": one.text} for one in remaining(found)],
        "ask": authorities_as_json(to_ask(found)),
        "not_advice": NOT_ADVICE,
    }


def _one_as_json(one: Basis) -> dict[str, Any]:
    return {
        "instrument": one.instrument,
        "kind": one.kind,
        "status": one.status,
        "usable": one.usable,
        "confidence": one.confidence,
        "source": one.source,
        "reasons": list(one.reasons),
        "articles": list(one.articles),
        "age": one.age,
    }


def _asked(found: Bases) -> Question:
    return Question(from_=found.from_, to=found.to, for_=found.for_, offence=None, data=register())


def _question(from_: str, to: str, for_: str, offence: str | None, data: Register) -> Question:
    name_of(from_)
    name_of(to)
    if from_ == to:
        raise InputError.because(
            expected="two different jurisdictions",
            got=f"{from_} twice",
            remedy="Within one jurisdiction its own law applies, not an instrument between two.",
        )
    if for_ not in PURPOSES:
        raise InputError.because(expected=f"one of {', '.join(PURPOSES)}", got=repr(for_))
    if offence is not None:
        named_offence(offence)
    return Question(from_=from_, to=to, for_=for_, offence=offence, data=data)


def _rank(one: Basis) -> tuple[bool, int, int]:
    kinds = ("bilateral", "multilateral", "arrangement")
    return (not one.usable, kinds.index(one.kind), -Confidence[one.confidence.upper()])


def _with_articles(question: Question, one: Basis) -> Basis:
    rows = articles_for(one.instrument, question.for_)
    reasons = one.reasons
    if question.for_ == "extradition":
        pair = (question.from_, question.to)
        reasons += tuple(row.said for row in declared(one.instrument, pair, "no_treaty_basis"))
    return replace(one, articles=tuple(row.article for row in rows), reasons=reasons)


def _with_cautions(question: Question, found: list[Basis]) -> list[Basis]:
    said = tuple(cautions(question)) if question.for_ != "extradition" else ()
    return [replace(one, reasons=one.reasons + said) if one.usable else one for one in found]


def _to_check(question: Question, found: list[Basis]) -> list[str]:
    usable = [one for one in found if one.usable]
    said = [
        f"{one.instrument} rests on a row of {one.confidence} confidence, gathered {one.age}: have it confirmed "
        "before it is relied on"
        for one in usable
        if one.confidence != "high"
    ]
    if not usable:
        said.append(
            "no usable basis in the data: what may remain is reciprocity or an ad-hoc arrangement under "
            f"the law of {question.to}, "
            "or a memorandum between authorities; none of these is in the data"
        )
    if any(one.kind == "multilateral" for one in usable):
        said.append(
            f"reservations, declarations and notifications of {question.from_} and {question.to} to the "
            "multilateral instruments are in the data in small part only"
        )
    if any(one.instrument == "UNTOC" for one in usable):
        said += _serious_crime(question)
    if question.for_ == "freeze" and any(one.kind == "arrangement" for one in usable):
        said.append(
            f"whether the law of {question.to} lets an authority hold money on such a request, and for how "
            "long, is not in the data"
        )
    if question.for_ == "police_information" and police_memorandum(question):
        said.append(
            f"a police memorandum of {question.pair} (June 2024) is in the data, its terms are not: read it"
        )
    return said


def _serious_crime(question: Question) -> list[str]:
    """What the data does not show of serious crime (UNTOC 2(b)), for an offence not of the Convention itself."""
    if question.offence is None or question.offence in _CONVENTION_OFFENCES:
        return []
    about, limit = named_offence(question.offence), threshold("serious_crime")
    said = []
    for party in (question.from_, question.to):
        maxima = [row.maximum for row in provisions(party, about.statutes)]
        if any(one is not None and one.reaches(limit.years) for one in maxima):
            continue
        what = f"no maximum for {about.name.lower()} in the data reaches"
        if not maxima or None in maxima:
            what = f"it is not in the data whether the maximum for {about.name.lower()} reaches"
        said.append(f"{limit.article}: {party}: {what} {limit.years} years, which makes it serious crime")
    return said
