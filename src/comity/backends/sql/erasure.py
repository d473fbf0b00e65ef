"""Erase a case or a message: what it said goes, that it was there stays (spec/log.md §5.2).

Events keep their row, their place in the log and their entry; body and salt go. Messages keep the row that says
who sent which digest when, so that none is taken twice; what they said goes. What was worked out from them (case,
traces, requests, holds, deadlines) goes altogether. Whether any of this may happen is for `node.erase` to decide.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from comity.backends.sql.items import EMPTIED
from comity.backends.sql.joint import forget_case
from comity.backends.sql.rows import json_value, time_text
from comity.backends.sql.schema import (
    cases,
    deadlines,
    events,
    holds,
    inbox,
    items,
    legal_holds,
    matters,
    outbox,
    requests,
    retractions,
    traces,
)

DISPOSITIONS = ("case.erased", "message.erased", "case.kept", "case.released")
"""Events that say what was erased or kept, by whom and why: these are never erased themselves."""
_Message = tuple[str, str, str]
"""Compact, peer and message id: a sender chooses its ids."""
_STANDING_HOLDS = ("held", "ordered")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHold:
    """Why a case must not be erased, and who said so."""

    id: str
    case_id: str
    ground: str
    placed_by: str
    placed_at: str


class SqlLegalHolds:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def place(self, hold: LegalHold) -> None:
        self._connection.execute(
            insert(legal_holds).values(
                id=hold.id, case_id=hold.case_id, ground=hold.ground, placed_by=hold.placed_by,
                placed_at=hold.placed_at, released_by="", released_at="",
            )
        )  # fmt: skip

    def standing(self, case_id: str) -> list[LegalHold]:
        """Those of the case that are not released, oldest first."""
        rows = self._connection.execute(
            select(legal_holds)
            .where(legal_holds.c.case_id == case_id, legal_holds.c.released_at == "")
            .order_by(legal_holds.c.placed_at, legal_holds.c.id)
        )
        return [
            LegalHold(
                id=row.id, case_id=row.case_id, ground=row.ground, placed_by=row.placed_by,
                placed_at=row.placed_at,
            )
            for row in rows
        ]  # fmt: skip

    def release(self, case_id: str, *, by: str, at: datetime) -> int:
        """Release every standing one of the case; return how many there were."""
        return self._connection.execute(
            update(legal_holds)
            .where(legal_holds.c.case_id == case_id, legal_holds.c.released_at == "")
            .values(released_by=by, released_at=time_text(at))
        ).rowcount


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How much was erased."""

    events: int
    messages: int


