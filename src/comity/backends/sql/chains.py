"""The chain of messages from or to each peer in each compact: its last place and digest, moved with each message."""

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    insert,
    select,
    update,
)

from comity.backends.sql.prepared import Prepared
from comity.backends.sql.schema import chains
from comity.exchange import NO_PREVIOUS

_CHAIN = and_(
    chains.c.compact == bindparam("c"), chains.c.peer == bindparam("p"), chains.c.direction == bindparam("d")
)
_FIND_END = Prepared(select(chains.c.sequence, chains.c.digest).where(_CHAIN))
_MOVE_END = Prepared(update(chains).where(_CHAIN).values(sequence=bindparam("s"), digest=bindparam("g")))


def chain_end(connection: Connection, compact: str, peer: str, direction: str) -> tuple[int, str]:
    row = _FIND_END(connection, c=compact, p=peer, d=direction).one_or_none()
    return (0, NO_PREVIOUS) if row is None else (row.sequence, row.digest)


def extend_chain(
    connection: Connection, compact: str, peer: str, direction: str, sequence: int, digest: str
) -> None:
    changed = _MOVE_END(connection, c=compact, p=peer, d=direction, s=sequence, g=digest)
    if changed.rowcount == 0:
        connection.execute(
            insert(chains).values(
                compact=compact, peer=peer, direction=direction, sequence=sequence, digest=digest
            )
        )
