"""A person lets an event happen to a matter: at once where our side leads, else as a proposal to the other."""

from collections.abc import Mapping
from typing import Any

from comity.backends.sql import Transaction
from comity.casework.matter import Matter, frees, leads
from comity.casework.matter_steps import amended, proposed, refuse_longer, refuse_readings, taken
from comity.errors import Conflict
from comity.law import Action
from comity.law.four_eyes import others
from comity.law.procedures import Procedure
from comity.model import Person, humans_in
from comity.model.authority import FOR
from comity.node.bootstrap import Node
from comity.node.handling.gate import recording
from comity.node.matters.keeping import actor_of, file_of, keep, our_reading, procedure_of, standing_reading
from comity.node.matters.telling import propose, tell_step, try_to_tell
from comity.node.policy import require_with_matter
from comity.node.vault.screening import require_stated

EXTEND = "extend"
"""The event by which a procedure lets somebody prolong a term; the policies name it apart from other decisions."""


def decide(node: Node, matter_id: str, event: str, facts: Mapping[str, Any], *, person: Person) -> Matter:
    """Let `event` happen, or propose it. `Conflict`, `Forbidden` or `InputError`, and no change, if it may not."""
    refuse_readings(facts)
    with node.records.reading() as tx:
        matter = tx.matters.get(matter_id)
    with recording(node, file_of(matter), actor=person.id), node.records.transaction() as tx:
        matter = _decidable(node, tx, matter_id, person, event)
        one, now = procedure_of(tx, matter), node.clock()
        require_stated(node, tx, {**_asked_about(one, matter, event), **facts})
        if not leads(one, matter):
            waiting = proposed(one, matter, event, actor_of(matter, person), facts, at=now)
            tx.matters.put(waiting)
            propose(node, tx, waiting, actor=person.id)
            return waiting
        given = {**facts, **standing_reading(node, one, matter, {**matter.facts, **facts})}
        if not frees(one, matter, event):
            refuse_longer(matter, given)
        moved = taken(one, matter, event, actor_of(matter, person), given, at=now)
        keep(node, tx, one, moved)
        tell = try_to_tell if frees(one, matter, event) else tell_step
        tell(node, tx, one, moved.matter, actor=person.id)
        return moved.matter


def _asked_about(one: Procedure, matter: Matter, event: str) -> dict[str, Any]:
    """The facts stated before that the gates of this event look at: what was withdrawn since opens none."""
    gates = {
        name
        for move in one.transitions
        if (move.source, move.event) == (matter.state, event)
        for name in move.guards
    }
    tests = [test for name in gates for test in (*one.guards[name].all, *one.guards[name].any)]
    names = {test.fact.partition(".")[0] for test in tests}
    return {name: matter.facts[name] for name in names & set(matter.facts)}


def amend(node: Node, matter_id: str, fields: Mapping[str, Any], *, person: Person) -> Matter:
    """State fields anew before the matter is sent."""
    refuse_readings(fields)
    with node.records.transaction() as tx:
        matter = _decidable(node, tx, matter_id, person)
        one = procedure_of(tx, matter)
        given = {**fields, **our_reading(node, one, matter, {**matter.facts, **fields})}
        refuse_longer(matter, given)
        moved = amended(one, matter, actor_of(matter, person), given, at=node.clock())
        keep(node, tx, one, moved)
        return moved.matter


def _decidable(node: Node, tx: Transaction, matter_id: str, person: Person, event: str = "") -> Matter:
    matter = tx.matters.get(matter_id)
    earlier = others(procedure_of(tx, matter), event, matter.facts)
    drafters = humans_in(matter.drafted_by) if matter.side == "requesting" else frozenset()
    action = Action.EXTEND_MATTER if event == EXTEND else Action.DECIDE_MATTER
    require_with_matter(
        node, action, procedure=matter.procedure, side=matter.side,
        drafted_by=FOR.join(sorted(earlier | drafters)), person=person, event=event, approves=bool(earlier),
        peer=matter.peer,
        basis=matter.facts.get("basis" if matter.side == "requesting" else "requested_basis"),
    )  # fmt: skip
    if matter.problem and not frees(procedure_of(tx, matter), matter, event):
        raise Conflict.because(
            expected="a matter on which both halves agree", got=matter.problem, where=matter.id,
            remedy="Settle it with the other side first: comity request settle DIR MATTER --as NAME",
        )  # fmt: skip
    return matter
