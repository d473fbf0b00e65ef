"""What the exchange room needs from outside: a durable outbox and inbox, and a way to the peer.

Methods of `Outbox` and `Inbox` take part in the transaction the caller holds: the row, the business change
and the event commit together or not at all. Nothing here is durable before that commit, everything is after
it, whenever the process is killed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from comity.exchange.arrival import Known
from comity.exchange.delivery import Next
from comity.exchange.envelope import Opened
from comity.exchange.register.member import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One envelope on its way to one member. Keys: (message_id, receiver), and (compact, receiver, sequence)."""

    compact: str
    receiver: str
    message_id: str
    type: str
    case_id: str
    sequence: int
    digest: str
    wire: bytes
    expires: datetime
    in_reply_to: str = ""
    witness_event: int = 0
    """The event that a quorum of witnesses must stand behind before this leaves; 0 if none must."""
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the peer answered: `body` is capped and unverified; results (`batch`) if all is well.

    `status` is None, and `why` says what happened, if no answer came. `retry_after` is that header, or empty.
    """

    status: int | None
    body: bytes = b""
    why: str = ""
    retry_after: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Queue:
    """Envelopes of one compact to one member. Queues share nothing: the trouble of one is not another's."""

    compact: str
    receiver: str


class Outbox(Protocol):
    """Survives a kill at any moment. A row leaves the queue only by `settle`, never by time alone."""

    def chain_end(self, compact: str, receiver: str) -> tuple[int, str]:
        """Last sequence used for `receiver` in that compact and that line's digest; (0, `NO_PREVIOUS`) if none.

        Read and extended under one write transaction, so that two messages never share a place.
        """
        ...

    def put(self, outgoing: Outgoing, *, due: datetime) -> None:
        """Queue it. Refuses a sequence other than the chain's next, and an id used before."""
        ...

    def queues(self, now: datetime) -> Sequence[Queue]:
        """Those whose oldest unsettled envelope may go now."""
        ...

    def due(self, now: datetime, queue: Queue, *, most: int, most_bytes: int) -> Sequence[Outgoing]:
        """The oldest unsettled envelopes of a queue in order, as far as their time has come.

        At most `most`, and after the first only while they are at most `most_bytes` together, so that what is
        in memory does not depend on how many wait. Without their bytes, which `with_wires` reads: what may not
        go yet is looked at often.
        """
        ...

    def with_wires(self, found: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """The same with their bytes, of one queue, in order; without those that were settled meanwhile."""
        ...

    def postpone(self, outgoing: Outgoing, *, until: datetime, why: str) -> None:
        """Count the attempt and wait, with everything behind it. Nothing happens if it is settled meanwhile."""
        ...

    def settle(self, outgoing: Outgoing, *, how: Next, receipt: str | None, why: str) -> bool:
        """End it: done, refused (quarantined) or undelivered. Keeps the receipt's JWS. True once."""
        ...

    def wake(self, receiver: str, now: datetime) -> None:
        """The peer was heard from: make its queues due at once, but nothing before its tick."""
        ...


class Inbox(Protocol):
    """Remembers every envelope taken for as long as it could be replayed (until it expires, at least)."""

    def known(self, compact: str, sender: str, message_id: str) -> Known:
        """What `arrival.decide` needs, read under the write lock of the transaction that will `take`."""
        ...

    def take(self, opened: Opened, *, receipt: str, now: datetime) -> None:
        """Record an accepted message and the receipt given, and make it the end of the sender's chain."""
        ...

    def receipt_for(self, compact: str, sender: str, message_id: str) -> str:
        """The JWS given first, byte for byte, to answer a duplicate."""
        ...


class Courier(Protocol):
    """The way to one peer: HTTPS POST to the address in its card, its pinned certificate, no redirects."""

    def deliver(self, member: Member, wires: Sequence[bytes]) -> Answer:
        """Try once. Never raises for what a peer or a network does: `Answer.status` is None if none came."""
        ...