class SqlErasure:
    """`secure_delete` is on while it works; what copies of the bytes the file still has, `scrub` removes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unfinished(self, case_id: str) -> list[str]:
        """What of the case still runs, in words: nothing of it may be erased until that has ended."""
        found = [
            (self._count(holds.c.case_id == case_id, holds.c.state.in_(_STANDING_HOLDS)), "holds that stand"),
            (
                self._count(outbox.c.case_id == case_id, outbox.c.state == "queued"),
                "messages to be delivered",
            ),
            (self._count(inbox.c.case_id == case_id, inbox.c.state == "received"), "messages to be heard"),
        ]
        return [f"{count} {what}" for count, what in found if count]

    def erase_case(self, case_id: str) -> Erased:
        self._secure()
        said = self._messages_of(inbox.c.case_id == case_id, outbox.c.case_id == case_id)
        done = Erased(
            events=self._erase_events(events.c.case_id == case_id)
            + self._erase_each(self._mentions(said, of_no_case=True)),
            messages=self._empty_messages(inbox.c.case_id == case_id, outbox.c.case_id == case_id),
        )
        self._connection.execute(
            update(items).where(items.c.case_id == case_id, items.c.state == "held").values(state="expired")
        )
        self._forget(case_id)
        return done

    def case_of_message(self, peer: str, message_id: str) -> tuple[str, str] | None:
        """Case and state of a message to or from `peer`; None if there is none."""
        for table, other in ((inbox, inbox.c.sender), (outbox, outbox.c.peer)):
            row = self._connection.execute(
                select(table.c.case_id, table.c.state).where(other == peer, table.c.id == message_id)
            ).first()
            if row is not None:
                return row.case_id, row.state
        return None

    def cases_touched(self, peer: str, message_id: str) -> list[str]:
        """Every case of which something goes where that message is erased: its own, and those of its events."""
        received, sent = _exchanged(peer, message_id)
        found = set(self._connection.execute(select(inbox.c.case_id).where(received)).scalars())
        found |= set(self._connection.execute(select(outbox.c.case_id).where(sent)).scalars())
        for seq in self._mentions(self._messages_of(received, sent)):
            of = select(events.c.case_id).where(events.c.seq == seq)
            found |= set(self._connection.execute(of).scalars())
        return sorted(found - {""})

    def erase_message(self, peer: str, message_id: str) -> Erased:
        self._secure()
        received, sent = _exchanged(peer, message_id)
        said = (retractions.c.item == message_id) | (retractions.c.told_in == message_id)
        self._connection.execute(delete(retractions).where(said, _theirs_or_ours(peer)))
        return Erased(
            events=self._erase_each(self._mentions(self._messages_of(received, sent))),
            messages=self._empty_messages(received, sent),
        )

    def accounted(self) -> tuple[int, list[int]]:
        """How many events are erased, and their places, oldest first."""
        rows = self._connection.execute(
            select(events.c.log_index).where(events.c.body.is_(None)).order_by(events.c.log_index)
        )
        places = list(rows.scalars())
        return len(places), places

    def _messages_of(self, received: ColumnElement[bool], sent: ColumnElement[bool]) -> list[_Message]:
        came = select(inbox.c.compact, inbox.c.sender, inbox.c.id).where(received)
        went = select(outbox.c.compact, outbox.c.peer, outbox.c.id).where(sent)
        rows = [*self._connection.execute(came), *self._connection.execute(went)]
        return [(row[0], row[1], row[2]) for row in rows]

    def _erase_events(self, where: ColumnElement[bool]) -> int:
        return self._connection.execute(
            update(events)
            .where(where, events.c.body.is_not(None), events.c.kind.not_in(DISPOSITIONS))
            .values(body=None, salt=None)
        ).rowcount

    def _erase_each(self, places: Collection[int]) -> int:
        return sum(self._erase_events(events.c.seq == seq) for seq in places)

    def _mentions(self, said: Collection[_Message], *, of_no_case: bool = False) -> list[int]:
        """Places of the events that name one of these messages together with its peer.

        A message's id is its sender's choice: it counts where an event names a message, and with that peer only.
        """
        wanted = {*said, *(("", peer, message_id) for _, peer, message_id in said)}
        query = select(events.c.seq, events.c.body).where(
            events.c.body.is_not(None), events.c.kind.not_in(DISPOSITIONS)
        )
        if of_no_case:
            query = query.where(events.c.case_id == "")
        if not wanted:
            return []
        rows = self._connection.execute(query).all()
        return [seq for seq, body in rows if not wanted.isdisjoint(_named_in(json_value(body)))]

    def _empty_messages(self, received: ColumnElement[bool], sent: ColumnElement[bool]) -> int:
        emptied = self._connection.execute(
            update(inbox).where(received, inbox.c.message.is_not(None)).values(**EMPTIED)
        ).rowcount
        return (
            emptied
            + self._connection.execute(
                update(outbox)
                .where(sent, outbox.c.state != "queued", func.length(outbox.c.wire) > 0)
                .values(wire=b"", last_error="")
            ).rowcount
        )

    def _forget(self, case_id: str) -> None:
        """What was worked out: no row of it is needed any more."""
        subjects = [case_id]
        for table in (requests, holds, matters):
            subjects += self._connection.execute(
                select(table.c.id).where(table.c.case_id == case_id)
            ).scalars()
        self._connection.execute(delete(deadlines).where(deadlines.c.subject_id.in_(subjects)))
        for table in (holds, matters, requests, retractions, traces):
            self._connection.execute(delete(table).where(table.c.case_id == case_id))
        self._connection.execute(delete(matters).where(matters.c.id == case_id))  # of no case
        forget_case(self._connection, case_id)
        self._connection.execute(delete(cases).where(cases.c.id == case_id))

    def _count(self, *where: ColumnElement[bool]) -> int:
        return int(self._connection.execute(select(func.count()).where(*where)).scalar_one())

    def _secure(self) -> None:
        if self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql("PRAGMA secure_delete=ON").close()


def _theirs_or_ours(peer: str) -> ColumnElement[bool]:
    return (retractions.c.direction == "out") | (retractions.c.originator == peer)


def _exchanged(peer: str, message_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        (inbox.c.sender == peer) & (inbox.c.id == message_id),
        (outbox.c.peer == peer) & (outbox.c.id == message_id),
    )


def _named_in(event: Mapping[str, Any]) -> Iterator[_Message]:
    """Every message that an event names: by whom, from or to whom, and which. An empty compact: it does not say."""
    body = event["body"]
    several = [one for key in ("peers", "told") if isinstance(body.get(key), list) for one in body[key]]
    peers = [one for one in (event["actor"], body.get("peer"), *several) if isinstance(one, str)]
    for key in ("message", "item", "told_in"):
        named = body.get(key)
        if isinstance(named, str):
            yield from ((str(body.get("compact", "")), peer, named) for peer in peers)
