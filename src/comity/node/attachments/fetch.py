"""Fetch what peers announced, a slice at a time, until it is whole; go on after a cut or a kill where it stood.

What is on the disk is what counts: there is no offset in the database that could contradict it. Trouble with one
attachment never blocks another.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime

from comity.backends.attachment_courier import AttachmentCourier, NotOffered, OtherLength
from comity.backends.attachment_files import AttachmentFiles, NoRoom
from comity.backends.attachment_part import OtherDigest, Part
from comity.backends.sql.attachments import UNFINISHED, AttachmentState, CarriedAttachment
from comity.errors import NetworkError, StorageError
from comity.exchange import Member, next_attempt
from comity.node.attachments.attach import OFFERED_FOR, files_of, settle_fetched
from comity.node.bootstrap import Node
from comity.proofs.chunks import ChangedChunk

CHUNKS_BETWEEN_SYNCS = 64
_NO_ROOM = "there is no room for it here at the moment"
_HOPELESS = (ChangedChunk, OtherDigest, OtherLength, NotOffered)
"""The connection is the sender's own, so what is wrong is wrong there: asking again brings the same."""


@dataclass(slots=True)
class Fetching:
    """What one peer's loop keeps between steps: the part it has open, and when to try what failed again."""

    node: Node
    peer: str
    _files: AttachmentFiles = field(init=False)
    _open: tuple[str, Part] | None = None
    _later: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._files = files_of(self.node)

    def step(self, courier: AttachmentCourier) -> bool:
        """Fetch one slice; True if there is more to do at once. `StorageError`: the disk, and it is tried again."""
        carried = self._next()
        if carried is None:
            return False
        id_ = carried.attachment.id
        try:
            if carried.at + OFFERED_FOR < self.node.clock():
                raise NotOffered(f"expected to have it within {OFFERED_FOR.days} days, got it in part")
            self._slice(carried, courier)
        except _HOPELESS as error:
            self._end(carried, AttachmentState.FAILED, reason=f"{error.code}: {error.problem}")
        except NetworkError:
            self._put_off(id_)
        except StorageError as error:
            if isinstance(error, NoRoom) and carried.state is AttachmentState.ANNOUNCED:
                self._end(carried, AttachmentState.REFUSED, reason=_NO_ROOM)
                return True
            self.forget()
            self._put_off(id_)
            raise
        return True

    def take(self, id_: str, index: int, sealed: bytes) -> int:
        """Chunk `index`, brought by a peer from whom we cannot fetch; the number of the one that is wanted next.

        Not to be called by two threads at once. `NotOffered` for what it did not announce or we do not take.
        """
        with self.node.records.reading() as tx:
            carried = tx.attachments.find("in", self.peer, id_)
        if carried is not None and carried.state is AttachmentState.WHOLE:
            return carried.attachment.layout.count
        if carried is None or carried.state not in UNFINISHED or not self._brings(carried):
            raise NotOffered("expected an attachment that is to come, got another")
        try:
            return self._take(carried, index, sealed)
        except _HOPELESS as error:
            self._end(carried, AttachmentState.FAILED, reason=f"{error.code}: {error.problem}")
            raise
        except StorageError as error:
            if isinstance(error, NoRoom) and carried.state is AttachmentState.ANNOUNCED:
                self._end(carried, AttachmentState.REFUSED, reason=_NO_ROOM)
                raise NotOffered(_NO_ROOM) from error
            self.forget()
            raise

    def due(self) -> bool:
        """Whether there is anything to do now."""
        return self._next() is not None

    def forget(self) -> None:
        """Look at the disk anew, next time."""
        self._open = None

    def _next(self) -> CarriedAttachment | None:
        """The smallest one whose time has come, so that a large one never keeps the others waiting."""
        now = self.node.clock()
        with self.node.records.reading() as tx:
            waiting = tx.attachments.to_fetch(self.peer)
        if self._open is not None and all(one.attachment.id != self._open[0] for one in waiting):
            self.forget()  # erased meanwhile
        due = (one for one in waiting if self._later.get(one.attachment.id, (0, now))[1] <= now)
        known = (one for one in due if self.node.knows(self.peer, one.compact))
        return next((one for one in known if not self._brings(one)), None)

    def _brings(self, carried: CarriedAttachment) -> bool:
        """Whether the peer accepts no connections, and so brings its attachments itself."""
        return self.node.knows(self.peer, carried.compact) and self._member(carried).pull

    def _take(self, carried: CarriedAttachment, index: int, sealed: bytes) -> int:
        part = self._part(carried)
        self._files.require_room(part.missing)
        if index == part.next and not part.complete:
            self._start(carried)
            part.add(sealed)
        if part.next % CHUNKS_BETWEEN_SYNCS == 0:
            part.sync()
        if part.complete:
            part.finish()
            self._open = None
            self._end(carried, AttachmentState.WHOLE)
        return part.next

    def _slice(self, carried: CarriedAttachment, courier: AttachmentCourier) -> None:
        part = self._part(carried)
        self._files.require_room(part.missing)
        if not part.complete:
            self._start(carried)
            for sealed in courier.chunks(self._member(carried), carried.attachment, first=part.next):
                part.add(sealed)
                self._later.pop(carried.attachment.id, None)
            part.sync()
        if part.complete:
            part.finish()
            self._open = None
            self._end(carried, AttachmentState.WHOLE)

    def _part(self, carried: CarriedAttachment) -> Part:
        if self._open is None or self._open[0] != carried.attachment.id:
            self.forget()
            self._open = (carried.attachment.id, self._files.part(self.peer, carried.attachment))
        return self._open[1]

    def _member(self, carried: CarriedAttachment) -> Member:
        return self.node.compact(carried.compact).member(self.peer)

    def _start(self, carried: CarriedAttachment) -> None:
        if carried.state is AttachmentState.ANNOUNCED:
            with self.node.records.transaction() as tx:
                tx.attachments.move(carried, AttachmentState.FETCHING, come_from=(AttachmentState.ANNOUNCED,))

    def _end(self, carried: CarriedAttachment, state: AttachmentState, *, reason: str = "") -> None:
        """Settle the row first, then the disk: killed between the two, `tidy` removes what is left."""
        with self.node.records.transaction() as tx:
            done = settle_fetched(self.node, tx, carried, state, reason=reason)
        self._later.pop(carried.attachment.id, None)
        if state is not AttachmentState.WHOLE or not done:
            self.forget()
            self._files.drop_arrived(self.peer, carried.attachment.id)

    def _put_off(self, id_: str) -> None:
        attempts, now = self._later.get(id_, (0, self.node.clock()))[0] + 1, self.node.clock()
        self._later[id_] = (attempts, next_attempt(attempts, now, random.SystemRandom().random()))
