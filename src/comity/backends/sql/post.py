"""The durable outbox and inbox with each peer's chain: `comity.exchange.ports` on SQL (design §4, Delivery).

Outbox: one row a message, sequence per peer, written with the business change. Inbox: the key is (sender,
id), so that a message has its effect once however often it arrives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import chains, inbox, outbox
from comity.errors import Conflict
from comity.exchange import NO_PREVIOUS, Known, Next, Opened, Outgoing, Receipt
from comity.model import Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that arrived and was opened. `state`: received, handled or quarantined."""

    sender: str
    id: str
    type: str
    digest: str
    sequence: int
    case_id: str
    legal_basis: str
    in_reply_to: str
    payload: dict[str, Any]
    state: str
    received_at: datetime


class SqlOutbox:
    """`state`: queued, accepted, handled, refused, undelivered. Rows are never deleted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def chain_end(self, receiver: str) -> tuple[int, str]:
        return _chain_end(self._connection, receiver, "out")

    def put(self, outgoing: Outgoing, *, due: datetime) -> None:
        sequence, _ = self.chain_end(outgoing.receiver)
        if outgoing.sequence != sequence + 1:
            raise Conflict.because(expected=f"sequence {sequence + 1}", got=str(outgoing.sequence))
        self._connection.execute(
            insert(outbox).values(
                id=outgoing.message_id, peer=outgoing.receiver, sequence=outgoing.sequence,
                type=outgoing.type, case_id=outgoing.case_id, wire=outgoing.wire, digest=outgoing.digest,
                state="queued", attempts=0, next_attempt_at=time_text(due), queued_at=time_text(due),
                expires_at=time_text(outgoing.expires), last_error="", receipt="",
            )
        )  # fmt: skip
        _extend(self._connection, outgoing.receiver, "out", outgoing.sequence, outgoing.digest)

    def due(self, now: datetime, *, receiver: str) -> list[Outgoing]:
        rows = self._connection.execute(
            select(outbox)
            .where(outbox.c.state == "queued", outbox.c.peer == receiver)
            .order_by(outbox.c.sequence)
            .limit(1)
        ).all()
        return [_outgoing(row) for row in rows if row.next_attempt_at <= time_text(now)]

    def postpone(self, outgoing: Outgoing, *, until: datetime, why: str) -> None:
        self._connection.execute(
            update(outbox)
            .where(outbox.c.id == outgoing.message_id, outbox.c.state == "queued")
            .values(attempts=outbox.c.attempts + 1, next_attempt_at=time_text(until), last_error=why[:500])
        )

    def settle(self, outgoing: Outgoing, *, how: Next, receipt: str | None, why: str) -> bool:
        """As the port says; True for the one call that ended it."""
        changed = self._connection.execute(
            update(outbox)
            .where(outbox.c.id == outgoing.message_id, outbox.c.state == "queued")
            .values(state=how.value, receipt=receipt or "", last_error=why[:500])
        )
        return changed.rowcount == 1

    def wake(self, receiver: str, now: datetime) -> None:
        self._connection.execute(
            update(outbox)
            .where(
                outbox.c.peer == receiver,
                outbox.c.state == "queued",
                outbox.c.next_attempt_at > time_text(now),
            )
            .values(next_attempt_at=time_text(now))
        )

    def of_receipt(self, receipt: Receipt) -> Outgoing | None:
        """The message of ours that a receipt is about: id, receiver and envelope must all fit."""
        row = self._connection.execute(
            select(outbox).where(
                outbox.c.id == receipt.message_id,
                outbox.c.peer == receipt.receiver,
                outbox.c.digest == receipt.envelope_digest,
            )
        ).one_or_none()
        return None if row is None else _outgoing(row)

    def note_receipt(self, outgoing: Outgoing, *, state: str, receipt: str, why: str) -> None:
        """What the peer says became of a message that it had accepted (or whose acceptance we never saw)."""
        self._connection.execute(
            update(outbox)
            .where(outbox.c.id == outgoing.message_id, outbox.c.state.in_(("queued", "accepted")))
            .values(state=state, receipt=receipt, last_error=why[:500])
        )

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
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, sender: str, message_id: str) -> Known:
        digest = self._connection.execute(
            select(inbox.c.digest).where(inbox.c.sender == sender, inbox.c.id == message_id)
        ).scalar_one_or_none()
        sequence, last = _chain_end(self._connection, sender, "in")
        return Known(digest_of_same_id=digest, last_sequence=sequence, last_digest=last)

    def take(self, opened: Opened, *, receipt: str, now: datetime) -> None:
        message, sender = opened.message, opened.sender.id
        document = {
            "case_id": message.case_id, "purpose": message.purpose, "legal_basis": message.legal_basis,
            "in_reply_to": message.in_reply_to, "handling": _handling(message.handling),
            "payload": dict(message.payload),
        }  # fmt: skip
        self._connection.execute(
            insert(inbox).values(
                sender=sender, id=message.id, type=message.type, digest=opened.digest,
                sequence=opened.sequence, message=json_bytes(document), state="received",
                receipt=receipt, received_at=time_text(now),
            )
        )  # fmt: skip
        _extend(self._connection, sender, "in", opened.sequence, opened.digest)

    def receipt_for(self, sender: str, message_id: str) -> str:
        return str(
            self._connection.execute(
                select(inbox.c.receipt).where(inbox.c.sender == sender, inbox.c.id == message_id)
            ).scalar_one()
        )

    def to_handle(self, limit: int = 4) -> Sequence[Received]:
        """What waits to be acted on, in the order of arrival."""
        rows = self._connection.execute(
            select(inbox)
            .where(inbox.c.state == "received")
            .order_by(inbox.c.received_at, inbox.c.sender, inbox.c.sequence)
            .limit(limit)
        )
        return [_received(row) for row in rows]

    def settle(self, received: Received, *, state: str) -> bool:
        """Leave `received` for `state`; True for exactly one caller, ever."""
        changed = self._connection.execute(
            update(inbox)
            .where(inbox.c.sender == received.sender, inbox.c.id == received.id, inbox.c.state == "received")
            .values(state=state)
        )
        return changed.rowcount == 1

    def counts(self) -> dict[str, int]:
        rows = self._connection.execute(select(inbox.c.state, func.count()).group_by(inbox.c.state))
        return {row[0]: row[1] for row in rows}

    def last_heard(self, sender: str) -> datetime | None:
        text = self._connection.execute(
            select(func.max(inbox.c.received_at)).where(inbox.c.sender == sender)
        ).scalar_one_or_none()
        return None if text is None else time_value(text)


def _chain_end(connection: Connection, peer: str, direction: str) -> tuple[int, str]:
    row = connection.execute(
        select(chains.c.sequence, chains.c.digest).where(
            chains.c.peer == peer, chains.c.direction == direction
        )
    ).one_or_none()
    return (0, NO_PREVIOUS) if row is None else (row[0], row[1])


def _extend(connection: Connection, peer: str, direction: str, sequence: int, digest: str) -> None:
    changed = connection.execute(
        update(chains)
        .where(chains.c.peer == peer, chains.c.direction == direction)
        .values(sequence=sequence, digest=digest)
    )
    if changed.rowcount == 0:
        connection.execute(
            insert(chains).values(peer=peer, direction=direction, sequence=sequence, digest=digest)
        )


def _handling(handling: Handling) -> dict[str, Any]:
    return {
        "originator": handling.originator, "audience": list(handling.audience),
        "purposes": list(handling.purposes), "retention_days": handling.retention_days,
        "actions": {action: permission.value for action, permission in handling.actions.items()},
        "caveat": handling.caveat,
    }  # fmt: skip


def _outgoing(row: Row[Any]) -> Outgoing:
    return Outgoing(
        receiver=row.peer, message_id=row.id, type=row.type, case_id=row.case_id, sequence=row.sequence,
        digest=row.digest, wire=bytes(row.wire), expires=time_value(row.expires_at), attempts=row.attempts,
    )  # fmt: skip


def _received(row: Row[Any]) -> Received:
    message = json_value(row.message)
    return Received(
        sender=row.sender, id=row.id, type=row.type, digest=row.digest, sequence=row.sequence,
        case_id=message["case_id"], legal_basis=message["legal_basis"],
        in_reply_to=message["in_reply_to"], payload=message["payload"], state=row.state,
        received_at=time_value(row.received_at),
    )  # fmt: skip
