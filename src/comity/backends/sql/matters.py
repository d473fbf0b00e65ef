"""Matters and the texts of the procedures that they run: `comity.casework.ports` on SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from comity.backends.sql.rows import json_bytes, json_value, time_text, time_value
from comity.backends.sql.schema import matters, procedure_texts
from comity.casework.matter import Matter
from comity.casework.matter_documents import (
    proposal_document,
    read_proposal,
    read_steps,
    step_document,
)
from comity.errors import NotFound


class SqlMatters:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, matter: Matter) -> None:
        values = {
            "compact": matter.compact, "requesting": matter.requesting, "requested": matter.requested,
            "side": matter.side, "case_id": matter.case_id, "procedure": matter.procedure,
            "version": matter.version, "digest": matter.digest, "state": matter.state, "chain": matter.chain,
            "facts": json_bytes(matter.facts), "steps": json_bytes([step_document(one) for one in matter.steps]),
            "pending": json_bytes(proposal_document(matter.pending)) if matter.pending else None,
            "problem": matter.problem, "opened_at": time_text(matter.opened_at),
            "updated_at": time_text(matter.updated_at),
        }  # fmt: skip
        changed = self._connection.execute(update(matters).where(matters.c.id == matter.id).values(**values))
        if changed.rowcount == 0:
            self._connection.execute(insert(matters).values(id=matter.id, **values))

    def find(self, matter_id: str) -> Matter | None:
        row = self._connection.execute(select(matters).where(matters.c.id == matter_id)).one_or_none()
        return None if row is None else _matter(row)

    def get(self, matter_id: str) -> Matter:
        found = self.find(matter_id)
        if found is None:
            raise NotFound.because(
                expected="a matter of this node",
                got=repr(matter_id),
                remedy="List them: comity request list DIR",
            )
        return found

    def of_case(self, case_id: str) -> Sequence[Matter]:
        return self._all(select(matters).where(matters.c.case_id == case_id))

    def all(self) -> Sequence[Matter]:
        """In the order in which they were opened."""
        return self._all(select(matters))

    def _all(self, query: Any) -> Sequence[Matter]:
        rows = self._connection.execute(query.order_by(matters.c.opened_at, matters.c.id))
        return [_matter(row) for row in rows]


class SqlProcedureTexts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, *, digest: str, name: str, version: int, text: str) -> None:
        if self.find(digest) is None:
            self._connection.execute(
                insert(procedure_texts).values(digest=digest, name=name, version=version, text=text)
            )

    def find(self, digest: str) -> str | None:
        query = select(procedure_texts.c.text).where(procedure_texts.c.digest == digest)
        return self._connection.execute(query).scalar_one_or_none()


def _matter(row: Row[Any]) -> Matter:
    pending = json_value(row.pending)
    return Matter(
        id=row.id, compact=row.compact, requesting=row.requesting, requested=row.requested, side=row.side,
        case_id=row.case_id, procedure=row.procedure, version=row.version, digest=row.digest, state=row.state,
        chain=row.chain, facts=json_value(row.facts), steps=read_steps(json_value(row.steps)),
        pending=read_proposal(pending) if pending else None, problem=row.problem,
        opened_at=time_value(row.opened_at), updated_at=time_value(row.updated_at),
    )  # fmt: skip
