"""What an engine finds in a book, before names and laws are put to it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from comity.tracing.rules import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be followed. Events are numbers in a book's order."""

    claimed: Mapping[int, int]
    """Event → reported part as it left, in minor units of the sender's currency."""
    told: Mapping[int, list[Part]]
    """Event → what arrived with it, as its sender's node told us."""
    end: int
    """Events from this one on have not happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """In order of events; what a claim makes of a payment is not applied yet."""

    paid: list[tuple[int, int, int]]
    """Payments with tainted money: (event, tainted part that left, what the payer held before)."""
    parts: Mapping[int, list[Part]]
    """Of payments out of our book that are among `paid`: what left, in order, the shortfall included."""
    rests: list[tuple[int, int, int]]
    """Pots with tainted money at the end: (pot, tainted, balance)."""
