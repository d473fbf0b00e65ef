"""The node's database: tables, migrations, and one store for each port that a room declares.

A business change, its event and its outbox row are written in one `Records.transaction`. SQLite is the
embedded default; statements are SQLAlchemy Core so that PostgreSQL can take its place.
"""

from comity.backends.sql.book_parts import BookPart
from comity.backends.sql.inbox import Received
from comity.backends.sql.log_stores import EventAppender, SqlEventStore, SqlWitnessStore
from comity.backends.sql.records import Records, Transaction

__all__ = [
    "BookPart",
    "EventAppender",
    "Received",
    "Records",
    "SqlEventStore",
    "SqlWitnessStore",
    "Transaction",
]
