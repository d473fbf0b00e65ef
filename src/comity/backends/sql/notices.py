"""Notices that arrived: where they are filed, and what people read. The rows are the inbox's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select, update

from comity.backends.sql.prepared import Prepared
from comity.backends.sql.rows import json_value, time_value
from comity.backends.sql.schema import inbox
from comity.exchange.notice import NOTICE

_FILE = Prepared(
    update(inbox)
    .where(inbox.c.compact == bindparam("c"), inbox.c.sender == bindparam("s"), inbox.c.id == bindparam("i"))
    .values(case_id=bindparam("case"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedNotice:
    """`payload` is as it came (`exchange.notice.read_notice` has read it once), or None once it is erased."""

    compact: str
    sender: str
    message_id: str
    digest: str
    case_id: str
    """Our own case that it belongs to, or empty."""
    purpose: str
    payload: dict[str, Any] | None
    received_at: datetime


class SqlNotices:
    """Only what was heard: a notice that is still waiting, was refused or is quarantined is nobody's reading."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def file(self, compact: str, sender: str, message_id: str, *, case_id: str) -> None:
        """Note which case of ours it belongs to."""
        _FILE(self._connection, c=compact, s=sender, i=message_id, case=case_id)

    def find(self, sender: str, message_id: str) -> ReceivedNotice | None:
        return next(iter(self._where(inbox.c.sender == sender, inbox.c.id == message_id)), None)

    def named(self, message_id: str) -> Sequence[ReceivedNotice]:
        """Every notice of that id; members choose their own ids, so two may have chosen one."""
        return self._where(inbox.c.id == message_id)

    def of_case(self, case_id: str) -> Sequence[ReceivedNotice]:
        return self._where(inbox.c.case_id == case_id)

    def all(self) -> Sequence[ReceivedNotice]:
        """In the order of arrival."""
        return self._where(inbox.c.id != "")

    def _where(self, *conditions: ColumnElement[bool]) -> list[ReceivedNotice]:
        rows = self._connection.execute(
            select(inbox)
            .where(inbox.c.type == NOTICE, inbox.c.state == "handled", *conditions)
            .order_by(inbox.c.arrival)
        )
        return [_notice(row) for row in rows]


def _notice(row: Row[Any]) -> ReceivedNotice:
    message = json_value(row.message)
    return ReceivedNotice(
        compact=row.compact, sender=row.sender, message_id=row.id, digest=row.digest, case_id=row.case_id,
        purpose="" if message is None else message["purpose"],
        payload=None if message is None else message["payload"], received_at=time_value(row.received_at),
    )  # fmt: skip
