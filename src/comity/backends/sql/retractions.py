"""What was taken back, with the originator's signed word: `retractions` (spec/handling.md §4)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import retractions


@dataclass(frozen=True, slots=True, kw_only=True)
class RetractionRow:
    """`name` is the digest of `document`, the JWS. `direction`: out (ours), in (a peer's, which came in `told_in`).

    `item` is the id of `originator`'s message; `audience` is who may keep it, empty where it is taken from all.
    """

    name: str
    direction: str
    compact: str
    originator: str
    item: str
    case_id: str
    told_in: str
    audience: tuple[str, ...]
    document: str
    at: datetime


class SqlRetractions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, row: RetractionRow) -> bool:
        """Keep it; False, and nothing changes, if it is known."""
        if self.find(row.name) is not None:
            return False
        self._connection.execute(
            insert(retractions).values(
                name=row.name, direction=row.direction, compact=row.compact, originator=row.originator,
                item=row.item, case_id=row.case_id, told_in=row.told_in, audience=json_bytes(list(row.audience)),
                document=row.document, at=time_text(row.at),
            )
        )  # fmt: skip
        return True

    def find(self, name: str) -> RetractionRow | None:
        row = self._connection.execute(select(retractions).where(retractions.c.name == name)).one_or_none()
        if row is None:
            return None
        return RetractionRow(
            name=row.name, direction=row.direction, compact=row.compact, originator=row.originator,
            item=row.item, case_id=row.case_id, told_in=row.told_in, audience=tuple(json_value(row.audience)),
            document=row.document, at=time_value(row.at),
        )  # fmt: skip
