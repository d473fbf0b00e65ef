"""The durable outbox and inbox with each peer's chain: `comity.exchange.ports` on SQL (design §4, Delivery).

Outbox: one row a message and recipient, sequence per compact and peer, written with the business change. Inbox:
the key is (compact, sender, id), so that a message has its effect once however often it arrives. `news` says
whether this transaction gave the node's own loops something to do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
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
    tuple_,
    update,
)

from comity.backends.sql.prepared import Prepared
from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import chains, events, inbox, outbox
from comity.errors import Conflict
from comity.exchange import NO_PREVIOUS, Known, Next, Opened, Outgoing, Queue, Receipt, Status
from comity.exchange.handling import write_handling
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
_THAT = and_(
    inbox.c.compact == bindparam("c"), inbox.c.sender == bindparam("s"), inbox.c.id == bindparam("i")
)
_KNOWN = Prepared(select(inbox.c.digest).where(_THAT))
_TAKE = Prepared(
    insert(inbox).inline().values({name: bindparam(name) for name in set(inbox.c.keys()) - {"arrival"}})
)
_OUTCOME = Prepared(select(inbox.c.digest, inbox.c.outcome).where(_THAT))
_CONCLUDE = Prepared(
    update(inbox).where(_THAT).values(outcome=bindparam("o"), outcome_receipt=bindparam("r"), told=literal(0))
)
_LEAVE = Prepared(
    update(inbox).where(_THAT, inbox.c.state == literal("received")).values(state=bindparam("state_"))
)
_TOLD = Prepared(
    update(inbox)
    .where(_THAT, inbox.c.told == literal(0), inbox.c.outcome_receipt == bindparam("r"))
    .values(told=literal(1))
)
_WAITING = and_(inbox.c.state == literal("received"), inbox.c.message.is_not(None))
_NEXT_SENDER = Prepared(
    select(inbox.c.sender).where(_WAITING, inbox.c.sender > bindparam("s")).order_by(inbox.c.sender).limit(1)
)
_OLDEST_OF = Prepared(
    select(inbox.c.arrival, func.length(inbox.c.message).label("bytes"))
    .where(_WAITING, inbox.c.sender == bindparam("s"))
    .order_by(inbox.c.arrival)
    .limit(bindparam("m"))
)
_ONE_TOO_MANY = Prepared(
    select(inbox.c.arrival)
    .where(inbox.c.state == literal("received"), inbox.c.sender == bindparam("s"))
    .order_by(inbox.c.arrival)
    .limit(1)
    .offset(bindparam("m"))
)
_ARRIVED = Prepared(select(inbox.c.received_at).where(_THAT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that arrived and was opened. `state`: received, handled or quarantined."""

    compact: str
    sender: str
    id: str
    type: str
    digest: str
    sequence: int
    case_id: str
    """The sender's."""
    purpose: str
    legal_basis: str
    in_reply_to: str
    handling: dict[str, Any]
    payload: dict[str, Any]
    state: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message that a peer sent, and the receipt that says so."""

    compact: str
    sender: str
    id: str
    receipt: str


class SqlOutbox:
    """`state`: queued, accepted, delivered, handled, refused, undelivered. Rows are never deleted.

    `queued_at` is the moment before which nothing makes it leave: now, or the tick of a reply.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.news = False

    def chain_end(self, compact: str, receiver: str) -> tuple[int, str]:
        return _chain_end(self._connection, compact, receiver, "out")

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
        _extend(
            self._connection, outgoing.compact, outgoing.receiver, "out", outgoing.sequence, outgoing.digest
        )

    def newest_event(self) -> int:
        """The number of the event that this transaction recorded last (write transactions are serial)."""
        return int(_NEWEST_EVENT(self._connection).scalar_one())

    def queues(self, now: datetime) -> list[Queue]:
        return [Queue(row.compact, row.peer) for row in _QUEUES(self._connection, now=time_text(now))]

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
            if row.next_attempt_at > time_text(now) or (found and room < 0):
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


