"""What a trace says: pieces of money, where they rest, where they left. Terms: spec/trace.md."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Money of one kind that moves together; order among pieces matters under `fifo`."""

    amount_minor: int
    tainted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A transfer that carries tainted money from one node's accounts into an account of another.

    One node's exit is the next node's inflow. `pieces` are as they arrive (after any conversion), in order,
    clean ones included, and sum to what arrives. `tainted_minor` is the tainted sum of `pieces`.
    """

    transfer_id: str
    booked_at: datetime
    from_country: str
    to_account: str
    to_institution: str
    to_country: str
    currency: str
    pieces: tuple[Piece, ...]
    sent_currency: str = ""
    sent_minor: int = 0
    """The tainted part as it left, in the sender's currency: with it, what came into a book and what left
    it add up, whatever was converted on the way. Not used in tracing; empty and 0 if not told."""

    @property
    def tainted_minor(self) -> int:
        return sum(piece.amount_minor for piece in self.pieces if piece.tainted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A pot (account, currency) with tainted money in it, and its whole balance."""

    account: str
    institution: str
    country: str
    currency: str
    tainted_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A transfer that carried tainted money away, in the sender's currency."""

    transfer_id: str
    tainted_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A flow with both its ends, for people to look at. `arrived_minor` is its tainted part as it arrived."""

    transfer_id: str
    at: datetime
    from_account: str
    from_institution: str
    from_country: str
    to_account: str
    to_institution: str
    to_country: str
    currency: str
    tainted_minor: int
    to_currency: str
    arrived_minor: int
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A pot that held tainted money paid out more than the book shows it had."""

    transfer_id: str
    account: str
    currency: str
    unexplained_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    currency: str
    reported_minor: int
    held_minor: int
    reported_again_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One reported transfer: stolen whole, or only the part `amount` (decimal, major units)."""

    transfer_id: str
    amount: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A victim's or a bank's report of stolen money."""

    report_id: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The result of following money through one book. Orders are those of the trace contract."""

    rule: str
    totals: tuple[Total, ...]
    holdings: tuple[Holding, ...]
    flows: tuple[Flow, ...]
    gaps: tuple[Gap, ...]
    exits: tuple[Crossing, ...]
    unmatched: tuple[Crossing, ...]
    """Inflows we were told of that our book does not show (yet)."""
