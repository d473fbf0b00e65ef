"""Cases, their traces and requests: `comity.casework.ports` on SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from comity.backends.sql.prepared import Prepared
from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import cases, requests, traces
from comity.casework import Case, CaseTrace, Request
from comity.errors import NotFound
from comity.tracing.chokes import choke_document, read_choke
from comity.tracing.documents import crossing_document, read_crossing
from comity.tracing.results import move_document, read_move, read_result, result_document

_FIND = Prepared(select(cases).where(cases.c.id == bindparam("i")))


class SqlCases:
    """`news` says whether this transaction gave the node a case to follow."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.news = False

    def add(self, case: Case) -> None:
        self.news = self.news or case.pursuit_wanted > case.pursuit_done
        self._connection.execute(
            insert(cases).values(
                id=case.id, compact=case.compact, origin=case.origin, origin_case=case.origin_case, title=case.title,
                summary=case.summary, offence=case.offence, rule=case.rule, report=json_bytes(case.report),
                reported_at=time_text(case.reported_at), opened_at=time_text(case.opened_at),
                pursuit_wanted=case.pursuit_wanted, pursuit_done=case.pursuit_done,
            )
        )  # fmt: skip

    def get(self, case_id: str) -> Case:
        row = self._connection.execute(select(cases).where(cases.c.id == case_id)).one_or_none()
        if row is None:
            raise NotFound.because(expected="a case of this node", got=repr(case_id))
        return _case(row)

    def find(self, case_id: str) -> Case | None:
        """That case; None where there is none, or it was erased."""
        row = _FIND(self._connection, i=case_id).one_or_none()
        return None if row is None else _case(row)

    def of_origin(self, origin: str, origin_case: str) -> Case | None:
        row = self._connection.execute(
            select(cases).where(cases.c.origin == origin, cases.c.origin_case == origin_case)
        ).one_or_none()
        return None if row is None else _case(row)

    def opened_since(self, origin: str, since: datetime) -> int:
        """How many cases of `origin` were opened here since then."""
        count = select(func.count()).where(cases.c.origin == origin, cases.c.opened_at >= time_text(since))
        return int(self._connection.execute(count).scalar_one())

    def all(self) -> Sequence[Case]:
        rows = self._connection.execute(select(cases).order_by(cases.c.opened_at.desc(), cases.c.id))
        return [_case(row) for row in rows]

    def to_pursue(self) -> Sequence[Case]:
        rows = self._connection.execute(
            select(cases)
            .where(cases.c.pursuit_done < cases.c.pursuit_wanted)
            .order_by(cases.c.opened_at, cases.c.id)
        )
        return [_case(row) for row in rows]

    def want_pursuit(self, case_id: str) -> None:
        self.news = True
        self._connection.execute(
            update(cases).where(cases.c.id == case_id).values(pursuit_wanted=cases.c.pursuit_wanted + 1)
        )

    def pursued(self, case_id: str, upto: int) -> None:
        self._connection.execute(
            update(cases).where(cases.c.id == case_id, cases.c.pursuit_done < upto).values(pursuit_done=upto)
        )

    def enter(self, case_id: str, compact: str) -> None:
        """Pursue a case that was in no compact in this one from now on."""
        self._connection.execute(
            update(cases).where(cases.c.id == case_id, cases.c.compact == "").values(compact=compact)
        )

    def put_trace(self, trace: CaseTrace) -> None:
        key = (traces.c.case_id == trace.case_id) & (traces.c.source == trace.source)
        self._connection.execute(delete(traces).where(key))
        self._connection.execute(
            insert(traces).values(
                case_id=trace.case_id, source=trace.source, at=time_text(trace.at),
                inflows=json_bytes([crossing_document(crossing) for crossing in trace.inflows]),
                result=json_bytes(result_document(trace.trace)),
                moves=json_bytes([move_document(move) for move in trace.moves]), book=trace.book,
                chokes=json_bytes([choke_document(point) for point in trace.chokes]),
            )
        )  # fmt: skip

    def drop_trace(self, case_id: str, source: str) -> None:
        """What a peer told us of its book is taken back."""
        self._connection.execute(
            delete(traces).where((traces.c.case_id == case_id) & (traces.c.source == source))
        )

    def traces(self, case_id: str) -> Sequence[CaseTrace]:
        rows = self._connection.execute(
            select(traces).where(traces.c.case_id == case_id).order_by(traces.c.source)
        )
        return [
            CaseTrace(
                case_id=row.case_id, source=row.source, at=time_value(row.at),
                inflows=tuple(read_crossing(crossing) for crossing in json_value(row.inflows)),
                trace=read_result(json_value(row.result)),
                moves=tuple(read_move(move) for move in json_value(row.moves)),
                chokes=tuple(read_choke(point) for point in json_value(row.chokes)), book=row.book,
            )
            for row in rows
        ]  # fmt: skip


