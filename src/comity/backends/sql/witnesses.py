"""The newest checkpoint of each log that this node has cosigned: compare-and-swap, durable on commit."""

from sqlalchemy import Connection, insert, select, update

from comity.backends.sql.schema import events, witnessed
from comity.ledger import Seen


class SqlWitnessed:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self, origin: str) -> Seen | None:
        row = self._connection.execute(select(witnessed).where(witnessed.c.origin == origin)).one_or_none()
        return None if row is None else Seen(size=row.size, root=bytes(row.root), note=bytes(row.note))

    def replace(self, origin: str, old: Seen | None, new: Seen) -> bool:
        values = {"size": new.size, "root": new.root, "note": new.note}
        if old is None:
            if self.newest(origin) is not None:
                return False
            self._connection.execute(insert(witnessed).values(origin=origin, **values))
            return True
        changed = self._connection.execute(
            update(witnessed)
            .where(witnessed.c.origin == origin, witnessed.c.size == old.size, witnessed.c.root == old.root)
            .values(**values)
        )
        return changed.rowcount == 1

    def place_of(self, event_seq: int) -> int | None:
        """Where event number `event_seq` stands in this node's own log; None while it has no place."""
        return self._connection.execute(
            select(events.c.log_index).where(events.c.seq == event_seq)
        ).scalar_one_or_none()
