"""The node's tables. One database a node; SQLite by default (design §10).

Times are ISO 8601 UTC text with microseconds, so that they sort. JSON columns hold canonical bytes.
The migrations under `migrations/` must produce exactly this (tests/unit/test_migrations.py).
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("case_id", Text, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("log_index", Integer, unique=True),
    sqlite_autoincrement=True,
)

book_parts = Table(
    "book_parts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("file", Text, nullable=False, unique=True),
    Column("rows", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("imported_at", Text, nullable=False),
)

book_balances = Table(
    "book_balances",
    metadata,
    Column("account", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("account", "currency"),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("origin_case", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("offence", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("report", LargeBinary, nullable=False),
    Column("reported_at", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("pursuit_wanted", Integer, nullable=False),
    Column("pursuit_done", Integer, nullable=False),
    UniqueConstraint("origin", "origin_case"),
)

traces = Table(
    "traces",
    metadata,
    Column("case_id", Text, ForeignKey("cases.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("inflows", LargeBinary, nullable=False),
    Column("result", LargeBinary, nullable=False),
    Column("moves", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("case_id", "source"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("cases.id"), nullable=False, index=True),
    Column("direction", Text, nullable=False),
    Column("procedure", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("basis", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("refusal", LargeBinary),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("case_id", Text, ForeignKey("cases.id"), nullable=False, index=True),
    Column("request_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("institution", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("placed_at", Text, nullable=False),
    Column("lapses_at", Text, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    PrimaryKeyConstraint("holder", "id"),
)

deadlines = Table(
    "deadlines",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("set_at", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("state", Text, nullable=False),
    Index("ix_deadlines_state_due_at", "state", "due_at"),
    Index("ix_deadlines_subject_subject_id", "subject", "subject_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("peer", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("wire", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Text, nullable=False),
    Column("queued_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    UniqueConstraint("peer", "sequence"),
    Index("ix_outbox_state_peer_sequence", "state", "peer", "sequence"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("sender", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    PrimaryKeyConstraint("sender", "id"),
    Index("ix_inbox_state_received_at", "state", "received_at"),
)

chains = Table(
    "chains",
    metadata,
    Column("peer", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("peer", "direction"),
)

witnessed = Table(
    "witnessed",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("expires_at", Text, nullable=False),
)
