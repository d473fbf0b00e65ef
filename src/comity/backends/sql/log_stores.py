"""`comity.ledger` ports on SQL: the events as log entries, and what this node has witnessed."""

from collections.abc import Sequence

from comity.backends.sql.events import Sealed, sealed
from comity.backends.sql.records import Records
from comity.ledger import Seen, Sequencer
from comity.model import Event


class SqlEventStore:
    """Each call is a transaction of its own: what it returns is durable, as others than its writer see it."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def size(self) -> int:
        with self._records.reading() as tx:
            return tx.events.size()

    def entries(self, start: int, end: int) -> list[bytes]:
        with self._records.reading() as tx:
            return tx.events.entries(start, end)

    def append_all(self, rows: Sequence[Sealed]) -> int:
        """Store events that record nothing but themselves; return the size of the log, durable then."""
        with self._records.transaction() as tx:
            return tx.events.append_all(rows)


class EventAppender:
    """Append single events from many threads, as many as wait in one transaction (`ledger.Sequencer`).

    For events that stand for a reading, an alarm or the like. What changes anything else belongs into the
    transaction of that change (`Transaction.events.append`). Each writer seals its own event, while the
    transaction of those before it waits for the disk.
    """

    def __init__(self, records: Records) -> None:
        self._group: Sequencer[Sealed, int] = Sequencer(SqlEventStore(records).append_all)

    def append(self, event: Event) -> int:
        """Store `event`, durable on return; return how many are in the log then. `InputError`: not one of ours."""
        return self._group.submit(sealed(event))


class SqlWitnessStore:
    def __init__(self, records: Records) -> None:
        self._records = records

    def newest(self, origin: str) -> Seen | None:
        with self._records.reading() as tx:
            return tx.witnessed.newest(origin)

    def replace(self, origin: str, old: Seen | None, new: Seen) -> bool:
        with self._records.transaction() as tx:
            return tx.witnessed.replace(origin, old, new)
