"""What this node says of single peers: pinned or refused (`exchange.peer_rules`)."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from comity.backends.sql.rows import time_text
from comity.backends.sql.schema import peer_rules
from comity.exchange.register.peer_rules import PeerRule, Word


class SqlPeerRules:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> Mapping[str, PeerRule]:
        """By member."""
        rows = self._connection.execute(select(peer_rules))
        return {
            row.member: PeerRule(member=row.member, word=Word(row.rule), signing_key_id=row.signing_key_id)
            for row in rows
        }

    def put(self, rule: PeerRule, *, by: str, at: datetime) -> None:
        """In place of what was said before."""
        self.drop(rule.member)
        self._connection.execute(
            insert(peer_rules).values(
                member=rule.member,
                rule=rule.word.value,
                signing_key_id=rule.signing_key_id,
                by=by,
                at=time_text(at),
            )
        )

    def drop(self, member: str) -> bool:
        """Take the word back; False if there was none."""
        done = self._connection.execute(delete(peer_rules).where(peer_rules.c.member == member))
        return bool(done.rowcount)
