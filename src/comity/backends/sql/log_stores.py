"""`comity.ledger` ports on SQL: the events as log entries, and what this node has witnessed."""

from comity.backends.sql.records import Records
from comity.ledger import Seen


class SqlEventStore:
    """Each call is a transaction of its own: what it returns is durable."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def size(self) -> int:
        with self._records.reading() as tx:
            return tx.events.size()

    def sequence(self, limit: int) -> int:
        with self._records.reading() as tx:
            size, waiting = tx.events.size(), tx.events.any_waiting()
        if not waiting:
            return size
        with self._records.transaction() as tx:
            return tx.events.sequence(limit)

    def entries(self, start: int, end: int) -> list[bytes]:
        with self._records.reading() as tx:
            return tx.events.entries(start, end)


class SqlWitnessStore:
    def __init__(self, records: Records) -> None:
        self._records = records

    def newest(self, origin: str) -> Seen | None:
        with self._records.reading() as tx:
            return tx.witnessed.newest(origin)

    def replace(self, origin: str, old: Seen | None, new: Seen) -> bool:
        with self._records.transaction() as tx:
            return tx.witnessed.replace(origin, old, new)
