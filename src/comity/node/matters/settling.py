"""Settle a disagreement: people of both sides have looked; the side that follows asks for the whole story again."""

from dataclasses import replace

from comity.casework.matter import Matter, leads
from comity.errors import Conflict
from comity.law import Action
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.matters.keeping import file_of, procedure_of
from comity.node.matters.telling import ask_for_story
from comity.node.policy import require_with_matter


def settle(node: Node, matter_id: str, *, reason: str, person: Person) -> Matter:
    """Go on with a disputed matter. Each side does so for its half; a story that still differs is disputed again."""
    with node.records.transaction() as tx:
        matter = tx.matters.get(matter_id)
        require_with_matter(
            node, Action.DECIDE_MATTER, procedure=matter.procedure, side=matter.side, drafted_by="", person=person,
            event="settle", peer=matter.peer,
        )  # fmt: skip
        if not matter.problem:
            raise Conflict.because(
                expected="a matter on which the halves disagree", got=f"{matter.id}, in order"
            )
        node.record(
            tx, "matter.settled", case_id=file_of(matter), actor=person.id, matter=matter.id, peer=matter.peer,
            problem=matter.problem[:500], reason=reason,
        )  # fmt: skip
        matter = replace(matter, problem="", updated_at=node.clock())
        tx.matters.put(matter)
        if not leads(procedure_of(tx, matter), matter):
            ask_for_story(node, tx, matter)
        return matter
