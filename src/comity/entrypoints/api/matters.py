"""Matters: procedures that two nodes run together, each side its own half."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from comity.backends.sql import Transaction
from comity.casework import Deadline
from comity.casework.matter import Matter, leads
from comity.entrypoints.api.asked import MatterEvent, MatterFields, OpenMatter, plain
from comity.entrypoints.api.casework import OnceKey
from comity.entrypoints.api.guards import caller_of
from comity.entrypoints.api.problems import ApiRequest
from comity.entrypoints.api.routes import changing, do_once, reading
from comity.errors import Conflict
from comity.law.procedures import Procedure
from comity.model import Person
from comity.node import matters
from comity.node.bootstrap import Node
from comity.node.calls import id_for, key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterRow:
    """`side` is ours: requesting or requested. `number` is that of the last step; `problem` why the halves disagree."""

    id: str
    procedure: str
    version: int
    side: str
    peer: str
    compact: str
    case_id: str
    state: str
    number: int
    problem: str
    opened_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterStep:
    number: int
    event: str
    source: str
    target: str
    by: str
    role: str
    side: str
    at: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterPage:
    """One half. `leads`: whether our side puts the next event in order; otherwise an event of ours is proposed, and
    `pending` until the other side's step comes back. `chain` is the digest of all steps, the same on both sides.
    """

    matter: MatterRow
    digest: str
    chain: str
    text: str
    final: bool
    leads: bool
    pending: str
    facts: Mapping[str, Any]
    steps: Sequence[MatterStep]
    events: Sequence[matters.Opening]
    deadlines: Sequence[Deadline]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterTaken:
    """What became of a call: where the matter is now, and the event of ours that waits for the other side, or "".

    No facts and no steps: who may decide something (a lawyer who challenges) may not read all of it.
    """

    matter: MatterRow
    pending: str


def matter_routes(node: Node) -> list[HTTPRouteHandler]:
    return [*_reading_routes(node), *_deciding_routes(node)]


def _reading_routes(node: Node) -> list[HTTPRouteHandler]:
    @reading("/matters")
    def listed(request: ApiRequest) -> Sequence[MatterRow]:
        """The matters that this person may read, in the order in which they were opened."""
        return [_row(one) for one in matters.listed(node, person=caller_of(request).person)]

    @reading("/matters/{matter_id:str}")
    def shown(request: ApiRequest, matter_id: FromPath[str]) -> MatterPage:
        """A matter: its facts, its steps, its deadlines, and what may happen next."""
        return _page(node, matter_id, caller_of(request).person)

    @reading("/matters/{matter_id:str}/events")
    def events(request: ApiRequest, matter_id: FromPath[str]) -> Sequence[matters.Opening]:
        """The events of our side from here; `shut` says why one is not open to this person, or is empty."""
        return _page(node, matter_id, caller_of(request).person).events

    @reading("/matters/{matter_id:str}/steps")
    def steps(request: ApiRequest, matter_id: FromPath[str]) -> Sequence[MatterStep]:
        """What has happened, in order, on both sides."""
        return _page(node, matter_id, caller_of(request).person).steps

    @reading("/matters/{matter_id:str}/deadlines")
    def deadlines(request: ApiRequest, matter_id: FromPath[str]) -> Sequence[Deadline]:
        """All its deadlines, those that have passed or were met too."""
        return _page(node, matter_id, caller_of(request).person).deadlines

    return [listed, shown, events, steps, deadlines]


def _deciding_routes(node: Node) -> list[HTTPRouteHandler]:
    @changing("/matters", body=OpenMatter, status=201)
    def opened(request: ApiRequest, data: JSONBody[OpenMatter], key: OnceKey = None) -> MatterTaken:
        """Open a matter: a draft here, which the other side hears of once it is sent."""
        person = caller_of(request).person
        made = id_for(node, "matter", key_of(person.id, key)) if key is not None else node.new_id("matter")
        do_once(
            node, request, key, plain(data),
            lambda: matters.open_matter(
                node, procedure_name=data.procedure, peer=data.peer, person=person, fields=data.fields,
                compact=data.compact, case_id=data.case or "", matter_id=made,
            ),
        )  # fmt: skip
        return _taken(node, made)

    @changing("/matters/{matter_id:str}/fields", body=MatterFields)
    def amended(
        request: ApiRequest, matter_id: FromPath[str], data: JSONBody[MatterFields], key: OnceKey = None
    ) -> MatterTaken:
        """State fields anew, before it is sent."""
        person = caller_of(request).person
        do_once(
            node,
            request,
            key,
            plain(data),
            lambda: matters.amend(node, matter_id, data.fields, person=person),
        )
        return _taken(node, matter_id)

    @changing("/matters/{matter_id:str}/events", body=MatterEvent)
    def happened(
        request: ApiRequest, matter_id: FromPath[str], data: JSONBody[MatterEvent], key: OnceKey = None
    ) -> MatterTaken:
        """Let an event happen: at once where our side leads, otherwise proposed to the other side."""
        person = caller_of(request).person

        def effect() -> None:
            with node.records.reading() as tx:
                before = tx.matters.get(matter_id).number
            with node.records.with_each(lambda tx: _refuse_later(tx, matter_id, before, data.after)):
                matters.decide(node, matter_id, data.event, data.facts, person=person)

        do_once(node, request, key, plain(data), effect)
        return _taken(node, matter_id)

    return [opened, amended, happened]


def _taken(node: Node, matter_id: str) -> MatterTaken:
    """After a call that was allowed, now or when it was first made."""
    with node.records.reading() as tx:
        matter = tx.matters.get(matter_id)
    return MatterTaken(matter=_row(matter), pending=matter.pending.event if matter.pending else "")


def _refuse_later(tx: Transaction, matter_id: str, before: int, after: int | None) -> None:
    """At the end of the event's own transaction, which fails with this: it came right after the step that was known."""
    if after is None:
        return
    matter = tx.matters.get(matter_id)
    stepped = matter.number != before and matter.number != after + 1
    proposed = matter.pending is not None and matter.pending.number != after
    if stepped or proposed:
        raise Conflict.because(
            expected=f"{matter.id} after step {after}", got="more steps, or fewer",
            remedy="Read what has happened since, and decide again.",
        )  # fmt: skip


def _page(node: Node, matter_id: str, person: Person) -> MatterPage:
    matter, one = matters.get(node, matter_id, person=person)
    with node.records.reading() as tx:
        due = tuple(tx.deadlines.of_subject("matter", matter.id))
    return MatterPage(
        matter=_row(matter), digest=matter.digest, chain=matter.chain, text=_state_text(one, matter.state),
        final=matter.state in one.final, leads=leads(one, matter),
        pending=matter.pending.event if matter.pending else "", facts=matter.facts,
        steps=tuple(_steps(matter)), events=matters.openings(node, matter, one, person=person), deadlines=due,
    )  # fmt: skip


def _state_text(one: Procedure, state: str) -> str:
    return one.states[state].text


def _row(one: Matter) -> MatterRow:
    return MatterRow(
        id=one.id, procedure=one.procedure, version=one.version, side=one.side, peer=one.peer,
        compact=one.compact, case_id=one.case_id, state=one.state, number=one.number, problem=one.problem,
        opened_at=one.opened_at, updated_at=one.updated_at,
    )  # fmt: skip


def _steps(matter: Matter) -> list[MatterStep]:
    return [
        MatterStep(
            number=one.number, event=one.event, source=one.source, target=one.target, by=one.actor.by,
            role=one.actor.role, side=one.actor.side, at=one.at, facts=one.facts,
        )
        for one in matter.steps
    ]  # fmt: skip
