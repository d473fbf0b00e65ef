"""Open a matter: a draft here, which the other side hears of once it is sent."""

from collections.abc import Mapping
from typing import Any

from comity.casework.matter import Matter
from comity.casework.matter_steps import opened, refuse_readings
from comity.errors import Conflict, InputError, NotFound
from comity.law import Action, procedure
from comity.law.procedures import Procedure
from comity.model import Person, human_of
from comity.node.bootstrap import Node
from comity.node.matters.keeping import actor_of, keep, keep_text, our_reading
from comity.node.policy import require_with_matter


def open_matter(
    node: Node, *, procedure_name: str, peer: str, person: Person, fields: Mapping[str, Any],
    compact: str | None = None, case_id: str = "", matter_id: str = "",
) -> Matter:  # fmt: skip
    """Draft a request to `peer`; `fields` as far as they are known. `matter_id` lets a program try again safely.

    Raises `NotFound` (procedure, member or case), `Forbidden` (policy) or `InputError` (fields).
    """
    refuse_readings(fields)
    one = procedure(procedure_name)
    require_with_matter(
        node, Action.OPEN_MATTER, procedure=one.name, side="requesting", drafted_by="", person=person
    )
    with node.records.transaction() as tx:
        known = tx.matters.find(matter_id) if matter_id else None
        if known is not None:
            return _made_before(known, one, peer, person)
        case = tx.cases.get(case_id) if case_id else None
        name = node.compact(compact or (case.compact if case and case.compact else None)).name
        if peer == node.id or not node.knows(peer, name):
            raise NotFound.because(
                expected=f"another member of {name}", got=repr(peer),
                remedy="Name a member by its id: comity compact show DIR lists them.",
            )  # fmt: skip
        blank = _blank(node, one, name, peer, case_id, matter_id)
        given = dict(fields)
        given |= our_reading(node, one, blank, given)
        moved = opened(one, blank, actor_of(blank, person), given, at=node.clock())
        keep_text(tx, one)
        keep(node, tx, one, moved)
        return moved.matter


def _made_before(known: Matter, one: Procedure, peer: str, person: Person) -> Matter:
    """What this person opened under that id. Anybody else's, and the other side's, is not shown for the asking."""
    if (known.side, known.procedure, known.peer) != (
        "requesting",
        one.name,
        peer,
    ) or known.drafted_by != human_of(person):
        raise Conflict.because(
            expected="an id that is still free, or of what you opened",
            got=known.id,
            remedy="Choose another id.",
        )
    return known


def _blank(node: Node, one: Procedure, compact: str, peer: str, case_id: str, matter_id: str) -> Matter:
    if one.sides != "two":
        raise InputError.because(
            expected="a procedure that two nodes run together", got=one.name,
            remedy="List them: comity procedure list",
        )  # fmt: skip
    return blank(
        matter_id or node.new_id("matter"), one, compact=compact, requesting=node.id, requested=peer, ours=node,
        case_id=case_id,
    )  # fmt: skip


def blank(
    matter_id: str,
    one: Procedure,
    *,
    compact: str,
    requesting: str,
    requested: str,
    ours: Node,
    case_id: str = "",
) -> Matter:
    """A half without a step yet."""
    now = ours.clock()
    return Matter(
        id=matter_id, compact=compact, requesting=requesting, requested=requested,
        side="requesting" if requesting == ours.id else "requested", case_id=case_id, procedure=one.name,
        version=one.version, digest=one.digest, state="", chain="", facts={}, steps=(), pending=None, problem="",
        opened_at=now, updated_at=now,
    )  # fmt: skip
