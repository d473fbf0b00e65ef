"""The wires between nodes in one process: a courier that calls the other node's `receive`, and loses things.

What may happen to an envelope is a `Fate`. Everything that ever went over a wire is kept, so that a test can
bring it again later, as a replaying network or a restored backup would.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from comity.backends.sql import Records, Transaction
from comity.backends.witness_client import origin_id
from comity.errors import NetworkError
from comity.exchange import Answer, Member, Result, read_envelopes, write_envelopes, write_results
from comity.node.bootstrap import Node
from comity.node.log.prove import cosign_peer, newest_seen
from comity.node.post.pace import Pace
from comity.node.post.receive import receive


class Fate(StrEnum):
    ARRIVES = "arrives"
    LOST = "lost"
    ANSWER_LOST = "answer lost"
    TWICE = "twice"


class Killed(BaseException):
    """The process died here: nothing catches this, as nothing catches SIGKILL."""


@dataclass(frozen=True, kw_only=True)
class Carried:
    sender: str
    receiver: str
    wire: bytes


@dataclass
class Wires:
    """`fate` decides for each envelope, and the first that does not just arrive for its whole batch; `down` are
    nodes that nobody reaches.
    """

    fate: Callable[[Carried], Fate] = lambda _: Fate.ARRIVES
    down: set[str] = field(default_factory=set)
    carried: list[Carried] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    """How many envelopes went together, each time."""
    on_death: Callable[[str], object] = lambda _: None
    _nodes: dict[str, Node] = field(default_factory=dict)

    def connect(self, node: Node) -> None:
        """From now on this is the node that answers to its name; what it kept in memory is gone."""
        node.pace = Pace()
        self._nodes[node.id] = node

    def of(self, sender: str) -> "Wire":
        return Wire(self, sender)

    def bring(self, carried: Carried) -> Result:
        """Put these bytes before the receiver once more, over the connection of `sender`."""
        return self.bring_all(carried.sender, carried.receiver, [carried.wire])[0]

    def bring_all(self, sender: str, receiver: str, wires: Sequence[bytes]) -> list[Result]:
        body = write_envelopes(wires)
        return receive(self._nodes[receiver], read_envelopes(body), connection=sender)

    def carry(self, sender: str, receiver: str, wires: Sequence[bytes]) -> Answer:
        batch = [Carried(sender=sender, receiver=receiver, wire=wire) for wire in wires]
        fates = [self.fate(one) for one in batch]
        fate = next((one for one in fates if one is not Fate.ARRIVES), Fate.ARRIVES)
        if receiver in self.down or fate is Fate.LOST:
            return Answer(status=None, why="lost on the way")
        self.carried += batch
        self.batches.append(len(batch))
        try:
            done = self.bring_all(sender, receiver, wires)
            if fate is Fate.TWICE:
                done = self.bring_all(sender, receiver, wires)
        except Killed:
            self.on_death(receiver)
            return Answer(status=None, why="the other side went away")
        if fate is Fate.ANSWER_LOST:
            return Answer(status=None, why="the answer was lost")
        return Answer(status=200, body=write_results(done))

    def cosign(self, sender: str, receiver: str, body: bytes) -> tuple[int, str, bytes]:
        if receiver in self.down:
            raise NetworkError(f"{receiver} is down")
        answer = cosign_peer(self._nodes[receiver], body, connection=sender)
        return answer.status, answer.content_type, answer.body

    def newest_checkpoint(self, receiver: str, origin: str) -> bytes | None:
        if receiver in self.down:
            raise NetworkError(f"{receiver} is down")
        caller = origin.partition("/")[0]
        return newest_seen(self._nodes[receiver], origin_id(origin), caller=caller)


@dataclass(frozen=True)
class Wire:
    """One sender's end: the port `exchange.Courier`, and what `node.log.prove` asks of a courier."""

    wires: Wires
    sender: str

    def deliver(self, member: Member, wires: Sequence[bytes]) -> Answer:
        return self.wires.carry(self.sender, member.id, wires)

    def add_checkpoint(self, member: Member, request: bytes) -> tuple[int, str, bytes]:
        return self.wires.cosign(self.sender, member.id, request)

    def newest_checkpoint(self, member: Member, origin: str) -> bytes | None:
        return self.wires.newest_checkpoint(member.id, origin)


class Mortal:
    """A node's database whose process dies at the nth transaction from now: before it is committed, or just
    after, when the caller never hears that it was.
    """

    def __init__(self, records: Records, *, fuse: int, after: bool) -> None:
        self._records, self._fuse, self._after = records, fuse, after
        self.committed = records.committed

    def reading(self) -> AbstractContextManager[Transaction]:
        return self._records.reading()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        self._fuse -= 1
        with self._records.transaction() as tx:
            yield tx
            if self._fuse == 0 and not self._after:
                raise Killed
        if self._fuse == 0:
            raise Killed

    def with_each(self, besides: Callable[[Transaction], None]) -> AbstractContextManager[None]:
        return self._records.with_each(besides)

    def close(self) -> None:
        self._records.close()
