"""The durable outbox: the port `comity.exchange.ports.Outbox` on SQL (design §4, Delivery).

One row a message and recipient, its sequence per compact and peer, written with the business change. `news` says
whether this transaction gave the node's own loops something to do.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from comity.backends.sql.chains import chain_end, extend_chain
from comity.backends.sql.prepared import Prepared
from comity.backends.sql.rows import time_text, time_value
from comity.backends.sql.schema import chains, events, outbox
from comity.errors import Conflict
from comity.exchange import Next, Outgoing, Queue, Receipt, Status
from comity.exchange.delivery import LONGEST_TICK, LONGEST_WAIT
from comity.exchange.receipt import goes_further

_PUT = Prepared(insert(outbox).inline())
_NEWEST_EVENT = Prepared(select(func.max(events.c.seq).label("seq")))
_SETTLE = Prepared(
    update(outbox)
    .where(
        outbox.c.id == bindparam("i"), outbox.c.peer == bindparam("p"), outbox.c.state == literal("queued")
    )
    .values(state=bindparam("s"), receipt=bindparam("r"), last_error=bindparam("e"))
)
_OF_RECEIPT = Prepared(
    select(outbox).where(
        outbox.c.id == bindparam("i"), outbox.c.peer == bindparam("p"), outbox.c.digest == bindparam("d")
    )
)


def _noting(status: Status) -> Prepared:
    """Only where the peer had said less before."""
    before = ("queued", *(one.value for one in Status if goes_further(status, one)))
    return Prepared(
        update(outbox)
        .where(outbox.c.id == bindparam("i"), outbox.c.peer == bindparam("p"))
        .where(or_(*(outbox.c.state == literal(one) for one in before)))
        .values(state=literal(status.value), receipt=bindparam("r"), last_error=bindparam("e"))
    )


_NOTE = {status: _noting(status) for status in Status}


def _this(outgoing: Outgoing) -> ColumnElement[bool]:
    return (outbox.c.id == outgoing.message_id) & (outbox.c.peer == outgoing.receiver)


def _queued(compact: str, peer: str) -> ColumnElement[bool]:
    return and_(outbox.c.state == "queued", outbox.c.peer == peer, outbox.c.compact == compact)


_waiting = outbox.alias("waiting")
_HEAD = (
    select(func.min(_waiting.c.sequence))
    .where(
        _waiting.c.state == literal("queued"),
        _waiting.c.peer == chains.c.peer,
        _waiting.c.compact == chains.c.compact,
    )
    .correlate(chains)
    .scalar_subquery()
)
"""The place of the oldest message that waits in a chain's queue: one look into an index, however many wait."""
_QUEUES = Prepared(
    select(outbox.c.compact, outbox.c.peer)
    .select_from(chains)
    .join(
        outbox,
        (outbox.c.compact == chains.c.compact)
        & (outbox.c.peer == chains.c.peer)
        & (outbox.c.sequence == _HEAD),
    )
    .where(chains.c.direction == literal("out"))
    .where(
        or_(
            outbox.c.next_attempt_at <= bindparam("now"),
            and_(outbox.c.attempts == literal(0), outbox.c.next_attempt_at > bindparam("tick")),
            outbox.c.next_attempt_at > bindparam("wait"),
        )
    )
)
"""Its time has come, or is further off than anything ever waits: then the clock was put back, and it waits no more."""


_HEADERS: tuple[ColumnElement[Any], ...] = tuple(
    column for column in outbox.c if column.name not in ("wire", "receipt")
)


