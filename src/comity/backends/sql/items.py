"""What was shared under obligations: `items`, and which of ours were made from which (spec/handling.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    exists,
    insert,
    or_,
    select,
    update,
)

from comity.backends.sql.prepared import Prepared
from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import consents, inbox, item_sources, items, outbox
from comity.exchange.fields import Fields
from comity.exchange.handling import MAX_SOURCES, read_kept, write_handling
from comity.exchange.notice import NOTICE
from comity.model import Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message's content. `originator` is the member whose message it is; `direction`: in (theirs), out (ours).

    `id` is the message's, `digest` its envelope's. `state`: held, retracted, expired.
    """

    id: str
    originator: str
    compact: str
    direction: str
    digest: str
    case_id: str
    handling: Handling
    at: datetime
    retain_until: datetime
    state: str = "held"


_THIS = and_(
    items.c.compact == bindparam("c"), items.c.originator == bindparam("o"), items.c.id == bindparam("i")
)
UNHEARD = ("received", "waiting")
"""States of messages in the inbox that were not acted on yet."""
_FIND = Prepared(select(items).where(_THIS))
_HAS = Prepared(select(items.c.id).where(_THIS))
_ADD = Prepared(insert(items).inline())
_CHANGE = Prepared(
    update(items)
    .where(_THIS)
    .values({name: bindparam(name) for name in ("case_id", "handling", "retain_until", "state")})
)
_OWN_MESSAGE = and_(
    inbox.c.compact == items.c.compact, inbox.c.sender == items.c.originator, inbox.c.id == items.c.id,
    items.c.direction == "in",
)  # fmt: skip
EMPTIED: dict[str, Any] = {
    "message": None, "state": case((inbox.c.state.in_(UNHEARD), "refused"), else_=inbox.c.state),
}  # fmt: skip
"""What becomes of a row of the inbox whose text is erased: nothing without a text is ever heard."""


