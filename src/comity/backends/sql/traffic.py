"""How much went to and fro in a case: messages and bytes on the wire, as the outbox and the inbox have them."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, select

from comity.backends.sql.schema import inbox, items, outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """A message to several peers counts, with its bytes, once for each. Erased ones count with no bytes sent."""

    sent: int
    sent_bytes: int
    received: int
    received_bytes: int


class SqlTraffic:
    """Read through `items`, which has a row for each message that says something, by case."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_case(self, case_id: str) -> Traffic:
        size = func.coalesce(func.sum(func.length(outbox.c.wire)), 0)
        out = self._connection.execute(
            select(func.count(), size)
            .select_from(
                items.join(outbox, and_(outbox.c.id == items.c.id, outbox.c.compact == items.c.compact))
            )
            .where(items.c.case_id == case_id, items.c.direction == "out")
        ).one()
        came = self._connection.execute(
            select(func.count(), func.coalesce(func.sum(inbox.c.size), 0))
            .select_from(items.join(inbox, _same_message()))
            .where(items.c.case_id == case_id, items.c.direction == "in")
        ).one()
        return Traffic(sent=out[0], sent_bytes=int(out[1]), received=came[0], received_bytes=int(came[1]))


def _same_message() -> ColumnElement[bool]:
    return and_(
        inbox.c.compact == items.c.compact, inbox.c.sender == items.c.originator, inbox.c.id == items.c.id
    )
