"""Where tracing means nothing any more: accounts in which many people's money is one, and what arrived there."""

from dataclasses import dataclass
from enum import StrEnum


class ChokeKind(StrEnum):
    """Why the book cannot say whose money is whose. What would pierce each: `comity.law.chokes`."""

    OMNIBUS = "omnibus"
    MIXER = "mixer"
    CORRESPONDENT = "correspondent"
    ACQUIRER = "acquirer"
    AGENT = "agent"
    CASH = "cash"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChokePoint:
    """Stolen money that arrived in such an account, in one currency, and is followed no further by the book.

    `transfers` counts the bookings that brought it.
    """

    account: str
    institution: str
    country: str
    currency: str
    kind: ChokeKind
    tainted_minor: int
    transfers: int
