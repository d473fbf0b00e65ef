"""Which legal basis lets one jurisdiction ask another for a freeze, mutual legal assistance or extradition.

Never claims more than the data: what is signed but not in force, suspended, not extended, unverified or
unknown is never usable, and is listed with the reason. `missing` says what the data does not know and a
lawyer must check. Not legal advice.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Any

from comity.errors import InputError
from comity.law.basis import Bases, Basis, Question
from comity.law.bilateral import bilateral_bases
from comity.law.instruments import PURPOSES, instruments
from comity.law.multilateral import cautions, multilateral_basis
from comity.law.offences import offence as named_offence
from comity.law.parties import name_of
from comity.law.register import GATHERED, Confidence, Register, register

__all__ = ["NOT_ADVICE", "PURPOSES", "Bases", "Basis", "Channel", "as_json", "bases", "preferred"]

NOT_ADVICE = f"Not legal advice. Data of {GATHERED}; each row has its own source and confidence."


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
    found = _with_cautions(question, sorted(found, key=_rank))
    missing = list(dict.fromkeys(missing + _to_check(question, found)))
    return Bases(from_=from_, to=to, for_=for_, bases=tuple(found), missing=tuple(missing))


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
        "bases": [
            {
                "instrument": one.instrument,
                "kind": one.kind,
                "status": one.status,
                "usable": one.usable,
                "confidence": one.confidence,
                "source": one.source,
                "reasons": list(one.reasons),
            }
            for one in found.bases
        ],
        "missing": list(found.missing),
    }


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


def _with_cautions(question: Question, found: list[Basis]) -> list[Basis]:
    said = tuple(cautions(question)) if question.for_ != "extradition" else ()
    return [replace(one, reasons=one.reasons + said) if one.usable else one for one in found]


def _to_check(question: Question, found: list[Basis]) -> list[str]:
    usable = [one for one in found if one.usable]
    said = [
        f"{one.instrument} rests on a row of low confidence: have it confirmed before it is relied on"
        for one in usable
        if one.confidence == "low"
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
            "multilateral "
            "instruments are not in the data"
        )
    if question.for_ == "freeze" and any(one.kind == "arrangement" for one in usable):
        said.append(
            f"whether the law of {question.to} lets an authority hold money on such a request, and for how "
            "long, is not in the data"
        )
    return said
