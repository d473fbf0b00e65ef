"""How old a register may be for what: tiers instead of a central kill switch (spec/register.md §7). Pure.

The age is counted from the newest moment at which *another* node signed that the register is the newest, so
that a node cut off from the others cannot go on for ever on its own word.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from comity.errors import TrustError

FULL_FOR = timedelta(hours=24)
REPLIES_FOR = timedelta(hours=72)
REQUEST = "trace_and_hold.request"
FREEZES = frozenset({REQUEST, "hold.changed"})
"""Types of message about keeping money where it is: they wait for nobody."""
UPKEEP = frozenset(
    {"receipts", "register.changed", "item.retraction", "item.compliance", "consent.withdrawal"}
)
"""What became of messages, and words that only take back."""


class StaleRegister(TrustError):
    """The register of this compact is too old for this."""

    code = "register.stale"
    http_status = 503


class Tier(StrEnum):
    FULL = "full"
    """Everything."""
    REPLIES = "replies"
    """Replies, receipts and freezes, from and to keys that are known."""
    CLOSED = "closed"
    """Nothing but news of the register itself."""


def tier_at(now: datetime, *, fresh_at: datetime) -> Tier:
    """The tier of a register last heard to be the newest at `fresh_at`."""
    age = now - fresh_at
    if age <= FULL_FOR:
        return Tier.FULL
    return Tier.REPLIES if age <= REPLIES_FOR else Tier.CLOSED


def allowed(tier: Tier, message_type: str, in_reply_to: str = "") -> bool:
    """Whether a message of this type may be sent or taken in.

    `in_reply_to` is the id of a message that its receiver did send: what a peer merely writes there is for the
    caller to look up.
    """
    if tier is Tier.FULL or message_type == "register.changed":
        return True
    if tier is Tier.CLOSED:
        return False
    return bool(in_reply_to) or message_type in FREEZES | UPKEEP


def judged_as(message_type: str, payload: Mapping[str, Any]) -> str:
    """The type that `allowed` is to judge a message by, once its payload is known: tracing alone freezes nothing."""
    asks = payload.get("asks")
    holds = isinstance(asks, list) and "hold" in asks
    return message_type if message_type != REQUEST or holds else f"{message_type} without a hold"


def refuse_stale(
    compact: str, tier: Tier, message_type: str, *, in_reply_to: str, now: datetime, fresh_at: datetime
) -> None:
    """Raise `StaleRegister`, saying how old it is and what to do, unless `allowed`."""
    if allowed(tier, message_type, in_reply_to):
        return
    hours = (now - fresh_at) // timedelta(hours=1)
    only = "only replies, receipts and freezes go" if tier is Tier.REPLIES else "nothing goes"
    raise StaleRegister(
        f"expected a register of {compact} confirmed by another node within the last "
        f"{FULL_FOR // timedelta(hours=1)} h, got one confirmed {hours} h ago: {only} until it is ({message_type})",
        remedy="Let the node reach any other member, or bring a fresh file: comity compact update DIR [FILE].",
    )  # fmt: skip
