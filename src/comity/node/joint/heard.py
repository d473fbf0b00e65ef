"""Which message of joint work is heard by what (`node.hear`)."""

from collections.abc import Callable, Mapping

from comity.backends.sql import Received, Transaction
from comity.exchange.deconflict import AGREEMENT, ANSWER, COMMITMENT, CONTACT, OPEN
from comity.node.bootstrap import Node
from comity.node.joint import operation, team
from comity.node.joint.deconflict_heard import (
    for_deconfliction,
    hear_agreement,
    hear_answer,
    hear_commitment,
    hear_contact,
    hear_open,
)
from comity.node.joint.entries import ENTRY
from comity.node.joint.space import Rules, hear

SPACES: Mapping[str, Rules] = {operation.KIND: operation.RULES, team.KIND: team.RULES}
"""What may be written in each kind of shared space."""


def hear_entry(node: Node, tx: Transaction, received: Received) -> None:
    hear(node, tx, received, SPACES)


HANDLERS: Mapping[str, Callable[[Node, Transaction, Received], None]] = {
    OPEN: for_deconfliction(hear_open),
    COMMITMENT: for_deconfliction(hear_commitment),
    ANSWER: for_deconfliction(hear_answer),
    AGREEMENT: for_deconfliction(hear_agreement),
    CONTACT: for_deconfliction(hear_contact),
    ENTRY: hear_entry,
}
"""Beside the question of deconfliction, whose answer is worked out before the transaction."""
