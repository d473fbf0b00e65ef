"""The wires between nodes in one process: a courier that calls the other node's `receive`, and loses things.

What may happen to an envelope is a `Fate`. Everything that ever went over a wire is kept, so that a test can
bring it again later, as a replaying network or a restored backup would.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from comity.backends.sql import Records, Transaction
from comity.errors import NetworkError
from comity.exchange import Answer, Member
from comity.node.bootstrap import Node
from comity.node.prove import cosign_peer
from comity.node.receive import Alarms, Delivered, receive


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
    """`fate` decides for each envelope; `down` are nodes that nobody reaches."""

    fate: Callable[[Carried], Fate] = lambda _: Fate.ARRIVES
    down: set[str] = field(default_factory=set)
    carried: list[Carried] = field(default_factory=list)
    on_death: Callable[[str], object] = lambda _: None
    _nodes: dict[str, Node] = field(default_factory=dict)
    _alarms: dict[str, Alarms] = field(default_factory=dict)

    def connect(self, node: Node) -> None:
        """From now on this is the node that answers to its name; what it kept in memory is gone."""
        self._nodes[node.id] = node
        self._alarms[node.id] = Alarms()

    def of(self, sender: str) -> "Wire":
        return Wire(self, sender)

    def bring(self, carried: Carried) -> Delivered:
        """Put these bytes before the receiver once more, over the connection of `sender`."""
        return receive(
            self._nodes[carried.receiver], carried.wire, connection=carried.sender,
            alarms=self._alarms[carried.receiver],
        )  # fmt: skip

    def carry(self, carried: Carried) -> Answer:
        fate = self.fate(carried)
        if carried.receiver in self.down or fate is Fate.LOST:
            return Answer(status=None, why="lost on the way")
        self.carried.append(carried)
        try:
            done = self.bring(carried)
            if fate is Fate.TWICE:
                done = self.bring(carried)
        except Killed:
            self.on_death(carried.receiver)
            return Answer(status=None, why="the other side went away")
        if fate is Fate.ANSWER_LOST:
            return Answer(status=None, why="the answer was lost")
        return Answer(status=done.status, body=done.receipt.encode())

    def cosign(self, sender: str, receiver: str, body: bytes) -> tuple[int, str, bytes]:
        if receiver in self.down:
            raise NetworkError(f"{receiver} is down")
        answer = cosign_peer(self._nodes[receiver], body, connection=sender, alarms=self._alarms[receiver])
        return answer.status, answer.content_type, answer.body


@dataclass(frozen=True)
class Wire:
    """One sender's end: the port `exchange.Courier`, and what `node.prove` asks of a courier."""

    wires: Wires
    sender: str

    def deliver(self, member: Member, wire: bytes) -> Answer:
        return self.wires.carry(Carried(sender=self.sender, receiver=member.id, wire=wire))

    def add_checkpoint(self, member: Member, request: bytes) -> tuple[int, str, bytes]:
        return self.wires.cosign(self.sender, member.id, request)


class Mortal:
    """A node's database whose process dies at the nth transaction from now: before it is committed, or just
    after, when the caller never hears that it was.
    """

    def __init__(self, records: Records, *, fuse: int, after: bool) -> None:
        self._records, self._fuse, self._after = records, fuse, after

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

    def close(self) -> None:
        self._records.close()
