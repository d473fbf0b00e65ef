"""All stores of a node over one transaction, so that a change, its event and its message commit together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from comity.backends.sql.book_parts import SqlBookParts
from comity.backends.sql.cases import SqlCases, SqlRequests
from comity.backends.sql.database import open_database, storage_errors
from comity.backends.sql.events import SqlEvents
from comity.backends.sql.holds import SqlDeadlines, SqlHolds
from comity.backends.sql.people import SqlPeople
from comity.backends.sql.post import SqlInbox, SqlOutbox
from comity.backends.sql.witnesses import SqlWitnessed


class Transaction:
    """One transaction's view of every store."""

    def __init__(self, connection: Connection) -> None:
        self.book = SqlBookParts(connection)
        self.cases = SqlCases(connection)
        self.deadlines = SqlDeadlines(connection)
        self.events = SqlEvents(connection)
        self.holds = SqlHolds(connection)
        self.inbox = SqlInbox(connection)
        self.outbox = SqlOutbox(connection)
        self.people = SqlPeople(connection)
        self.requests = SqlRequests(connection)
        self.witnessed = SqlWitnessed(connection)


class Records:
    """The node's database. Threads may share it: each transaction has a connection of its own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._engine: Engine = open_database(file)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write: takes the write lock first; durable once the block ends; nothing stays if it raises."""
        with storage_errors(self._file), self._engine.begin() as connection:
            yield Transaction(connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Read one consistent state; never blocks writers."""
        with storage_errors(self._file), self._engine.connect() as connection:
            connection = connection.execution_options(reading=True)
            with connection.begin():
                yield Transaction(connection)

    def close(self) -> None:
        self._engine.dispose()
