"""All stores of a node over one transaction, so that a change, its event and its message commit together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from sqlalchemy import Connection, Engine

from comity.backends.sql.account_marks import SqlAccountMarks
from comity.backends.sql.attachments import SqlAttachments
from comity.backends.sql.book_parts import SqlBookParts
from comity.backends.sql.calls import SqlCalls
from comity.backends.sql.cases import SqlCases, SqlRequests
from comity.backends.sql.claims import Claims
from comity.backends.sql.committed import CASES, INBOX, OUTBOX, Committed
from comity.backends.sql.consents import SqlConsents
from comity.backends.sql.database import open_database, shown_place
from comity.backends.sql.deputies import SqlDeputies
from comity.backends.sql.erasure import SqlErasure, SqlLegalHolds
from comity.backends.sql.events import SqlEvents
from comity.backends.sql.failures import storage_errors
from comity.backends.sql.holds import SqlDeadlines, SqlHolds
from comity.backends.sql.inbox import SqlInbox
from comity.backends.sql.items import SqlItems
from comity.backends.sql.joint import SqlSpaces, SqlTargets
from comity.backends.sql.matters import SqlMatters, SqlProcedureTexts
from comity.backends.sql.notices import SqlNotices
from comity.backends.sql.outbox import SqlOutbox
from comity.backends.sql.peer_rules import SqlPeerRules
from comity.backends.sql.people import SqlPeople
from comity.backends.sql.postgres import ServerClaims, is_url
from comity.backends.sql.retractions import SqlRetractions
from comity.backends.sql.scrub import scrub
from comity.backends.sql.sqlite import FileClaims
from comity.backends.sql.tokens import SqlTokens
from comity.backends.sql.traffic import SqlTraffic
from comity.backends.sql.turns import Turns
from comity.backends.sql.witnesses import SqlWitnessed


class Transaction:
    """One transaction's view of every store."""

    def __init__(self, connection: Connection) -> None:
        self.account_marks = SqlAccountMarks(connection)
        self.attachments = SqlAttachments(connection)
        self.book = SqlBookParts(connection)
        self.calls = SqlCalls(connection)
        self.cases = SqlCases(connection)
        self.consents = SqlConsents(connection)
        self.deadlines = SqlDeadlines(connection)
        self.deputies = SqlDeputies(connection)
        self.erasure = SqlErasure(connection)
        self.events = SqlEvents(connection)
        self.holds = SqlHolds(connection)
        self.inbox = SqlInbox(connection)
        self.items = SqlItems(connection)
        self.matters = SqlMatters(connection)
        self.notices = SqlNotices(connection)
        self.legal_holds = SqlLegalHolds(connection)
        self.outbox = SqlOutbox(connection)
        self.peer_rules = SqlPeerRules(connection)
        self.people = SqlPeople(connection)
        self.procedure_texts = SqlProcedureTexts(connection)
        self.requests = SqlRequests(connection)
        self.retractions = SqlRetractions(connection)
        self.tokens = SqlTokens(connection)
        self.spaces = SqlSpaces(connection)
        self.targets = SqlTargets(connection)
        self.traffic = SqlTraffic(connection)
        self.witnessed = SqlWitnessed(connection)

    @property
    def news(self) -> list[str]:
        """What the node's own loops should look at once this is committed."""
        stores = ((OUTBOX, self.outbox), (INBOX, self.inbox), (CASES, self.cases))
        return [name for name, store in stores if store.news]


_BESIDES: ContextVar[tuple[Callable[[Transaction], None], ...]] = ContextVar("besides", default=())


class Records:
    """The node's database. Threads may share it: each transaction has a connection of its own.

    `where`: a file, or a PostgreSQL URL; `owner`: the node that it must belong to.
    """

    def __init__(self, where: Path | str, *, owner: str = "") -> None:
        self.committed = Committed()
        self._place = shown_place(where)
        self._engine: Engine = open_database(where, owner=owner)
        self._turns = Turns()
        self._claims: Claims = (
            ServerClaims(self._engine, self._place) if is_url(where) else FileClaims(Path(where))
        )

    @property
    def shared(self) -> bool:
        """Whether several processes of one node may work on it at once."""
        return isinstance(self._claims, ServerClaims)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write: takes the write lock first; durable once the block ends; nothing stays if it raises."""
        with self._turns.mine(), storage_errors(self._place), self._engine.begin() as connection:
            tx = Transaction(connection)
            yield tx
            for besides in _BESIDES.get():
                besides(tx)
        self.committed.tell(tx.news)

    @contextmanager
    def with_each(self, besides: Callable[[Transaction], None]) -> Iterator[None]:
        """Within the block, and in its thread only: `besides` is done at the end of each writing transaction, and
        commits or fails with it.
        """
        before = _BESIDES.set((*_BESIDES.get(), besides))
        try:
            yield
        finally:
            _BESIDES.reset(before)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Read one consistent state; never blocks writers."""
        with storage_errors(self._place), self._engine.connect() as connection:
            connection = connection.execution_options(reading=True)
            with connection.begin():
                yield Transaction(connection)

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Whether this thread is the only one, of all processes of the node, at the work of that name."""
        mine = self._claims.take(name)
        try:
            yield mine
        finally:
            if mine:
                self._claims.give_back(name)

    def scrub(self) -> bool:
        """Take erased bytes out of the database's file; False if that is the database operator's (`scrub`)."""
        return scrub(self._engine, self._place)

    def close(self) -> None:
        self._claims.close()
        self._engine.dispose()