class SqlOutbox:
    """`state`: queued, accepted, delivered, handled, refused, undelivered. Rows are never deleted.

    `queued_at` is the moment before which nothing makes it leave: now, or the tick of a reply.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.news = False

    def chain_end(self, compact: str, receiver: str) -> tuple[int, str]:
        return chain_end(self._connection, compact, receiver, "out")

    def put(self, outgoing: Outgoing, *, due: datetime) -> None:
        sequence, _ = self.chain_end(outgoing.compact, outgoing.receiver)
        if outgoing.sequence != sequence + 1:
            raise Conflict.because(expected=f"sequence {sequence + 1}", got=str(outgoing.sequence))
        self.news = True
        _PUT(
            self._connection, id=outgoing.message_id, compact=outgoing.compact, peer=outgoing.receiver,
            sequence=outgoing.sequence, type=outgoing.type, case_id=outgoing.case_id,
            in_reply_to=outgoing.in_reply_to, wire=outgoing.wire, digest=outgoing.digest,
            witness_event=outgoing.witness_event,
            state="queued", attempts=0, next_attempt_at=time_text(due), queued_at=time_text(due),
            expires_at=time_text(outgoing.expires), last_error="", receipt="",
        )  # fmt: skip
        extend_chain(
            self._connection, outgoing.compact, outgoing.receiver, "out", outgoing.sequence, outgoing.digest
        )

    def newest_event(self) -> int:
        """The number of the event that this transaction recorded last (write transactions are serial)."""
        return int(_NEWEST_EVENT(self._connection).scalar_one())

    def queues(self, now: datetime) -> list[Queue]:
        found = _QUEUES(
            self._connection,
            now=time_text(now),
            tick=time_text(now + LONGEST_TICK),
            wait=time_text(now + LONGEST_WAIT),
        )
        return [Queue(row.compact, row.peer) for row in found]

    def due(self, now: datetime, queue: Queue, *, most: int, most_bytes: int) -> list[Outgoing]:
        rows = self._connection.execute(
            select(*_HEADERS, func.length(outbox.c.wire).label("bytes"))
            .where(_queued(queue.compact, queue.receiver))
            .order_by(outbox.c.sequence)
            .limit(most)
        )
        found, room = list[Outgoing](), most_bytes
        for row in rows.all():
            room -= row.bytes
            longest = LONGEST_WAIT if row.attempts else LONGEST_TICK
            if time_text(now) < row.next_attempt_at <= time_text(now + longest) or (found and room < 0):
                break
            found.append(_outgoing(row, b""))
        return found

    def with_wires(self, found: Sequence[Outgoing]) -> list[Outgoing]:
        """As the port says."""
        if not found:
            return []
        first = found[0]
        rows = self._connection.execute(
            select(outbox.c.sequence, outbox.c.wire).where(
                outbox.c.compact == first.compact, outbox.c.peer == first.receiver,
                outbox.c.sequence.between(first.sequence, max(one.sequence for one in found)),
                outbox.c.state == "queued",
            )
        )  # fmt: skip
        wires = {row.sequence: bytes(row.wire) for row in rows}
        return [replace(one, wire=wires[one.sequence]) for one in found if one.sequence in wires]

    def sent(self, compact: str, peer: str, message_id: str) -> bool:
        """Whether we ever told `peer` that, in that compact."""
        row = self._connection.execute(
            select(outbox.c.compact).where(outbox.c.id == message_id, outbox.c.peer == peer)
        ).one_or_none()
        return row is not None and row.compact == compact

    def waits(self, peer: str, message_id: str) -> bool:
        """Whether that message of ours to `peer` has not been accepted, refused or given up yet."""
        row = self._connection.execute(
            select(outbox.c.state).where(outbox.c.id == message_id, outbox.c.peer == peer)
        ).one_or_none()
        return row is not None and row.state == "queued"

    def postpone(self, outgoing: Outgoing, *, until: datetime, why: str) -> None:
        self._connection.execute(
            update(outbox)
            .where(_this(outgoing), outbox.c.state == "queued")
            .values(attempts=outbox.c.attempts + 1, next_attempt_at=time_text(until), last_error=why[:500])
        )

    def settle(self, outgoing: Outgoing, *, how: Next, receipt: str | None, why: str) -> bool:
        """As the port says; True for the one call that ended it."""
        changed = _SETTLE(
            self._connection,
            i=outgoing.message_id,
            p=outgoing.receiver,
            s=how.value,
            r=receipt or "",
            e=why[:500],
        )
        return changed.rowcount == 1

    def wake(self, receiver: str, now: datetime) -> None:
        """Only the head of a queue is ever postponed: what is behind it waits for it."""
        at = time_text(now)
        heads = self._connection.execute(
            select(chains.c.compact, _HEAD.label("sequence")).where(
                chains.c.peer == receiver, chains.c.direction == "out"
            )
        )
        for head in heads.all():
            changed = self._connection.execute(
                update(outbox)
                .where(_queued(head.compact, receiver), outbox.c.sequence == head.sequence)
                .where(outbox.c.next_attempt_at > at, outbox.c.next_attempt_at > outbox.c.queued_at)
                .values(next_attempt_at=case((outbox.c.queued_at > at, outbox.c.queued_at), else_=at))
            )
            self.news = self.news or changed.rowcount > 0

    def of_receipt(self, receipt: Receipt) -> Outgoing | None:
        """The message of ours that a receipt is about: id, receiver and envelope must all fit."""
        row = _OF_RECEIPT(
            self._connection, i=receipt.message_id, p=receipt.receiver, d=receipt.envelope_digest
        ).one_or_none()
        return None if row is None else _outgoing(row, bytes(row.wire))

    def of_digest(self, peer: str, digest: str) -> Outgoing | None:
        """The message of ours to `peer` that waits under this digest."""
        row = self._connection.execute(
            select(outbox).where(outbox.c.peer == peer, outbox.c.digest == digest, outbox.c.state == "queued")
        ).one_or_none()
        return None if row is None else _outgoing(row, bytes(row.wire))

    def note_receipt(self, outgoing: Outgoing, *, status: Status, receipt: str, why: str) -> bool:
        """What the peer says became of a message that it had accepted (or whose acceptance we never saw).

        False, and nothing is changed, if it had said as much or more before.
        """
        changed = _NOTE[status](
            self._connection, i=outgoing.message_id, p=outgoing.receiver, r=receipt, e=why[:500]
        )
        return changed.rowcount == 1

    def counts(self) -> dict[str, int]:
        rows = self._connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
        return {row[0]: row[1] for row in rows}

    def waiting(self, receiver: str) -> int:
        return int(
            self._connection.execute(
                select(func.count()).where(outbox.c.peer == receiver, outbox.c.state == "queued")
            ).scalar_one()
        )


def _outgoing(row: Row[*tuple[Any, ...]], wire: bytes) -> Outgoing:
    return Outgoing(
        compact=row.compact, receiver=row.peer, message_id=row.id, type=row.type, case_id=row.case_id,
        in_reply_to=row.in_reply_to, sequence=row.sequence, digest=row.digest, wire=wire,
        expires=time_value(row.expires_at), witness_event=row.witness_event, attempts=row.attempts,
    )  # fmt: skip
