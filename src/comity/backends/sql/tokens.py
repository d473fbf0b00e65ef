"""Tokens of programs. Only a hash of each is kept; what was revoked or has run out stays, as a record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from comity.backends.sql.rows import time_text, time_value
from comity.backends.sql.schema import tokens
from comity.errors import NotFound
from comity.model import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token: never the token itself. `only` is "" or "read"; `note` says what it is for.

    `role` is its person's when it was issued.
    """

    id: str
    person: str
    role: Role
    only: str
    note: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_by: str = ""
    revoked_at: datetime | None = None


class SqlTokens:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: Token, secret_hash: str) -> None:
        self._connection.execute(
            insert(tokens).values(
                id=token.id, person=token.person, role=token.role.value, only=token.only, note=token.note,
                secret_hash=secret_hash, issued_by=token.issued_by, issued_at=time_text(token.issued_at),
                expires_at=time_text(token.expires_at), last_used_at="", revoked_by="", revoked_at="",
            )
        )  # fmt: skip

    def find(self, token_id: str) -> tuple[Token, str] | None:
        """The token, and the hash of its secret."""
        row = self._connection.execute(select(tokens).where(tokens.c.id == token_id)).one_or_none()
        return None if row is None else (_token(row), row.secret_hash)

    def get(self, token_id: str) -> Token:
        found = self.find(token_id)
        if found is None:
            raise NotFound.because(
                expected="a token of this node", got=repr(token_id), remedy="List them: comity token list DIR"
            )
        return found[0]

    def all(self) -> list[Token]:
        """Every token there ever was, oldest first."""
        rows = self._connection.execute(select(tokens).order_by(tokens.c.issued_at, tokens.c.id))
        return [_token(row) for row in rows]

    def used(self, token_id: str, at: datetime) -> None:
        self._connection.execute(
            update(tokens).where(tokens.c.id == token_id).values(last_used_at=time_text(at))
        )

    def revoke(self, token_id: str, by: str, at: datetime) -> None:
        self._connection.execute(
            update(tokens).where(tokens.c.id == token_id).values(revoked_by=by, revoked_at=time_text(at))
        )


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id, person=row.person, role=Role(row.role), only=row.only, note=row.note,
        issued_by=row.issued_by, issued_at=time_value(row.issued_at), expires_at=time_value(row.expires_at),
        last_used_at=_when(row.last_used_at), revoked_by=row.revoked_by, revoked_at=_when(row.revoked_at),
    )  # fmt: skip


def _when(text: str) -> datetime | None:
    return time_value(text) if text else None
