"""A case: one report of stolen money, at the node that took it or at one that was asked about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comity.model import ChokePoint, Crossing, Move, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`origin` is the member whose case it is, `origin_case` its number there; both ours for a report here.

    `pursuit_wanted` counts what made another look at the trace necessary (the report, each answer or
    refusal); `pursuit_done` is the count the last look had seen. They differ: there is work to do.
    """

    id: str
    compact: str
    """The compact in which it is pursued, and outside which it is never spoken of; empty: in none."""
    origin: str
    origin_case: str
    title: str
    summary: str
    offence: str
    rule: str
    report: Mapping[str, Any]
    reported_at: datetime
    opened_at: datetime
    pursuit_wanted: int
    pursuit_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTrace:
    """The latest trace of one case in one book: our own, or what a peer answered.

    `source` is a member id. `inflows` is the complete set the trace was made from. `moves` are its flows
    with both ends: ours only, as peers never send them. `chokes` is what arrived in accounts at which every
    trace ends. `book` names the state of our own book that it was made from; empty for a peer's.
    """

    case_id: str
    source: str
    inflows: tuple[Crossing, ...]
    trace: Trace
    moves: tuple[Move, ...]
    at: datetime
    chokes: tuple[ChokePoint, ...] = ()
    book: str = ""
