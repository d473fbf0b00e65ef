"""Alembic migrations; each says what it changes and why an older node opens after it."""
