"""Deconfliction: what a node lists as its targets, the rounds in which two nodes compare, and what they found.

A round tells nothing but which targets are the same; a hit tells no more than that until an officer on each side has
agreed (`stage_of`). Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from comity.casework.joint_identifiers import Identifier

MOST_ASKED = 16
"""Identifiers in one question; each question has the length of the longest."""
MOST_LISTED = 256
"""Targets that a node lists in one compact at a time; each commitment has that length."""
ROUND_LASTS = timedelta(hours=24)
HIT_LASTS = timedelta(days=14)
MOST_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An identifier that we work on, in which case, what for, and until when. Nothing is listed without a case."""

    id: str
    compact: str
    identifier: Identifier
    case_id: str
    purpose: str
    listed_by: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A target as matching sees it. `behind` is our commitment to the case and purpose behind it."""

    target: str
    identifier: Identifier
    behind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The same target on both sides. `reference` is the same at both; `behind` is the other side's commitment."""

    target: str
    reference: str
    behind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Which round of whom with whom: bound into everything that is compared in it."""

    round: str
    compact: str
    asker: str
    answerer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Ours (`out`) or a peer's (`in`). `state`: opened, asked, concluded (out); committed, answered (in).

    `secret` is what the matching needs again and nobody else may know; emptied once the round is over.
    `openings` open our commitments to the case behind each target.
    """

    id: str
    direction: str
    compact: str
    peer: str
    state: str
    purpose: str
    wanted: tuple[str, ...] = ()
    secret: Mapping[str, Any] = field(default_factory=dict)
    openings: Mapping[str, str] = field(default_factory=dict)
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """The same target. Times of agreement are None until somebody agreed; `told` is what the other side then told."""

    reference: str
    round: str
    compact: str
    peer: str
    target: str
    case_id: str
    opening: str
    behind: str
    at: datetime
    expires_at: datetime
    ours_at: datetime | None = None
    ours_by: str = ""
    contact: str = ""
    theirs_at: datetime | None = None
    told: Mapping[str, str] = field(default_factory=dict)


def stage_of(hit: Hit, now: datetime) -> str:
    """`found`, `agreed by us`, `agreed by them`, `agreed`, `exchanged` or `over`, as people read it."""
    if hit.told:
        return "exchanged"
    if hit.ours_at and hit.theirs_at:
        return "agreed"
    if now >= hit.expires_at:
        return "over"
    if hit.ours_at:
        return "agreed by us"
    return "agreed by them" if hit.theirs_at else "found"