class SqlItems:
    """Rows are never deleted: that something was shared, and that it was taken back, stays known."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, item: Item) -> None:
        """Keep `item`, or change it: case, handling, end and state."""
        values: dict[str, Any] = {
            "case_id": item.case_id, "handling": json_bytes(write_handling(item.handling)),
            "retain_until": time_text(item.retain_until), "state": item.state,
        }  # fmt: skip
        if _CHANGE(self._connection, c=item.compact, o=item.originator, i=item.id, **values).rowcount:
            return
        _ADD(
            self._connection, id=item.id, originator=item.originator, compact=item.compact,
            direction=item.direction, digest=item.digest, message_id=item.id, at=time_text(item.at), **values,
        )  # fmt: skip
        if item.direction == "out":
            self._note_sources(item)

    def _note_sources(self, item: Item) -> None:
        sources = [*item.handling.sources]
        if len(sources) >= MAX_SOURCES:
            sources.append(_beyond(item.case_id))
        if sources:
            of = {"compact": item.compact, "originator": item.originator, "id": item.id}
            self._connection.execute(insert(item_sources), [{"source": one, **of} for one in sources])

    def has(self, compact: str, originator: str, item_id: str) -> bool:
        return _HAS(self._connection, c=compact, o=originator, i=item_id).one_or_none() is not None

    def find(self, compact: str, originator: str, item_id: str) -> Item | None:
        """Members choose their own ids: one id in two compacts is two items."""
        row = _FIND(self._connection, c=compact, o=originator, i=item_id).one_or_none()
        return None if row is None else _item(row)

    def named(self, name: str) -> Sequence[Item]:
        """Every item that has this id or digest."""
        rows = self._connection.execute(
            select(items).where(or_(items.c.id == name, items.c.digest == name)).order_by(items.c.at)
        )
        return [_item(row) for row in rows]

    def ours(self, node_id: str, compacts: Iterable[str], name: str) -> Item | None:
        """What we gave under that message id, which nobody but us has chosen, or with that digest."""
        for compact in compacts:
            found = self.find(compact, node_id, name)
            if found is not None:
                return found
        by_digest = self.by_digest(name)
        others = [by_digest] if by_digest is not None else self.named(name)
        return next((one for one in others if one.direction == "out"), None)

    def made_of(self, item: Item) -> Sequence[Item]:
        """What of ours in its case still stands and was made from a peer's item: it names it, or may leave it out
        among more sources than can be named."""
        beyond = _beyond(item.case_id)
        rows = self._connection.execute(
            select(item_sources).where(item_sources.c.source.in_([item.digest, beyond]))
        ).all()
        found = {
            row.id: ours for row in rows
            if (ours := self.find(row.compact, row.originator, row.id)) is not None
            and (ours.case_id, ours.state) == (item.case_id, "held")
            and (row.source == item.digest or ours.at >= item.at)
        }  # fmt: skip
        return sorted(found.values(), key=lambda one: (one.at, one.id))

    def by_digest(self, digest: str) -> Item | None:
        row = self._connection.execute(select(items).where(items.c.digest == digest)).first()
        return None if row is None else _item(row)

    def of_case(self, case_id: str) -> Sequence[Item]:
        """Items of a case, oldest first. An empty case has none: what is about no case is nobody's source."""
        if not case_id:
            return []
        rows = self._connection.execute(
            select(items).where(items.c.case_id == case_id).order_by(items.c.at, items.c.id)
        )
        return [_item(row) for row in rows]

    def all(self) -> Sequence[Item]:
        return [
            _item(row) for row in self._connection.execute(select(items).order_by(items.c.at, items.c.id))
        ]

    def run_out(self, now: datetime, *, limit: int = 100) -> Sequence[Item]:
        """Items held beyond the time that their obligations give."""
        rows = self._connection.execute(
            select(items)
            .where(items.c.state == "held", items.c.direction == "in", items.c.retain_until <= time_text(now))
            .order_by(items.c.retain_until)
            .limit(limit)
        )
        return [_item(row) for row in rows]

    def recipients(self, message_id: str) -> Sequence[str]:
        """To whom a message of ours was sent, delivered or not."""
        rows = self._connection.execute(
            select(outbox.c.peer).where(outbox.c.id == message_id).order_by(outbox.c.peer)
        )
        return list(rows.scalars())

    def file(self, item: Item) -> None:
        """Note in the inbox which case of ours a peer's message belongs to."""
        self._connection.execute(update(inbox).where(_message_of(item)).values(case_id=item.case_id))

    def erase_content(self, item: Item) -> None:
        """The message's text goes; that it came, from whom and when, stays. What has no text is heard no more."""
        if self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql("PRAGMA secure_delete=ON").close()
        self._connection.execute(update(inbox).where(_message_of(item)).values(**EMPTIED))

    def refuse_waiting(self, item: Item) -> bool:
        """A message that waits for a consent is over, unheard; True if it did wait."""
        ended = self._connection.execute(
            update(inbox).where(_message_of(item), inbox.c.state == "waiting").values(state="refused")
        )
        return ended.rowcount == 1

    def resume(self, compact: str, digest: str) -> None:
        """A message that waited for a consent is looked at again, if it was not taken back or erased since."""
        is_held = exists().where(
            items.c.compact == compact, items.c.digest == digest, items.c.state == "held"
        )
        self._connection.execute(
            update(inbox)
            .where(inbox.c.compact == compact, inbox.c.digest == digest, inbox.c.state == "waiting")
            .where(inbox.c.message.is_not(None), is_held)
            .values(state="received")
        )

    def unanswered(self, now: datetime, *, limit: int = 100) -> Sequence[Item]:
        """Items whose messages wait for a consent that nobody is asked for any more."""
        asked = exists().where(
            consents.c.item_digest == items.c.digest, consents.c.direction == "out",
            consents.c.state == "asked", consents.c.expires_at > time_text(now),
        )  # fmt: skip
        rows = self._connection.execute(
            select(items).join(inbox, _OWN_MESSAGE).where(inbox.c.state == "waiting", ~asked).limit(limit)
        )
        return [_item(row) for row in rows]

    def answered_since(self, item: Item) -> bool:
        """Whether its originator has given a later answer in the same case, which stands."""
        found = self._connection.execute(
            select(items.c.id)
            .join(inbox, _OWN_MESSAGE)
            .where(
                items.c.case_id == item.case_id, items.c.originator == item.originator, items.c.state == "held",
                items.c.at > time_text(item.at), inbox.c.type.endswith(".answer"),
            )
            .limit(1)
        )  # fmt: skip
        return found.first() is not None

    def type_of(self, item: Item) -> str:
        """The type of the message that an item of a peer is."""
        kind = self._connection.execute(select(inbox.c.type).where(_message_of(item))).scalar_one_or_none()
        return kind or ""

    def left_nothing(self, item: Item) -> bool:
        """Whether there is no more of a peer's message here than its text: a notice that was heard, or any other that
        was refused before it was acted on."""
        row = self._connection.execute(
            select(inbox.c.type, inbox.c.state).where(_message_of(item))
        ).one_or_none()
        return row is not None and row.state == ("handled" if row.type == NOTICE else "refused")

    def types_in(self, case_id: str) -> dict[str, str]:
        """Digest → message type of every item of peers in a case that was acted on: not what waits or was refused."""
        rows = self._connection.execute(
            select(items.c.digest, inbox.c.type)
            .join(inbox, _OWN_MESSAGE)
            .where(items.c.case_id == case_id, inbox.c.state.not_in(("waiting", "refused")))
        )
        return {row.digest: row.type for row in rows}


def _message_of(item: Item) -> ColumnElement[bool]:
    return and_(inbox.c.compact == item.compact, inbox.c.sender == item.originator, inbox.c.id == item.id)


def _item(row: Row[Any]) -> Item:
    return Item(
        id=row.id, originator=row.originator, compact=row.compact, direction=row.direction, digest=row.digest,
        case_id=row.case_id, handling=read_kept(Fields(json_value(row.handling), "item")),
        at=time_value(row.at), retain_until=time_value(row.retain_until), state=row.state,
    )  # fmt: skip


def _beyond(case_id: str) -> str:
    """Stands for the sources that an item of a case has beyond those that it can name. No digest looks so."""
    return f"beyond:{case_id}"
