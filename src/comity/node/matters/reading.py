"""Who reads a matter, and what somebody could do next. Every reading is an event."""

from collections.abc import Sequence
from dataclasses import dataclass

from comity.casework.matter import Matter, events_of, frees, leads
from comity.casework.matter_steps import taken
from comity.errors import Conflict, Forbidden, InputError
from comity.law import Action
from comity.law.procedures import Procedure
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.handling.gate import HandlingForbids, barred
from comity.node.handling.items import made_from
from comity.node.matters.keeping import actor_of, file_of, procedure_of
from comity.node.policy import require_with_matter


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An event that our people may bring about from here. `shut` says why not now (facts to state too), or is ""."""

    event: str
    target: str
    who: str
    roles: tuple[str, ...]
    records: tuple[str, ...]
    text: str
    shut: str


def get(node: Node, matter_id: str, *, person: Person) -> tuple[Matter, Procedure]:
    """The half and the text that it runs. `Forbidden` by policy, or by the obligations on what the other side told."""
    with node.records.reading() as tx:
        matter = tx.matters.get(matter_id)
        one = procedure_of(tx, matter)
        _require_read(node, matter, person)
        found = barred(
            node, tx, "read", made_from(tx, file_of(matter)), recipient=node.id, purpose=matter.procedure,
        )  # fmt: skip
    if found:
        raise HandlingForbids(found[0])
    node.append_event(
        "matter.read", case_id=file_of(matter), actor=person.id, matter=matter.id, role=person.role.value
    )
    return matter, one


def listed(node: Node, *, person: Person) -> Sequence[Matter]:
    """The halves that this person may read, in the order in which they were opened."""
    with node.records.reading() as tx:
        found = [one for one in tx.matters.all() if _may_read(node, one, person)]
    node.append_event("matter.listed", actor=person.id, role=person.role.value, count=len(found))
    return found


def openings(node: Node, matter: Matter, one: Procedure, *, person: Person) -> tuple[Opening, ...]:
    """Every event of our side from this state, and what still stands against it for this person."""
    return tuple(
        Opening(
            event=move.event, target=move.target, who=move.who, roles=move.roles, records=move.records,
            text=move.text, shut=_shut(node, matter, one, move.event, person),
        )
        for move in events_of(one, matter)
    )  # fmt: skip


def _shut(node: Node, matter: Matter, one: Procedure, event: str, person: Person) -> str:
    if matter.problem and not frees(one, matter, event):
        return f"the halves disagree: {matter.problem}"
    if matter.pending is not None and not leads(one, matter):
        return f"{matter.pending.event} waits for the other side"
    try:
        taken(one, matter, event, actor_of(matter, person), {}, at=node.clock())
    except (Conflict, Forbidden, InputError) as error:
        return str(error)
    return ""


def _require_read(node: Node, matter: Matter, person: Person) -> None:
    require_with_matter(
        node, Action.READ_MATTER, procedure=matter.procedure, side=matter.side, drafted_by=matter.drafted_by,
        person=person,
    )  # fmt: skip


def _may_read(node: Node, matter: Matter, person: Person) -> bool:
    try:
        _require_read(node, matter, person)
    except Forbidden:
        return False
    return True
