"""Alembic's entry point; the connection is handed over by `comity.backends.sql.database`."""

from alembic import context

from comity.backends.sql.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
