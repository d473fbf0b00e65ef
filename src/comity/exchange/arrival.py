"""Decide what to do with a verified message, given what the inbox already knows. Pure.

At-least-once delivery with exactly-once effect: the same envelope again is answered with the same receipt and
changes nothing. Each ordered pair of members is a chain (sequence, hash of the previous signed line); what
does not fit the chain is refused or noted, and always raises an alarm, since it means loss, a replay, a
restored backup or a stolen key. Steps: spec/envelope.md §7.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from comity.exchange.manifest import NO_PREVIOUS


class Verdict(StrEnum):
    ACCEPT = "accept"
    DUPLICATE = "duplicate"
    """Known already: answer the receipt given then, change nothing."""
    CONFLICT = "conflict"
    """Same sender and id, other content."""
    REPLAYED_SEQUENCE = "replayed-sequence"
    """Another message under a place of the chain that is taken."""
    GAP = "gap"
    """Fits, but something before it never came; accepted."""
    BROKEN_CHAIN = "broken-chain"
    """Next in sequence, but after another predecessor than ours."""


_ACCEPTED = frozenset({Verdict.ACCEPT, Verdict.GAP})
_QUIET = frozenset({Verdict.ACCEPT, Verdict.DUPLICATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the inbox knows of this sender, read in the transaction that will record the arrival."""

    digest_of_same_id: str | None
    last_sequence: int = 0
    last_digest: str = NO_PREVIOUS


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`code` and `reason` go into the receipt of a refusal and into the alarm event."""

    verdict: Verdict
    reason: str

    @property
    def accepted(self) -> bool:
        """Record it, give it effect, and make it the new end of the chain."""
        return self.verdict in _ACCEPTED

    @property
    def alarm(self) -> bool:
        return self.verdict not in _QUIET

    @property
    def code(self) -> str:
        return f"arrival.{self.verdict.value}"


class Placed(Protocol):
    """What `decide` looks at; an `envelope.Opened` is one."""

    @property
    def digest(self) -> str: ...

    @property
    def sequence(self) -> int: ...

    @property
    def previous(self) -> str: ...


def decide(arrived: Placed, known: Known) -> Decision:
    """Place one verified envelope. `known` is for its very sender and id; nothing is verified here."""
    digest, sequence = arrived.digest, arrived.sequence
    if known.digest_of_same_id == digest:
        return Decision(verdict=Verdict.DUPLICATE, reason="this envelope was taken before")
    if known.digest_of_same_id is not None:
        reason = f"expected envelope {known.digest_of_same_id} under this id, got {digest}"
        return Decision(verdict=Verdict.CONFLICT, reason=reason)
    if sequence <= known.last_sequence:
        reason = f"expected a sequence after {known.last_sequence}, got {sequence}"
        return Decision(verdict=Verdict.REPLAYED_SEQUENCE, reason=reason)
    if sequence > known.last_sequence + 1:
        reason = f"expected sequence {known.last_sequence + 1}, got {sequence}"
        return Decision(verdict=Verdict.GAP, reason=reason)
    if arrived.previous != known.last_digest:
        reason = f"expected a message after {known.last_digest}, got one after {arrived.previous}"
        return Decision(verdict=Verdict.BROKEN_CHAIN, reason=reason)
    return Decision(verdict=Verdict.ACCEPT, reason="next in sequence")