class SqlInbox:
    """`state`: received, handled or quarantined. Rows are never deleted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.news = False

    def known(self, compact: str, sender: str, message_id: str) -> Known:
        digest = _KNOWN(self._connection, c=compact, s=sender, i=message_id).scalar_one_or_none()
        sequence, last = _chain_end(self._connection, compact, sender, "in")
        return Known(digest_of_same_id=digest, last_sequence=sequence, last_digest=last)

    def take(self, opened: Opened, *, receipt: str, now: datetime) -> None:
        self.news = True
        message, sender = opened.message, opened.sender.id
        document = {
            "case_id": message.case_id, "purpose": message.purpose, "legal_basis": message.legal_basis,
            "in_reply_to": message.in_reply_to, "handling": write_handling(message.handling),
            "payload": dict(message.payload),
        }  # fmt: skip
        _TAKE(
            self._connection, compact=opened.compact, sender=sender, id=message.id, type=message.type,
            digest=opened.digest, sequence=opened.sequence, case_id="", message=json_bytes(document),
            state="received", receipt=receipt, outcome=Status.ACCEPTED.value, outcome_receipt="", told=1,
            received_at=time_text(now),
        )  # fmt: skip
        _extend(self._connection, opened.compact, sender, "in", opened.sequence, opened.digest)

    def receipt_for(self, compact: str, sender: str, message_id: str) -> str:
        return str(
            self._connection.execute(
                select(inbox.c.receipt).where(_that(compact, sender, message_id))
            ).scalar_one()
        )

    def to_handle(self, limit: int = 64, *, most_bytes: int = 4 * 1024 * 1024) -> Sequence[Received]:
        """What waits to be acted on, in the order of arrival: of each sender an equal part of `limit` and
        `most_bytes`, the oldest first, and at least one; so no sender keeps another's waiting behind its own.
        """
        senders = self._senders_waiting()
        each = max(1, len(senders))
        chosen = [
            arrival
            for sender in senders
            for arrival in self._oldest_of(sender, max(1, limit // each), most_bytes // each)
        ]
        rows = self._connection.execute(
            select(inbox).where(inbox.c.arrival.in_(chosen)).order_by(inbox.c.arrival)
        )
        return [_received(row) for row in rows] if chosen else []

    def _senders_waiting(self) -> list[str]:
        """One look into the index for each, however many messages wait."""
        found, last = list[str](), ""
        while (sender := _NEXT_SENDER(self._connection, s=last).scalar_one_or_none()) is not None:
            found.append(sender)
            last = sender
        return found

    def _oldest_of(self, sender: str, most: int, room: int) -> list[int]:
        found = list[int]()
        for row in _OLDEST_OF(self._connection, s=sender, m=most).all():
            room -= row.bytes
            if found and room < 0:
                break
            found.append(row.arrival)
        return found

    def crowded(self, sender: str, most: int) -> bool:
        """Whether more than `most` messages of that sender wait to be acted on."""
        return _ONE_TOO_MANY(self._connection, s=sender, m=most).scalar_one_or_none() is not None

    def outcome(self, compact: str, sender: str, message_id: str) -> tuple[str, Status] | None:
        """Digest of a message that we took, and what its sender was or will be told; None if we never did."""
        row = _OUTCOME(self._connection, c=compact, s=sender, i=message_id).one_or_none()
        return None if row is None else (row.digest, Status(row.outcome))

    def conclude(self, compact: str, sender: str, message_id: str, *, status: Status, receipt: str) -> None:
        """Say what became of it; the sender is told with the next `receipts`."""
        self.news = True
        _CONCLUDE(self._connection, c=compact, s=sender, i=message_id, o=status.value, r=receipt)

    def to_tell(self, limit: int, readers: Collection[tuple[str, str]]) -> list[Outcome]:
        """Outcomes that their senders do not know yet, oldest first; only of `readers`, compact and sender."""
        rows = self._connection.execute(
            select(inbox.c.compact, inbox.c.sender, inbox.c.id, inbox.c.outcome_receipt)
            .where(inbox.c.told == 0, tuple_(inbox.c.compact, inbox.c.sender).in_(sorted(readers)))
            .order_by(inbox.c.arrival)
            .limit(limit)
        )
        return [
            Outcome(compact=row.compact, sender=row.sender, id=row.id, receipt=row.outcome_receipt)
            for row in rows
        ]

    def told(self, outcome: Outcome) -> bool:
        """Mark it told; False if it was, or if there is something else to tell by now."""
        changed = _TOLD(
            self._connection, c=outcome.compact, s=outcome.sender, i=outcome.id, r=outcome.receipt
        )
        return changed.rowcount == 1

    def arrived(self, compact: str, sender: str, message_id: str) -> datetime | None:
        """When that message was taken, if it was."""
        text = _ARRIVED(self._connection, c=compact, s=sender, i=message_id).scalar_one_or_none()
        return None if text is None else time_value(text)

    def settle(self, received: Received, *, state: str) -> bool:
        """Leave `received` for `state`; True for exactly one caller, ever."""
        changed = _LEAVE(self._connection, c=received.compact, s=received.sender, i=received.id, state_=state)
        return changed.rowcount == 1

    def counts(self) -> dict[str, int]:
        rows = self._connection.execute(select(inbox.c.state, func.count()).group_by(inbox.c.state))
        return {row[0]: row[1] for row in rows}

    def last_heard(self, sender: str) -> datetime | None:
        text = self._connection.execute(
            select(func.max(inbox.c.received_at)).where(inbox.c.sender == sender)
        ).scalar_one_or_none()
        return None if text is None else time_value(text)


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
    .where(chains.c.direction == literal("out"), outbox.c.next_attempt_at <= bindparam("now"))
)


def _that(compact: str, sender: str, message_id: str) -> ColumnElement[bool]:
    return (inbox.c.compact == compact) & (inbox.c.sender == sender) & (inbox.c.id == message_id)


_CHAIN = and_(
    chains.c.compact == bindparam("c"), chains.c.peer == bindparam("p"), chains.c.direction == bindparam("d")
)
_FIND_END = Prepared(select(chains.c.sequence, chains.c.digest).where(_CHAIN))
_MOVE_END = Prepared(update(chains).where(_CHAIN).values(sequence=bindparam("s"), digest=bindparam("g")))


def _chain_end(connection: Connection, compact: str, peer: str, direction: str) -> tuple[int, str]:
    row = _FIND_END(connection, c=compact, p=peer, d=direction).one_or_none()
    return (0, NO_PREVIOUS) if row is None else (row.sequence, row.digest)


def _extend(
    connection: Connection, compact: str, peer: str, direction: str, sequence: int, digest: str
) -> None:
    changed = _MOVE_END(connection, c=compact, p=peer, d=direction, s=sequence, g=digest)
    if changed.rowcount == 0:
        connection.execute(
            insert(chains).values(
                compact=compact, peer=peer, direction=direction, sequence=sequence, digest=digest
            )
        )


_HEADERS: tuple[ColumnElement[Any], ...] = tuple(
    column for column in outbox.c if column.name not in ("wire", "receipt")
)


def _outgoing(row: Row[*tuple[Any, ...]], wire: bytes) -> Outgoing:
    return Outgoing(
        compact=row.compact, receiver=row.peer, message_id=row.id, type=row.type, case_id=row.case_id,
        in_reply_to=row.in_reply_to, sequence=row.sequence, digest=row.digest, wire=wire,
        expires=time_value(row.expires_at), witness_event=row.witness_event, attempts=row.attempts,
    )  # fmt: skip


def _received(row: Row[Any]) -> Received:
    message = json_value(row.message)
    return Received(
        compact=row.compact, sender=row.sender, id=row.id, type=row.type, digest=row.digest,
        sequence=row.sequence, case_id=message["case_id"], purpose=message["purpose"],
        handling=message["handling"], legal_basis=message["legal_basis"],
        in_reply_to=message["in_reply_to"], payload=message["payload"], state=row.state,
        received_at=time_value(row.received_at),
    )  # fmt: skip
