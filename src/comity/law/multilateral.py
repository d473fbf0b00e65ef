"""Multilateral instruments and channels between two jurisdictions: both must be party (or have it extended).

Signed, not in force, not extended, unverified, unknown: never usable, and listed with the reason all the
same. What was never open to one of the two (a regional treaty, say) is left out.
"""

from collections.abc import Sequence

from comity.law.basis import Basis, Question, Sourced, combined
from comity.law.instruments import Instrument, Use
from comity.law.parties import sovereign_of
from comity.law.register import Confidence, PartyRow

_BOUND = {"party", "extended", "member", "sub_bureau_of_NCB_Beijing"}
_SAID = {
    "party": "{p} is party{d}",
    "extended": "extended to {p} by {s}{d}",
    "member": "{p} is a member{d}",
    "sub_bureau_of_NCB_Beijing": "{p} is a sub-bureau: the channel runs through the national central bureau "
    "in Beijing",
    "signed": "{p} signed{d} but is not shown to have ratified",
    "ratified_reported": "a ratification by {p}{d} is reported by a secondary source",
    "not_signed": "{p} has not signed",
    "not_signed_at_Hanoi": "{p} did not sign at Hanoi",
    "not_extended": "not extended to {p}",
    "extension_unknown": "whether it is extended to {p} is unknown",
    "not_in_force": "not in force for {p}",
    "invited_not_party": "{p} is invited to accede, not party",
    "joining_process": "{p} is in the process of joining, not party",
    "none": "{p} is not party",
    "non_member": "{p} is not a member: its channel would be a memorandum of understanding between the two "
    "units",
    "unverified": "whether {p} is a member is unverified",
}
_LISTED = {
    "increased_monitoring": "increased monitoring",
    "call_for_action_EDD": "call for action, enhanced due diligence",
}


def multilateral_basis(
    question: Question, instrument: Instrument, treaty: Basis | None
) -> tuple[Basis | None, list[str]]:
    """Return the basis, usable or not (None if it was never open to both), and what is missing.

    `treaty` is the bilateral extradition treaty in force between the two, if there is one.
    """
    sides = [(code, question.data.standing(instrument.id, code)) for code in (question.from_, question.to)]
    open_to_both = instrument.circle is None or {question.from_, question.to} <= instrument.circle
    if not open_to_both or not any(rows for _, rows in sides):
        return None, []
    use = instrument.uses[question.for_]
    status, against = _obstacle(question, instrument, use, sides, treaty)
    confidence, source = combined(_sources(sides, treaty if use.serves == "complement" else None))
    reasons = [f"Not usable: {against}"] if against else []
    said = [f"{instrument.title}: {instrument.force}", *(_standing(code, rows) for code, rows in sides)]
    reasons += [one for one in said if not against or one not in against]
    if not against:
        reasons += use.reasons
        if use.serves == "complement" and treaty is not None:
            reasons.append(
                f"Complements the {treaty.instrument}, which is in force; by itself it is not relied on here"
            )
    return Basis(
        instrument=instrument.id,
        kind=instrument.kind,
        status=status,
        usable=not against,
        confidence=confidence,
        source=source,
        reasons=tuple(reasons),
    ), _unknown(question, instrument, sides, status)


def cautions(question: Question) -> list[str]:
    """FATF listings of either side: no basis of anything, but to be said beside one."""
    return [
        f"Caution: {code} is on the FATF list ({_LISTED[row.status]}, since {row.date}; {row.confidence} "
        "confidence, "
        f"source: {row.source})"
        for code in (question.from_, question.to)
        for row in question.data.standing("FATF-LIST", code)
    ]


_Sides = Sequence[tuple[str, tuple[PartyRow, ...]]]


def _obstacle(
    question: Question, instrument: Instrument, use: Use, sides: _Sides, treaty: Basis | None
) -> tuple[str, str]:
    """Return (status, reason against); the reason is "" if nothing stands against it."""
    if instrument.between_states and sovereign_of(question.from_) == sovereign_of(question.to):
        return "one_sovereign", (
            f"{question.from_} and {question.to} are one sovereign: an instrument between states does not "
            "apply between them"
        )
    if not instrument.in_force:
        return "not_in_force", instrument.force
    unbound = [(code, rows) for code, rows in sides if not any(row.status in _BOUND for row in rows)]
    if unbound:
        names = dict.fromkeys(rows[0].status if rows else "no_row" for _, rows in unbound)
        return " / ".join(names), "; ".join(_standing(code, rows) for code, rows in unbound)
    standing = "member" if instrument.kind == "arrangement" else "in_force"
    if use.serves == "no":
        return standing, use.reasons[0]
    if use.offences is not None and question.offence is None and use.needs_offence:
        return standing, f"{use.limit}; it counts once the offence is named ({' or '.join(use.offences)})"
    if use.offences is not None and question.offence is not None and question.offence not in use.offences:
        return standing, use.limit
    if use.serves == "complement" and treaty is None:
        return "notification_unknown", (
            f"without an extradition treaty in force between the two it depends on what each state notified "
            f"({use.notification}), which the data does not hold"
        )
    return standing, ""


def _standing(code: str, rows: tuple[PartyRow, ...]) -> str:
    if not rows:
        return f"no row for {code}: unknown, not absent"
    return "; ".join(
        _SAID[row.status].format(p=code, s=sovereign_of(code), d=f" ({row.date})" if row.date else "")
        for row in rows
    )


def _sources(sides: _Sides, treaty: Basis | None) -> list[Sourced]:
    found: list[Sourced] = []
    for code, rows in sides:
        found += [(code, row.source, row.confidence) for row in rows]
        if not rows:
            found.append((code, "no row in the data", Confidence.LOW))
    if treaty is not None:
        found.append((treaty.instrument, treaty.source, Confidence[treaty.confidence.upper()]))
    return found


def _unknown(question: Question, instrument: Instrument, sides: _Sides, status: str) -> list[str]:
    if status in ("one_sovereign", "not_in_force"):
        return []
    said = []
    for code, rows in sides:
        statuses = {row.status for row in rows}
        if not rows:
            said.append(f"no row for {code} in {instrument.id}: unknown, not absent")
        if statuses & {"unverified", "extension_unknown"}:
            said.append(f"{instrument.id}: the standing of {code} is unverified")
        if "non_member" in statuses and question.for_ in ("freeze", "fiu_information"):
            said.append(
                f"{instrument.id}: no row for a memorandum between the units of {question.from_} and "
                f"{question.to}"
            )
    if status == "notification_unknown":
        rule = instrument.uses[question.for_].notification
        said.append(f"{instrument.id}: what {question.from_} and {question.to} notified under {rule}")
    return said
