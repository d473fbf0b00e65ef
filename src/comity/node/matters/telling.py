"""What the two halves of a matter say to each other: `matter.*` messages (spec/matter.md §4)."""

from typing import Any

from comity.backends.sql import Transaction
from comity.casework.matter import Matter, lead_of, was_sent
from comity.casework.matter_documents import proposal_document, step_document
from comity.errors import ComityError, StorageError
from comity.law.procedures import Procedure
from comity.node.bootstrap import Node
from comity.node.matters.keeping import file_of
from comity.node.post.send import Letter, send

STORY, STEP, PROPOSAL, DECLINED, BEHIND, DISPUTED = (
    "matter.story", "matter.step", "matter.proposal", "matter.declined", "matter.behind", "matter.disputed",
)  # fmt: skip
"""All steps so far; one more; an event proposed; and not taken; please tell the story; we disagree."""


def tell_step(node: Node, tx: Transaction, one: Procedure, matter: Matter, *, actor: str) -> None:
    """The other side hears of our latest step: of all before too, if it is the first that it hears of."""
    if not was_sent(one, matter):
        return
    states = [one.initial, *(step.target for step in matter.steps[:-1])]
    if any(lead_of(one, state) == "requested" for state in states):
        _tell(node, tx, matter, STEP, {"step": step_document(matter.steps[-1])}, actor=actor)
    else:
        tell_story(node, tx, matter, actor=actor)


def try_to_tell(node: Node, tx: Transaction, one: Procedure, matter: Matter, *, actor: str) -> None:
    """`tell_step`, where a member that has left, or that bars us, keeps nothing from ending here: that is an alarm."""
    try:
        tell_step(node, tx, one, matter, actor=actor)
    except StorageError:
        raise
    except ComityError as error:
        node.record(
            tx, "alarm.matter-untold", case_id=file_of(matter), actor=actor, peer=matter.peer, matter=matter.id,
            state=matter.state, problem=str(error)[:500],
        )  # fmt: skip


def tell_story(node: Node, tx: Transaction, matter: Matter, *, actor: str) -> None:
    steps = [step_document(one) for one in matter.steps]
    about = {
        "requesting": matter.requesting, "requested": matter.requested, "procedure": matter.procedure,
        "version": matter.version, "digest": matter.digest, "steps": steps,
    }  # fmt: skip
    _tell(node, tx, matter, STORY, about, actor=actor)


def propose(node: Node, tx: Transaction, matter: Matter, *, actor: str) -> None:
    if matter.pending is None:
        return
    node.record(
        tx, "matter.proposed", case_id=file_of(matter), actor=actor, matter=matter.id, peer=matter.peer,
        event=matter.pending.event, facts=dict(matter.pending.facts),
    )  # fmt: skip
    _tell(node, tx, matter, PROPOSAL, {"proposal": proposal_document(matter.pending)}, actor=actor)


def decline(node: Node, tx: Transaction, matter: Matter, event: str, problem: str) -> None:
    node.record(
        tx, "matter.declined", case_id=file_of(matter), actor="node", matter=matter.id, peer=matter.peer,
        event=event, problem=problem[:500],
    )  # fmt: skip
    _tell(node, tx, matter, DECLINED, {"event": event, "problem": problem[:500]}, actor="node")


def ask_for_story(node: Node, tx: Transaction, matter: Matter) -> None:
    _tell(node, tx, matter, BEHIND, {}, actor="node")


def dispute(node: Node, tx: Transaction, matter: Matter, problem: str) -> None:
    _tell(node, tx, matter, DISPUTED, {"problem": problem[:500]}, actor="node")


def _tell(
    node: Node, tx: Transaction, matter: Matter, type_: str, about: dict[str, Any], *, actor: str
) -> None:
    letter = Letter(
        compact=matter.compact, peer=matter.peer, type=type_, case_id=file_of(matter), purpose=matter.procedure,
        legal_basis=_instrument(matter),
        payload={"matter": matter.id, "number": matter.number, "chain": matter.chain, **about},
    )  # fmt: skip
    send(node, tx, letter, actor=actor)


def _instrument(matter: Matter) -> str:
    basis = matter.facts.get("basis")
    return str(basis.get("instrument", ""))[:200] if isinstance(basis, dict) else ""
