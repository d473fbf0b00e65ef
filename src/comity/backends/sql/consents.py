"""Consents asked and given: `consents` (spec/handling.md §3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from comity.backends.sql.prepared import Prepared
from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import consents, items
from comity.model import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """A question and what became of it. `direction`: out (we asked `peer`), in (`peer` asked us).

    `state`: asked, granted, refused, withdrawn. `expires_at` is the end asked for, then the end granted.
    `document`: `question` (as asked) and, once answered, `word` (the originator's JWS).
    """

    id: str
    direction: str
    compact: str
    peer: str
    item_digest: str
    action: str
    recipient: str
    purpose: str
    state: str
    expires_at: datetime
    document: dict[str, Any]
    at: datetime


_OF_ITEM = Prepared(
    select(consents).where(consents.c.item_digest == bindparam("d")).order_by(consents.c.at, consents.c.id)
)


class SqlConsents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, row: ConsentRow) -> None:
        values: dict[str, Any] = {
            "state": row.state, "expires_at": time_text(row.expires_at), "document": json_bytes(row.document),
        }  # fmt: skip
        changed = self._connection.execute(update(consents).where(consents.c.id == row.id).values(**values))
        if changed.rowcount == 0:
            self._connection.execute(
                insert(consents).values(
                    id=row.id, direction=row.direction, compact=row.compact, peer=row.peer,
                    item_digest=row.item_digest, action=row.action, recipient=row.recipient,
                    purpose=row.purpose, at=time_text(row.at), **values,
                )
            )  # fmt: skip

    def find(self, consent_id: str) -> ConsentRow | None:
        row = self._connection.execute(select(consents).where(consents.c.id == consent_id)).one_or_none()
        return None if row is None else _consent(row)

    def of_item(self, digest: str) -> Sequence[ConsentRow]:
        return [_consent(row) for row in _OF_ITEM(self._connection, d=digest)]

    def given(self, digest: str) -> Sequence[Consent]:
        """Consents given to us for that item: granted, and not withdrawn since."""
        return [
            Consent(
                item=row.item_digest, by=row.peer, action=row.action, recipient=row.recipient,
                purpose=row.purpose, expires=row.expires_at,
            )
            for row in self.of_item(digest)
            if row.direction == "out" and row.state == "granted"
        ]  # fmt: skip

    def open_about(self, compact: str, originator: str, now: datetime) -> int:
        """How many questions of ours about what `originator` sent us are open."""
        return self._count(
            select(func.count())
            .select_from(consents.join(items, items.c.digest == consents.c.item_digest))
            .where(
                consents.c.direction == "out", consents.c.state == "asked", consents.c.expires_at > time_text(now),
                items.c.direction == "in", items.c.compact == compact, items.c.originator == originator,
            )
        )  # fmt: skip

    def open_of(self, peer: str, now: datetime) -> int:
        """How many questions of `peer` to us are open."""
        return self._count(
            select(func.count()).where(
                consents.c.direction == "in", consents.c.state == "asked", consents.c.peer == peer,
                consents.c.expires_at > time_text(now),
            )
        )  # fmt: skip

    def _count(self, query: Select[Any]) -> int:
        return int(self._connection.execute(query).scalar_one())

    def all(self) -> Sequence[ConsentRow]:
        rows = self._connection.execute(select(consents).order_by(consents.c.at, consents.c.id))
        return [_consent(row) for row in rows]


def _consent(row: Row[Any]) -> ConsentRow:
    return ConsentRow(
        id=row.id, direction=row.direction, compact=row.compact, peer=row.peer, item_digest=row.item_digest,
        action=row.action, recipient=row.recipient, purpose=row.purpose, state=row.state,
        expires_at=time_value(row.expires_at), document=json_value(row.document), at=time_value(row.at),
    )  # fmt: skip
