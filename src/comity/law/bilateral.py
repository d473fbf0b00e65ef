"""Bilateral treaties between two jurisdictions: which may be used, and what the data does not know of them.

Only `in_force` and `in_force_by_succession` are ever usable. An extradition row never counts for legal
assistance, nor the other way round; a treaty of legal assistance carries a freeze, the keeping of data and the
recovery of assets, asked for between central authorities. For what goes between units (police, FIUs) or needs an
agreement of its own (a joint team) the data holds no bilateral instrument.
"""

from comity.law.basis import Basis, Question, combined
from comity.law.parties import sovereign_of
from comity.law.register import TreatyRow

_TREATY = {
    "extradition": "extradition",
    "mla": "mla",
    "freeze": "mla",
    "preservation": "mla",
    "asset_recovery": "mla",
}
_AS_ASSISTANCE = {
    "freeze": "counts for a freeze: restraint is asked for as part of the assistance, from central authority to "
    "central authority; a way of days, not of minutes",
    "preservation": "counts for keeping data, as part of the assistance; whether it names that is not in the data",
    "asset_recovery": "counts for tracing, restraint and confiscation, as part of the assistance; what it says on "
    "return and sharing is not in the data",
}
_NOUN = {"extradition": "extradition treaty", "mla": "mutual legal assistance treaty"}
_FOOTING = {
    "designated": "a designation in one side's own extradition law, not a treaty",
    "arrangement": "an arrangement, not a treaty",
    "reciprocal_warrants": "reciprocal backing of warrants, not a treaty",
    "london_scheme": "the London Scheme among Commonwealth states, not a treaty",
}
_AGREEMENT = {
    "joint_team": "no row for a {pair} agreement on joint teams: unknown, not absent",
    "police_information": "no row for a {pair} agreement on police cooperation in force: unknown, not absent",
    "fiu_information": "no row for a memorandum between the financial intelligence units of {pair}: unknown, "
    "not absent",
}
_BLOCKED = {
    "signed": "signed, but nothing shows that it is in force",
    "signed_only": "signed, but not in force",
    "suspended_2020": "suspended since 2020",
    "none": "the data says there is none",
    "none_found": "none was found; that is no proof that there is none",
    "none_police_MoU_2024-06": (
        "there is no extradition treaty, only a memorandum between police (June 2024), which is no basis "
        "for extradition"
    ),
}


def bilateral_bases(question: Question) -> tuple[list[Basis], list[str]]:
    """Return the bases, usable or not, and what is missing."""
    kind = _TREATY.get(question.for_)
    if kind is None:
        return [], [_AGREEMENT[question.for_].format(pair=question.pair)]
    rows = question.data.between(kind, question.from_, question.to)
    if not rows:
        return [], _silence(question, kind)
    row = max(rows, key=lambda one: len(one.signed) + len(one.in_force))
    return [_basis(question, row, rows)], _unknown(row)


def _basis(question: Question, row: TreatyRow, rows: tuple[TreatyRow, ...]) -> Basis:
    """`row` is the fullest of `rows`, which are several sources' statements of one treaty."""
    confidence, source = combined((f"{one.a}-{one.b}", one.source, one.confidence) for one in rows)
    usable = row.status in ("in_force", "in_force_by_succession")
    return Basis(
        instrument=_name(row),
        kind="arrangement" if row.footing or "MoU" in row.status else "bilateral",
        status=row.status,
        usable=usable,
        confidence=confidence,
        source=source,
        reasons=tuple(_in_force(question, row) if usable else [f"Not usable: {_BLOCKED[row.status]}"]),
    )


def _name(row: TreatyRow) -> str:
    pair = f"{row.a}-{row.b}"
    if "MoU" in row.status:
        return f"{pair} police memorandum of understanding (2024-06)"
    if row.footing:
        return f"{pair} extradition arrangement ({row.footing.replace('_', ' ')})"
    return f"{pair} {_NOUN[row.type]}"


def _in_force(question: Question, row: TreatyRow) -> list[str]:
    signed = f"signed {row.signed}, " if row.signed else ""
    since = f"in force since {row.in_force}" if row.in_force else "in force, date not in the data"
    if row.footing:
        reasons = [f"Surrender rests on {_FOOTING[row.footing]}"]
    else:
        reasons = [f"The {_NOUN[row.type]} {row.a}-{row.b} is in force ({signed}{since})"]
    if row.status == "in_force_by_succession":
        reasons.append("It is in force by succession to an earlier state: have the succession confirmed")
    if question.for_ in _AS_ASSISTANCE:
        reasons.append(f"A treaty of mutual legal assistance {_AS_ASSISTANCE[question.for_]}")
    return reasons


def _unknown(row: TreatyRow) -> list[str]:
    pair, noun = f"{row.a}-{row.b}", _NOUN[row.type]
    if row.footing == "designated":
        return [
            f"{pair} extradition: whether both sides surrender on the designation, or only one, is not in "
            "the data"
        ]
    if row.status == "none_found":
        return [f"{pair} {noun}: none was found; a lawyer must confirm that there is none"]
    if row.status == "signed":
        return [f"{pair} {noun}: whether it entered into force after signature is not in the data"]
    if row.status.startswith("in_force") and not row.in_force and not row.footing:
        return [f"{pair} {noun}: its date of entry into force is not in the data"]
    return []


def _silence(question: Question, kind: str) -> list[str]:
    said = [f"no row for a {question.pair} {_NOUN[kind]}: unknown, not absent"]
    states = sovereign_of(question.from_), sovereign_of(question.to)
    if states != (question.from_, question.to) and states[0] != states[1]:
        said += [
            f"the {row.a}-{row.b} {_NOUN[kind]} of the data ({row.status}) is not evidence for "
            f"{question.pair}: "
            "Hong Kong and Macao conclude agreements of their own"
            for row in question.data.between(kind, *states)
        ]
    return said
