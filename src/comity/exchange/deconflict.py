"""The messages of deconfliction (spec/joint-work.md §1): of which round they are, and what they carry. Pure.

What the matching puts into its four steps is read by the matching; here only that it is an object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comity.exchange.fields import DIGEST, LABEL, Fields

PURPOSE = "deconfliction"
OPEN, COMMITMENT = "deconflict.open", "deconflict.commitment"
QUESTION, ANSWER = "deconflict.question", "deconflict.answer"
AGREEMENT, CONTACT = "deconflict.agreement", "deconflict.contact"
LONGEST_PURPOSE = 200
LONGEST_CONTACT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A member asks us to compare."""

    round: str
    matching: str
    purpose: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who works the target on the other side, after both agreed. `opening` opens what it committed to before."""

    round: str
    reference: str
    case: str
    purpose: str
    opening: str
    contact: str


def write_opening(opening: Opening) -> dict[str, Any]:
    return {
        "round": opening.round, "matching": opening.matching, "purpose": opening.purpose,
        "document": dict(opening.document),
    }  # fmt: skip


def read_opening(payload: Mapping[str, Any]) -> Opening:
    fields = Fields(payload, OPEN)
    return Opening(
        round=fields.text("round", form=LABEL), matching=fields.text("matching", form=LABEL),
        purpose=fields.text("purpose", longest=LONGEST_PURPOSE), document=fields.nested("document").values,
    )  # fmt: skip


def read_step(payload: Mapping[str, Any], where: str) -> tuple[str, Mapping[str, Any]]:
    """The round, and what the matching sends in this step."""
    fields = Fields(payload, where)
    return fields.text("round", form=LABEL), fields.nested("document").values


def read_agreement(payload: Mapping[str, Any]) -> tuple[str, str]:
    """The round and the reference of a hit."""
    fields = Fields(payload, AGREEMENT)
    return fields.text("round", form=LABEL), fields.text("reference", form=LABEL)


def write_told(told: Told) -> dict[str, Any]:
    return {
        "round": told.round, "reference": told.reference, "case": told.case, "purpose": told.purpose,
        "opening": told.opening, "contact": told.contact,
    }  # fmt: skip


def read_told(payload: Mapping[str, Any]) -> Told:
    fields = Fields(payload, CONTACT)
    return Told(
        round=fields.text("round", form=LABEL), reference=fields.text("reference", form=LABEL),
        case=fields.text("case", form=LABEL), purpose=fields.text("purpose", longest=LONGEST_PURPOSE),
        opening=fields.text("opening", form=DIGEST), contact=fields.text("contact", longest=LONGEST_CONTACT),
    )  # fmt: skip
