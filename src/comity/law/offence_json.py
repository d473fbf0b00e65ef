"""Offences, provisions and comparisons as `comity law offence --json` prints them; null is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.law.dual_criminality import Condition, DualCriminality, Reading, Side
    from comity.law.offences import Offence
    from comity.law.provisions import Penalty, Provision


def catalogue_as_json(one: Offence) -> dict[str, Any]:
    return {
        "offence": one.id,
        "iccs": one.iccs,
        "tag": one.tag,
        "name": one.name,
        "area": one.area,
        "conduct": [list(asked.one_of) for asked in one.conduct],
        "source": one.source,
        "confidence": one.confidence,
        "verified": one.verified,
    }


def offence_as_json(one: Offence, rows: Sequence[Provision], silent: Sequence[str]) -> dict[str, Any]:
    return {
        **catalogue_as_json(one),
        "provisions": [provision_as_json(row) for row in rows],
        "unknown": list(silent),
    }


def provision_as_json(row: Provision) -> dict[str, Any]:
    return {
        "party": row.party,
        "provision": row.provision,
        "requires": [list(asked.one_of) for asked in row.requires] or None,
        "maximum": _penalty(row.maximum),
        "aggravated": _penalty(row.aggravated),
        "corporal": row.corporal,
        "note": row.note,
        "source": row.source,
        "confidence": str(row.confidence),
        "verified": row.verified,
    }


def comparison_as_json(found: DualCriminality, needed: Condition | None) -> dict[str, Any]:
    return {
        "offence": found.offence,
        "verdict": found.verdict.value,
        "sides": [_side(side) for side in found.sides],
        "condition": None
        if needed is None
        else {
            "for": needed.purpose,
            "condition": needed.condition,
            "text": needed.text,
            "article": needed.article,
            "confidence": str(needed.confidence),
        },
        "to_check": list(found.to_check),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "party": side.party,
        "verdict": side.verdict.value,
        "penalty": side.penalty.value,
        "readings": [_reading(one) for one in side.readings],
        "reasons": list(side.reasons),
    }


def _reading(one: Reading) -> dict[str, Any]:
    return {
        "provision": provision_as_json(one.provision),
        "verdict": one.verdict.value,
        "present": list(one.present),
        "absent": list(one.absent),
        "unknown": list(one.unknown),
    }


def _penalty(one: Penalty | None) -> str | None:
    return one.text if one else None
