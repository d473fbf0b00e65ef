"""Accounts of this node's book at which every trace ends, and who said so, when and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from comity.backends.sql.rows import time_text, time_value
from comity.backends.sql.schema import account_marks
from comity.model import ChokeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMark:
    account: str
    kind: ChokeKind
    reason: str
    by: str
    at: datetime


class SqlAccountMarks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[AccountMark]:
        """In order of the accounts."""
        rows = self._connection.execute(select(account_marks).order_by(account_marks.c.account))
        return [
            AccountMark(
                account=row.account, kind=ChokeKind(row.kind), reason=row.reason, by=row.by, at=time_value(row.at)
            )
            for row in rows
        ]  # fmt: skip

    def kinds(self) -> Mapping[str, ChokeKind]:
        """By account: what a trace needs to know."""
        rows = self._connection.execute(
            select(account_marks.c.account, account_marks.c.kind).order_by(account_marks.c.account)
        )
        return {row.account: ChokeKind(row.kind) for row in rows}

    def put(self, mark: AccountMark) -> None:
        """In place of what was said of that account before."""
        self.drop(mark.account)
        self._connection.execute(
            insert(account_marks).values(
                account=mark.account,
                kind=mark.kind.value,
                reason=mark.reason,
                by=mark.by,
                at=time_text(mark.at),
            )
        )

    def drop(self, account: str) -> bool:
        """Take the mark away; False if there was none."""
        done = self._connection.execute(delete(account_marks).where(account_marks.c.account == account))
        return bool(done.rowcount)
