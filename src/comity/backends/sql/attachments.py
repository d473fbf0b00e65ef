"""Attachments of messages, in and out: what they are, what became of them. The bytes are files beside this."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, or_, select, update

from comity.backends.sql.rows import time_text, time_value
from comity.backends.sql.schema import attachments, inbox, items, legal_holds
from comity.exchange.attachment import Attachment


class AttachmentState(StrEnum):
    """`in`: announced, fetching, whole, refused (by us), failed. `out`: offered, then what the peer said."""

    ANNOUNCED = "announced"
    FETCHING = "fetching"
    OFFERED = "offered"
    WHOLE = "whole"
    REFUSED = "refused"
    FAILED = "failed"
    ERASED = "erased"


UNFINISHED = (AttachmentState.ANNOUNCED, AttachmentState.FETCHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedAttachment:
    """An attachment to or from `peer`, with the message that first carried it. Its key is empty where none is kept."""

    direction: str
    compact: str
    peer: str
    message_id: str
    case_id: str
    """Our own case that the message came to belong to, or empty."""
    attachment: Attachment
    state: AttachmentState
    reason: str
    at: datetime


class SqlAttachments:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, carried: CarriedAttachment) -> None:
        one = carried.attachment
        self._connection.execute(
            insert(attachments).values(
                id=one.id, direction=carried.direction, compact=carried.compact, peer=carried.peer,
                message_id=carried.message_id, case_id=carried.case_id, name=one.name,
                media_type=one.media_type, size=one.size, chunk=one.chunk, digest=one.digest, key=one.key,
                state=carried.state.value, reason=carried.reason, at=time_text(carried.at),
            )
        )  # fmt: skip

    def find(self, direction: str, peer: str, id_: str) -> CarriedAttachment | None:
        row = self._connection.execute(select(attachments).where(_this(direction, peer, id_))).one_or_none()
        return None if row is None else _carried(row)

    def beginning(self, id_: str) -> Sequence[CarriedAttachment]:
        """Every row whose id begins so (hex)."""
        return self._where(attachments.c.id.startswith(id_, autoescape=True))

    def outlived(self) -> Sequence[CarriedAttachment]:
        """What is not erased though the message that it came with is, or is taken back or run out (ours)."""
        erased = select(inbox.c.id).where(
            inbox.c.compact == attachments.c.compact, inbox.c.sender == attachments.c.peer,
            inbox.c.id == attachments.c.message_id, inbox.c.message.is_(None),
        )  # fmt: skip
        ended = select(items.c.id).where(
            items.c.id == attachments.c.message_id, items.c.direction == "out", items.c.state != "held"
        )
        return self._where(
            attachments.c.state != AttachmentState.ERASED.value,
            or_(
                and_(attachments.c.direction == "in", exists(erased)),
                and_(attachments.c.direction == "out", exists(ended)),
            ),
        )

    def kept_by_law(self) -> Sequence[CarriedAttachment]:
        """What belongs to a case under a legal hold: by its own row, or by that of the message that it came with."""
        held = select(legal_holds.c.case_id).where(legal_holds.c.released_at == "")
        came_with = exists().where(
            items.c.compact == attachments.c.compact, items.c.id == attachments.c.message_id,
            items.c.direction == attachments.c.direction, items.c.case_id.in_(held),
            or_(attachments.c.direction == "out", items.c.originator == attachments.c.peer),
        )  # fmt: skip
        return self._where(
            attachments.c.state != AttachmentState.ERASED.value,
            or_(attachments.c.case_id.in_(held), came_with),
        )

    def all(self) -> Sequence[CarriedAttachment]:
        return self._where(attachments.c.id != "")

    def of_message(self, direction: str, peer: str, message_id: str) -> Sequence[CarriedAttachment]:
        return self._where(
            attachments.c.direction == direction,
            attachments.c.peer == peer,
            attachments.c.message_id == message_id,
        )

    def of_case(self, case_id: str) -> Sequence[CarriedAttachment]:
        return self._where(attachments.c.case_id == case_id)

    def to_fetch(self, peer: str) -> Sequence[CarriedAttachment]:
        """What `peer` has for us and we have not whole, the smallest first."""
        return self._where(
            attachments.c.direction == "in",
            attachments.c.state.in_([one.value for one in UNFINISHED]),
            attachments.c.peer == peer,
        )

    def to_push(self, peer: str) -> Sequence[CarriedAttachment]:
        """What we offer `peer` and it has not spoken of, the smallest first."""
        return self._where(
            attachments.c.direction == "out",
            attachments.c.state == AttachmentState.OFFERED.value,
            attachments.c.peer == peer,
        )

    def peers_to_push(self) -> Sequence[str]:
        """To whom we offer something that it has not spoken of."""
        rows = self._connection.execute(
            select(attachments.c.peer)
            .distinct()
            .where(attachments.c.direction == "out", attachments.c.state == AttachmentState.OFFERED.value)
            .order_by(attachments.c.peer)
        )
        return list(rows.scalars())

    def peers_to_fetch(self) -> Sequence[str]:
        """Who has something for us that we have not whole."""
        rows = self._connection.execute(
            select(attachments.c.peer)
            .distinct()
            .where(
                attachments.c.direction == "in", attachments.c.state.in_([one.value for one in UNFINISHED])
            )
            .order_by(attachments.c.peer)
        )
        return list(rows.scalars())

    def kept_of(self, peer: str) -> tuple[int, int]:
        """Plain bytes, and number, of what came from `peer`, or is to come, and is not refused, failed or erased."""
        kept = (*UNFINISHED, AttachmentState.WHOLE)
        row = self._connection.execute(
            select(func.coalesce(func.sum(attachments.c.size), 0), func.count()).where(
                attachments.c.direction == "in",
                attachments.c.peer == peer,
                attachments.c.state.in_([one.value for one in kept]),
            )
        ).one()
        return int(row[0]), int(row[1])

    def move(
        self,
        carried: CarriedAttachment,
        state: AttachmentState,
        *,
        come_from: Collection[AttachmentState],
        reason: str = "",
    ) -> bool:
        """Leave one of the states `come_from` for `state`; True for exactly one caller."""
        changed = self._connection.execute(
            update(attachments)
            .where(
                _this(carried.direction, carried.peer, carried.attachment.id),
                attachments.c.state.in_([one.value for one in come_from]),
            )
            .values(state=state.value, reason=reason[:500])
        )
        return changed.rowcount == 1

    def erase(self, carried: CarriedAttachment, *, reason: str) -> bool:
        """Forget the key and what people could read of it: the bytes say nothing any more. True once."""
        changed = self._connection.execute(
            update(attachments)
            .where(
                _this(carried.direction, carried.peer, carried.attachment.id),
                attachments.c.state != AttachmentState.ERASED.value,
            )
            .values(
                state=AttachmentState.ERASED.value,
                reason=reason[:500],
                key=b"",
                name="erased",
                media_type="application/octet-stream",
                digest="",
            )
        )
        return changed.rowcount == 1

    def _where(self, *conditions: ColumnElement[bool]) -> list[CarriedAttachment]:
        rows = self._connection.execute(
            select(attachments)
            .where(*conditions)
            .order_by(attachments.c.size, attachments.c.at, attachments.c.id, attachments.c.peer)
        )
        return [_carried(row) for row in rows]


def _this(direction: str, peer: str, id_: str) -> ColumnElement[bool]:
    return (attachments.c.direction == direction) & (attachments.c.peer == peer) & (attachments.c.id == id_)


def _carried(row: Row[Any]) -> CarriedAttachment:
    return CarriedAttachment(
        direction=row.direction, compact=row.compact, peer=row.peer, message_id=row.message_id,
        case_id=row.case_id, state=AttachmentState(row.state), reason=row.reason, at=time_value(row.at),
        attachment=Attachment(
            id=row.id, name=row.name, media_type=row.media_type, size=row.size, chunk=row.chunk,
            digest=row.digest, key=bytes(row.key),
        ),
    )  # fmt: skip
