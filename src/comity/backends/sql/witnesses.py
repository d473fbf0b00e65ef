"""The newest checkpoint of each log that this node has cosigned: compare-and-swap, durable on commit."""

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from comity.backends.sql.schema import witnessed
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
            try:
                self._connection.execute(insert(witnessed).values(origin=origin, **values))
            except IntegrityError:
                return False
            return True
        changed = self._connection.execute(
            update(witnessed)
            .where(witnessed.c.origin == origin, witnessed.c.size == old.size, witnessed.c.root == old.root)
            .values(**values)
        )
        return changed.rowcount == 1
