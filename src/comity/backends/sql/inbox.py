"""The durable inbox: the port `comity.exchange.ports.Inbox` on SQL (design §4, Delivery).

The key is (compact, sender, id), so that a message has its effect once however often it arrives. `news` says
whether this transaction gave the node's own loops something to do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from comity.backends.sql.chains import chain_end, extend_chain
from comity.backends.sql.prepared import Prepared
from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import inbox
from comity.exchange import Known, Opened, Status
from comity.exchange.handling import write_handling

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


class SqlInbox:
    """`state`: received, handled or quarantined. Rows are never deleted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.news = False

    def known(self, compact: str, sender: str, message_id: str) -> Known:
        digest = _KNOWN(self._connection, c=compact, s=sender, i=message_id).scalar_one_or_none()
        sequence, last = chain_end(self._connection, compact, sender, "in")
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
            digest=opened.digest, sequence=opened.sequence, case_id="", size=opened.size,
            message=json_bytes(document),
            state="received", receipt=receipt, outcome=Status.ACCEPTED.value, outcome_receipt="", told=1,
            received_at=time_text(now),
        )  # fmt: skip
        extend_chain(self._connection, opened.compact, sender, "in", opened.sequence, opened.digest)

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


def _that(compact: str, sender: str, message_id: str) -> ColumnElement[bool]:
    return (inbox.c.compact == compact) & (inbox.c.sender == sender) & (inbox.c.id == message_id)


def _received(row: Row[Any]) -> Received:
    message = json_value(row.message)
    return Received(
        compact=row.compact, sender=row.sender, id=row.id, type=row.type, digest=row.digest,
        sequence=row.sequence, case_id=message["case_id"], purpose=message["purpose"],
        handling=message["handling"], legal_basis=message["legal_basis"],
        in_reply_to=message["in_reply_to"], payload=message["payload"], state=row.state,
        received_at=time_value(row.received_at),
    )  # fmt: skip