class SqlRequests:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, request: Request) -> None:
        values: dict[str, Any] = {
            "case_id": request.case_id, "direction": request.direction, "procedure": request.procedure,
            "peer": request.peer, "state": request.state, "message_id": request.message_id,
            "drafted_by": request.drafted_by, "unmatched": request.unmatched, "basis": json_bytes(request.basis),
            "payload": json_bytes(request.payload),
            "answer": None if request.answer is None else json_bytes(request.answer),
            "refusal": None if request.refusal is None else json_bytes(request.refusal),
            "created_at": time_text(request.created_at), "updated_at": time_text(request.updated_at),
        }  # fmt: skip
        changed = self._connection.execute(
            update(requests).where(requests.c.id == request.id).values(**values)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(requests).values(id=request.id, **values))

    def get(self, request_id: str) -> Request:
        row = self._connection.execute(select(requests).where(requests.c.id == request_id)).one_or_none()
        if row is None:
            raise NotFound.because(expected="a request of this node", got=repr(request_id))
        return _request(row)

    def by_message(self, peer: str, message_id: str) -> Request | None:
        row = self._connection.execute(
            select(requests).where(
                requests.c.peer == peer,
                requests.c.message_id == message_id,
                requests.c.direction == "in",
            )
        ).one_or_none()
        return None if row is None else _request(row)

    def sent_in(self, message_id: str) -> Sequence[Request]:
        """Requests of ours that this message of ours was."""
        rows = self._connection.execute(
            select(requests).where(requests.c.message_id == message_id, requests.c.direction == "out")
        )
        return [_request(row) for row in rows]

    def of_case(self, case_id: str) -> Sequence[Request]:
        rows = self._connection.execute(
            select(requests)
            .where(requests.c.case_id == case_id)
            .order_by(requests.c.created_at, requests.c.id)
        )
        return [_request(row) for row in rows]

    def received_since(self, case_id: str, peer: str, since: datetime) -> int:
        """How many requests of `peer` in this case arrived since then."""
        count = select(func.count()).where(
            requests.c.case_id == case_id, requests.c.peer == peer, requests.c.direction == "in",
            requests.c.created_at >= time_text(since),
        )  # fmt: skip
        return int(self._connection.execute(count).scalar_one())

    def received_of(self, peer: str, since: datetime) -> tuple[int, int]:
        """How many requests of `peer` arrived since then, in all its cases, and the `unmatched` of them together."""
        both = select(func.count(), func.coalesce(func.sum(requests.c.unmatched), 0)).where(
            requests.c.peer == peer,
            requests.c.direction == "in",
            requests.c.created_at >= time_text(since),
        )
        count, unmatched = self._connection.execute(both).one()
        return int(count), int(unmatched)

    def all(self) -> Sequence[Request]:
        rows = self._connection.execute(select(requests).order_by(requests.c.created_at, requests.c.id))
        return [_request(row) for row in rows]


def _case(row: Row[Any]) -> Case:
    return Case(
        id=row.id, compact=row.compact, origin=row.origin, origin_case=row.origin_case, title=row.title,
        summary=row.summary, offence=row.offence, rule=row.rule, report=json_value(row.report),
        reported_at=time_value(row.reported_at), opened_at=time_value(row.opened_at),
        pursuit_wanted=row.pursuit_wanted, pursuit_done=row.pursuit_done,
    )  # fmt: skip


def _request(row: Row[Any]) -> Request:
    return Request(
        id=row.id, case_id=row.case_id, direction=cast(Any, row.direction), procedure=row.procedure,
        peer=row.peer, state=row.state, message_id=row.message_id, drafted_by=row.drafted_by,
        basis=json_value(row.basis), payload=json_value(row.payload), answer=json_value(row.answer),
        refusal=json_value(row.refusal), created_at=time_value(row.created_at),
        updated_at=time_value(row.updated_at), unmatched=row.unmatched,
    )  # fmt: skip
