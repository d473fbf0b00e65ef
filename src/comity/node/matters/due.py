"""A deadline of a matter comes due: the side that leads lets it happen; the other records that it passed."""

from comity.backends.sql import Transaction
from comity.casework import Deadline
from comity.casework.matter import leads
from comity.casework.matter_steps import taken
from comity.node.bootstrap import Node
from comity.node.matters.keeping import clock_of, keep, procedure_of, standing_reading
from comity.node.matters.telling import try_to_tell


def come_due(node: Node, tx: Transaction, deadline: Deadline) -> None:
    """Also where the halves disagree: a hold or a detention ends though nobody agrees about anything any more."""
    matter = tx.matters.get(deadline.subject_id)
    one = procedure_of(tx, matter)
    if not leads(one, matter):
        return
    facts = standing_reading(node, one, matter, matter.facts)
    moved = taken(one, matter, deadline.event, clock_of(matter), facts, at=node.clock())
    keep(node, tx, one, moved, since=deadline.due_at)
    try_to_tell(node, tx, one, moved.matter, actor="node")
