"""Bring attachments to peers where they cannot fetch them: this node accepts no connections (`inbound = false`).

A chunk a request; the receiver says which one it wants next, so that nothing need be remembered here.
"""

import os
import random
from dataclasses import dataclass, field
from datetime import datetime

from comity.backends.attachment_courier import AttachmentCourier, NotWanted
from comity.backends.sql.attachments import AttachmentState, CarriedAttachment
from comity.errors import NetworkError
from comity.exchange import next_attempt
from comity.node.attachments.attach import offered_to
from comity.node.bootstrap import Node


@dataclass(slots=True)
class Pushing:
    """One peer's loop: the chunk that it wants of each, and when to try again."""

    node: Node
    peer: str
    _wanted: dict[str, int] = field(default_factory=dict)
    _later: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def step(self, courier: AttachmentCourier) -> bool:
        """Bring one chunk; True if there is more to do at once."""
        carried = self._next()
        if carried is None:
            return False
        id_, layout = carried.attachment.id, carried.attachment.layout
        index = min(self._wanted.get(id_, 0), layout.count - 1)
        file = offered_to(self.node, self.peer, id_)
        try:
            if file is None:
                raise NotWanted("expected to offer it still, got no file")
            sealed = _read(file, layout.start(index), layout.length(index))
            member = self.node.compact(carried.compact).member(self.peer)
            self._wanted[id_] = min(courier.push(member, id_, index, sealed), layout.count)
            self._later.pop(id_, None)
        except (NotWanted, NetworkError, OSError):
            attempts, now = self._later.get(id_, (0, self.node.clock()))[0] + 1, self.node.clock()
            self._later[id_] = (attempts, next_attempt(attempts, now, random.SystemRandom().random()))
        return True

    def due(self) -> bool:
        """Whether there is anything to do now."""
        return self._next() is not None

    def _next(self) -> CarriedAttachment | None:
        """The smallest that is due: its message has been accepted, so whatever that had to wait for has come.

        What the peer says it has whole waits for its word (`attachment.state`).
        """
        now = self.node.clock()
        with self.node.records.reading() as tx:
            offered = [
                one for one in tx.attachments.to_push(self.peer)
                if not tx.outbox.waits(self.peer, one.message_id)
            ]  # fmt: skip
        for one in offered:
            whole = self._wanted.get(one.attachment.id) == one.attachment.layout.count
            waits = self._later.get(one.attachment.id, (0, now))[1] > now
            if one.state is AttachmentState.OFFERED and not whole and not waits and self._reaches(one):
                return one
        return None

    def _reaches(self, carried: CarriedAttachment) -> bool:
        """Not a member that accepts no connections either."""
        return (
            self.node.knows(self.peer, carried.compact)
            and not self.node.compact(carried.compact).member(self.peer).pull
        )


def _read(file: "os.PathLike[str]", start: int, length: int) -> bytes:
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return os.pread(handle, length, start)
    finally:
        os.close(handle)
