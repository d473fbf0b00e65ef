"""Messages for members that nobody can connect to: they fetch them (spec/delivery.md §6). Both sides are here.

The keeper hands out the next batch of one queue, and forgets nothing until receipts come with a later poll. The
fetcher takes a batch in as if it had been delivered, so that the guarantees are the same: what is handed out
twice is a duplicate, and has its effect once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from comity.backends.courier import PeerCourier
from comity.errors import ComityError, NetworkError, TrustError
from comity.exchange import (
    Member,
    Outgoing,
    Result,
    next_attempt,
    read_envelopes,
    read_results,
    write_results,
)
from comity.exchange.receipt import claimed_digest
from comity.node.bootstrap import Node
from comity.node.post.deliver import next_batch, settle
from comity.node.post.receive import receive


class NotAFetcher(TrustError):
    """A member polls its mailbox, but its card says that it is connected to."""

    code = "exchange.not-a-fetcher"


# --- the keeper ---


def take_results(node: Node, member_id: str, body: bytes, *, random: float) -> None:
    """Settle what a fetcher says of the batch that it was handed. What is not about a waiting message is nothing."""
    if not any(one.pull for one in _as_member(node, member_id).values()):
        raise NotAFetcher(f"expected a member whose card says `pull`, got {member_id}")
    for result in read_results(body):
        outgoing = _waiting(node, member_id, result)
        if outgoing is not None:
            compact = node.compacts().get(outgoing.compact)
            settle(
                node, compact, [(outgoing, result)], why="fetched", wait=lambda one: _later(node, one, random)
            )


def hand_out(node: Node, member_id: str) -> list[Outgoing]:
    """The next batch for that member, of one queue; the same again until it is settled."""
    mine = _as_member(node, member_id)
    with node.records.reading() as tx:
        queues = [one for one in tx.outbox.queues(node.clock()) if one.receiver == member_id]
    for queue in sorted(queues):
        ready, _ = next_batch(node, queue) if queue.compact in mine else ([], False)
        if ready:
            return ready
    return []


def _later(node: Node, outgoing: Outgoing, random: float) -> datetime:
    return next_attempt(outgoing.attempts + 1, node.clock(), random)


def _as_member(node: Node, member_id: str) -> dict[str, Member]:
    return {
        name: member
        for name, compact in node.compacts().items()
        for member in compact.members
        if member.id == member_id
    }


def _waiting(node: Node, member_id: str, result: Result) -> Outgoing | None:
    try:
        digest = claimed_digest(result.receipt)
    except ComityError:
        return None
    with node.records.reading() as tx:
        return tx.outbox.of_digest(member_id, digest)


# --- the fetcher ---


@dataclass(slots=True)
class Mailbox:
    """Our mailbox at one peer. `results` are of the batch before, told with the next poll; losing them is harmless."""

    node: Node
    keeper: Member
    results: Sequence[Result] = field(default=())

    def collect(self, courier: PeerCourier) -> bool:
        """Poll once; True if something came and all of it was taken or refused for good: poll again at once.

        Raises `NetworkError` if the keeper did not answer as it should.
        """
        answer = courier.fetch(self.keeper, write_results(self.results))
        if answer.status not in (200, 204):
            problem = answer.why or f"HTTP {answer.status}"
            raise NetworkError(f"expected our mailbox at {self.keeper.id}, got {problem}")
        self.results = ()
        if answer.status == 204:
            return False
        wires = read_envelopes(answer.body)
        results = receive(self.node, wires, connection=self.keeper.id)
        self.results = tuple(one for one in results if one.receipt)
        return all(one.status < 300 for one in results)
