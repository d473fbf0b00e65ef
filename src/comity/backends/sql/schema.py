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

Whole = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits everywhere; SQLite gives row numbers of its own to `Integer` only."""

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
    Column("seq", Whole, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("case_id", Text, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("body", LargeBinary),
    Column("salt", LargeBinary),
    Column("entry", LargeBinary, nullable=False),
    Column("log_index", Whole, unique=True),
    sqlite_autoincrement=True,
)

"""`body` and `salt` are null once erased: the entry stays in the log and says nothing any more."""

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, nullable=False, index=True),
    Column("ground", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", Text, nullable=False),
    Column("released_by", Text, nullable=False),
    Column("released_at", Text, nullable=False),
)
"""While one of a case is not released (`released_at` empty), nothing of the case is erased."""

book_parts = Table(
    "book_parts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("file", Text, nullable=False, unique=True),
    Column("rows", Whole, nullable=False),
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

account_marks = Table(
    "account_marks",
    metadata,
    Column("account", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
)
"""Accounts of this node's book at which every trace ends, and who said so, why (`comity account mark`)."""

cases = Table(
    "cases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("compact", Text, nullable=False),
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
    Column("chokes", LargeBinary, nullable=False),
    Column("book", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("case_id", "source"),
)
"""`book` names the state of our book (`BookKeeper.state`) that a trace of ours was made from; empty for a peer's."""

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
    Column("unmatched", Integer, nullable=False),
    Column("basis", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("refusal", LargeBinary),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Index("ix_requests_peer_direction_created_at", "peer", "direction", "created_at"),
)
"""`unmatched`: how many guesses of a peer we answered by ourselves in this one (`comity.casework.Request`)."""

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
    Column("escalate", Text, nullable=False, server_default=""),
    Index("ix_deadlines_state_due_at_id", "state", "due_at", "id"),
    Index("ix_deadlines_subject_subject_id", "subject", "subject_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("sequence", Whole, nullable=False),
    Column("type", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("in_reply_to", Text, nullable=False),
    Column("wire", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Text, nullable=False),
    Column("queued_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("witness_event", Whole, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    PrimaryKeyConstraint("id", "peer"),
    UniqueConstraint("compact", "peer", "sequence"),
    Index("ix_outbox_state_peer_compact_sequence", "state", "peer", "compact", "sequence"),
)
"""One row a message and recipient. `witness_event`: the event (`events.seq`) that must stand under a quorum of
cosignatures before this leaves the node; 0 if none must."""

inbox = Table(
    "inbox",
    metadata,
    Column("arrival", Whole, primary_key=True, autoincrement=True),
    Column("compact", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("sequence", Whole, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("message", LargeBinary),
    Column("state", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("outcome_receipt", Text, nullable=False),
    Column("told", Integer, nullable=False),
    Column("received_at", Text, nullable=False),
    UniqueConstraint("compact", "sender", "id"),
    Index("ix_inbox_state_sender_arrival", "state", "sender", "arrival"),
    Index("ix_inbox_told_arrival", "told", "arrival"),
    sqlite_autoincrement=True,
)
"""`arrival` counts up: the order in which messages were taken, whatever the clock said. `message` is null once
erased. `case_id`: our own case that it came to belong to, or empty. `size`: bytes on the wire. `receipt` is the
one given when it was taken; `outcome` (accepted, delivered, handled, refused) and `outcome_receipt` say what became
of it, and `told` whether the sender knows (1) or is still to be told (0)."""

chains = Table(
    "chains",
    metadata,
    Column("compact", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("sequence", Whole, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("compact", "peer", "direction"),
)

items = Table(
    "items",
    metadata,
    Column("id", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("digest", Text, nullable=False, index=True),
    Column("case_id", Text, nullable=False, index=True),
    Column("message_id", Text, nullable=False),
    Column("handling", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("retain_until", Text, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("compact", "originator", "id"),
    Index("ix_items_state_retain_until", "state", "retain_until"),
)
"""What was shared under handling obligations: `in` from a peer, `out` to peers. `id` is the id of the message
that first carried it. `state`: held, retracted, expired."""

item_sources = Table(
    "item_sources",
    metadata,
    Column("source", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("id", Text, nullable=False),
    PrimaryKeyConstraint("source", "compact", "originator", "id"),
)
"""Which items of ours (`compact`, `originator`, `id`) were made from the message of digest `source`."""

retractions = Table(
    "retractions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("case_id", Text, nullable=False, index=True),
    Column("told_in", Text, nullable=False),
    Column("audience", LargeBinary, nullable=False),
    Column("document", Text, nullable=False),
    Column("at", Text, nullable=False),
)
"""What was taken back, by us (`out`) or by a peer (`in`): `document` is what the originator signed, `name` its digest,
`item` the id of the message, `told_in` of the one that it came in, `audience` who may keep it."""

consents = Table(
    "consents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("item_digest", Text, nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
)
"""Asked of (`out`) or by (`in`) `peer`. `state`: asked, granted, refused, withdrawn."""

attachments = Table(
    "attachments",
    metadata,
    Column("id", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("direction", "peer", "id"),
    Index("ix_attachments_direction_state_peer", "direction", "state", "peer"),
    Index("ix_attachments_message_id", "message_id"),
)
"""Large parts of a message, carried apart from it. `id` is the digest of what is carried (ciphertext). `in` from
a peer, `out` to one. `key` is empty where it is not needed (`out`) or no longer there (erased)."""

peer_rules = Table(
    "peer_rules",
    metadata,
    Column("member", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("signing_key_id", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
)
"""This node's own word on a peer, above every compact's: `pin` to one key, or `refuse`."""

witnessed = Table(
    "witnessed",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("size", Whole, nullable=False),
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
    Column("human", Text, nullable=False, server_default=""),
    Column("removed_at", Text, nullable=False, server_default=""),
)
"""`human`: a personnel number, the same for all accounts of one human; empty: the account's name. A name whose
account was removed (`removed_at`) is nobody else's ever: events bear it.
"""

deputies = Table(
    "deputies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("deputy", Text, ForeignKey("people.id"), nullable=False),
    Column("principal", Text, ForeignKey("people.id"), nullable=False),
    Column("until", Text, nullable=False),
    Column("named_by", Text, nullable=False),
    Column("named_at", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
    Column("ended_at", Text, nullable=False),
)
"""Whoever is `deputy` may act as `principal` until then, or until it was ended (`ended_at`)."""

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("principal", Text, nullable=False, server_default=""),
)
"""`principal`: the account as whose deputy the person is signed in, or ""."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("only", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("issued_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("last_used_at", Text, nullable=False),
    Column("revoked_by", Text, nullable=False),
    Column("revoked_at", Text, nullable=False),
)
"""Tokens of programs (`comity token`). `only`: empty, or `read`. Empty times: not yet. The token itself is nowhere."""

calls = Table(
    "calls",
    metadata,
    Column("person", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at", Text, nullable=False),
    PrimaryKeyConstraint("person", "key"),
    Index("ix_calls_at", "at"),
)
"""Calls of the API that had their effect, each under the key its caller chose: a row is written in the transaction of
the effect, so that a repeated call has none. `digest` is of what was called."""

joint_targets = Table(
    "joint_targets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("compact", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("case_id", Text, nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("listed_by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("until", Text, nullable=False),
    UniqueConstraint("compact", "kind", "value", "case_id"),
)
"""Identifiers that this node works on, for deconfliction: none without a case."""

joint_rounds = Table(
    "joint_rounds",
    metadata,
    Column("id", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("wanted", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("openings", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    PrimaryKeyConstraint("direction", "peer", "id"),
    Index("ix_joint_rounds_direction_peer_at", "direction", "peer", "at"),
)
"""Rounds of deconfliction that we asked for (`out`) or a peer did (`in`)."""

joint_hits = Table(
    "joint_hits",
    metadata,
    Column("reference", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("round", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("case_id", Text, nullable=False, index=True),
    Column("opening", Text, nullable=False),
    Column("behind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("ours_at", Text, nullable=False),
    Column("ours_by", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("theirs_at", Text, nullable=False),
    Column("told", LargeBinary, nullable=False),
    PrimaryKeyConstraint("peer", "reference"),
)
"""Targets that a peer works too. `opening` opens our commitment to our case, `behind` is the peer's to its case."""

joint_spaces = Table(
    "joint_spaces",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("founder", Text, nullable=False),
    Column("members", LargeBinary, nullable=False),
    Column("founding", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
)
"""Joint operations and investigation teams. `founding` is the digest of their first entry."""

joint_entries = Table(
    "joint_entries",
    metadata,
    Column("space", Text, ForeignKey("joint_spaces.id"), nullable=False),
    Column("author", Text, nullable=False),
    Column("number", Whole, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("entry", LargeBinary),
    Column("heard_at", Text, nullable=False),
    PrimaryKeyConstraint("space", "author", "number"),
)
"""What each member of a space wrote there, numbered and chained per author. `entry` is
empty for a peer's, which is in its message (`inbox`)."""

owners = Table("owners", metadata, Column("node", Text, primary_key=True))
"""One row: the node that lives in this database."""

matters = Table(
    "matters",
    metadata,
    Column("id", Text, primary_key=True),
    Column("compact", Text, nullable=False),
    Column("requesting", Text, nullable=False),
    Column("requested", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("case_id", Text, nullable=False, index=True),
    Column("procedure", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("steps", LargeBinary, nullable=False),
    Column("pending", LargeBinary),
    Column("problem", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)
"""Our halves of what we run together with others (`comity.casework.matter`)."""

procedure_texts = Table(
    "procedure_texts",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
)
"""Every version of a procedure that a matter here began with: it keeps it, whatever ships later."""
