"""Joint work: targets, rounds and hits of deconfliction, and the spaces that members share."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, func, insert, select, update

from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import (
    inbox,
    joint_entries,
    joint_hits,
    joint_rounds,
    joint_spaces,
    joint_targets,
)
from comity.casework.joint import Entry, Heard, Space
from comity.casework.joint_identifiers import Identifier
from comity.casework.joint_rounds import Hit, Round, Target
from comity.errors import NotFound


class SqlTargets:
    """`comity.casework.ports.TargetStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_target(self, target: Target) -> None:
        """List it, or for longer where the same is listed in the same case."""
        same = and_(
            joint_targets.c.compact == target.compact, joint_targets.c.kind == target.identifier.kind,
            joint_targets.c.value == target.identifier.value, joint_targets.c.case_id == target.case_id,
        )  # fmt: skip
        values = {
            "purpose": target.purpose, "listed_by": target.listed_by, "at": time_text(target.at),
            "until": time_text(target.until),
        }  # fmt: skip
        new = {
            "id": target.id, "compact": target.compact, "kind": target.identifier.kind,
            "value": target.identifier.value, "case_id": target.case_id,
        }  # fmt: skip
        _put(self._connection, joint_targets, same, new, values)

    def listed(self, compact: str, now: datetime) -> Sequence[Target]:
        rows = self._connection.execute(
            select(joint_targets)
            .where(joint_targets.c.compact == compact, joint_targets.c.until > time_text(now))
            .order_by(joint_targets.c.at, joint_targets.c.id)
        )
        return [_target(row) for row in rows]

    def all(self) -> Sequence[Target]:
        rows = self._connection.execute(
            select(joint_targets).order_by(joint_targets.c.at, joint_targets.c.id)
        )
        return [_target(row) for row in rows]

    def said_in(self, compact: str, sender: str, message_id: str) -> str:
        """What a peer's message said, as JSON text; empty once it is erased."""
        found = select(inbox.c.message).where(
            inbox.c.compact == compact, inbox.c.sender == sender, inbox.c.id == message_id
        )
        message = json_value(self._connection.execute(found).scalar_one_or_none())
        return "" if message is None else json.dumps(message["payload"], ensure_ascii=False)

    def put_round(self, one: Round) -> None:
        same = _round_named(one.direction, one.peer, one.id)
        values = {
            "state": one.state, "secret": json_bytes(dict(one.secret)), "openings": json_bytes(dict(one.openings)),
            "wanted": json_bytes(list(one.wanted)),
        }  # fmt: skip
        new = {
            "id": one.id, "direction": one.direction, "peer": one.peer, "compact": one.compact,
            "purpose": one.purpose, "at": time_text(one.at), "expires_at": time_text(one.expires_at),
        }  # fmt: skip
        _put(self._connection, joint_rounds, same, new, values)

    def round(self, direction: str, peer: str, round_id: str) -> Round | None:
        found = select(joint_rounds).where(_round_named(direction, peer, round_id))
        row = self._connection.execute(found).one_or_none()
        return None if row is None else _round(row)

    def rounds_since(self, direction: str, peer: str, since: datetime) -> int:
        found = select(func.count()).where(
            joint_rounds.c.direction == direction, joint_rounds.c.peer == peer,
            joint_rounds.c.at > time_text(since),
        )  # fmt: skip
        return int(self._connection.execute(found).scalar_one())

    def rounds(self) -> Sequence[Round]:
        rows = self._connection.execute(select(joint_rounds).order_by(joint_rounds.c.at, joint_rounds.c.id))
        return [_round(row) for row in rows]

    def put_hit(self, hit: Hit) -> None:
        same = and_(joint_hits.c.peer == hit.peer, joint_hits.c.reference == hit.reference)
        values = {
            "ours_at": _perhaps(hit.ours_at), "ours_by": hit.ours_by, "contact": hit.contact,
            "theirs_at": _perhaps(hit.theirs_at), "told": json_bytes(dict(hit.told)),
        }  # fmt: skip
        new = {
            "reference": hit.reference, "peer": hit.peer, "round": hit.round, "compact": hit.compact,
            "target": hit.target, "case_id": hit.case_id, "opening": hit.opening, "behind": hit.behind,
            "at": time_text(hit.at), "expires_at": time_text(hit.expires_at),
        }  # fmt: skip
        _put(self._connection, joint_hits, same, new, values)

    def hit(self, peer: str, reference: str) -> Hit | None:
        found = select(joint_hits).where(joint_hits.c.peer == peer, joint_hits.c.reference == reference)
        row = self._connection.execute(found).one_or_none()
        return None if row is None else _hit(row)

    def hits(self) -> Sequence[Hit]:
        rows = self._connection.execute(select(joint_hits).order_by(joint_hits.c.at, joint_hits.c.reference))
        return [_hit(row) for row in rows]


class SqlSpaces:
    """Operations and teams, and what their members wrote there. Entries are never changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, space: Space) -> None:
        self._connection.execute(
            insert(joint_spaces).values(
                id=space.id, kind=space.kind, compact=space.compact, founder=space.founder,
                members=json_bytes(list(space.members)), founding=space.founding,
                opened_at=time_text(space.opened_at),
            )
        )  # fmt: skip

    def find(self, space_id: str) -> Space | None:
        row = self._connection.execute(
            select(joint_spaces).where(joint_spaces.c.id == space_id)
        ).one_or_none()
        return None if row is None else _space(row)

    def get(self, space_id: str, kind: str) -> Space:
        found = self.find(space_id)
        if found is None or found.kind != kind:
            raise NotFound.because(
                expected=f"one of this node's {kind}s", got=repr(space_id),
                remedy=f"List them: comity {kind} list DIR",
            )  # fmt: skip
        return found

    def all(self, kind: str) -> Sequence[Space]:
        rows = self._connection.execute(
            select(joint_spaces).where(joint_spaces.c.kind == kind).order_by(joint_spaces.c.opened_at)
        )
        return [_space(row) for row in rows]

    def write(self, heard: Heard, *, own: bool) -> None:
        """A peer's is kept in its message alone, so that it goes when that is erased."""
        entry = heard.entry
        self._connection.execute(
            insert(joint_entries).values(
                space=entry.space, author=entry.author, number=entry.number, kind=entry.kind,
                digest=entry.digest, message_id=heard.message_id,
                entry=json_bytes(entry.document) if own else None, heard_at=time_text(heard.at),
            )
        )  # fmt: skip

    def entries(self, space: Space) -> Sequence[Heard]:
        """In the order in which they came to be known here."""
        message = and_(
            inbox.c.compact == space.compact, inbox.c.sender == joint_entries.c.author,
            inbox.c.id == joint_entries.c.message_id,
        )  # fmt: skip
        rows = self._connection.execute(
            select(joint_entries, inbox.c.message)
            .select_from(joint_entries.outerjoin(inbox, message))
            .where(joint_entries.c.space == space.id)
            .order_by(joint_entries.c.heard_at, joint_entries.c.author, joint_entries.c.number)
        )
        return [_heard(row) for row in rows]


def _put(
    connection: Connection,
    table: Table,
    same: ColumnElement[bool],
    new: dict[str, Any],
    values: dict[str, Any],
) -> None:
    if connection.execute(update(table).where(same).values(**values)).rowcount == 0:
        connection.execute(insert(table).values(**new, **values))


def forget_case(connection: Connection, case_id: str) -> None:
    """What a case had listed and found goes with it."""
    for table in (joint_targets, joint_hits):
        connection.execute(delete(table).where(table.c.case_id == case_id))


def _round_named(direction: str, peer: str, round_id: str) -> ColumnElement[bool]:
    return and_(
        joint_rounds.c.direction == direction, joint_rounds.c.peer == peer, joint_rounds.c.id == round_id
    )


def _perhaps(at: datetime | None) -> str:
    return "" if at is None else time_text(at)


def _target(row: Row[Any]) -> Target:
    return Target(
        id=row.id, compact=row.compact, identifier=Identifier(kind=row.kind, value=row.value),
        case_id=row.case_id, purpose=row.purpose, listed_by=row.listed_by, at=time_value(row.at),
        until=time_value(row.until),
    )  # fmt: skip


def _round(row: Row[Any]) -> Round:
    return Round(
        id=row.id, direction=row.direction, compact=row.compact, peer=row.peer, state=row.state,
        purpose=row.purpose, wanted=tuple(json_value(row.wanted)), secret=json_value(row.secret),
        openings=json_value(row.openings), at=time_value(row.at), expires_at=time_value(row.expires_at),
    )  # fmt: skip


def _hit(row: Row[Any]) -> Hit:
    return Hit(
        reference=row.reference, round=row.round, compact=row.compact, peer=row.peer, target=row.target,
        case_id=row.case_id, opening=row.opening, behind=row.behind, at=time_value(row.at),
        expires_at=time_value(row.expires_at), ours_at=time_value(row.ours_at) if row.ours_at else None,
        ours_by=row.ours_by, contact=row.contact,
        theirs_at=time_value(row.theirs_at) if row.theirs_at else None, told=json_value(row.told),
    )  # fmt: skip


def _space(row: Row[Any]) -> Space:
    return Space(
        id=row.id, kind=row.kind, compact=row.compact, founder=row.founder,
        members=tuple(json_value(row.members)), founding=row.founding, opened_at=time_value(row.opened_at),
    )  # fmt: skip


def _heard(row: Row[Any]) -> Heard:
    message = json_value(row.message)
    document = json_value(row.entry) or (message or {}).get("payload")
    if document is not None:
        entry = Entry.of(document)
    else:
        entry = Entry(
            space=row.space, author=row.author, number=row.number, kind=row.kind, previous="", founding="", seen={},
            at=time_value(row.heard_at), by="", body={}, digest=row.digest,
        )  # fmt: skip
    return Heard(entry=entry, message_id=row.message_id, at=time_value(row.heard_at), gone=document is None)
