"""What every step of a matter has in common: its procedure as it began, its row, its deadlines and its event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from comity.backends.sql import Transaction
from comity.casework.matter import CLOCK, Actor, Matter, Moved, Taken, lead_of
from comity.casework.running import Subject, rows
from comity.errors import InputError, NotFound
from comity.law import procedure
from comity.law.procedure_files import parse_procedure, text_of
from comity.law.procedures import Procedure
from comity.model import Person, human_of
from comity.node.bootstrap import Node
from comity.node.policy import NO_BASIS, basis_for

SUBJECT = "matter"
_LONGEST_NAME = 200
_BASIS_FOR: Mapping[str, str] = {
    "police_information": "police_information", "fiu_request": "fiu_information", "freeze_request": "freeze",
    "preservation": "preservation", "mla": "mla", "asset_recovery": "asset_recovery",
    "extradition": "extradition", "joint_team": "joint_team",
}  # fmt: skip
"""For what a legal basis is looked up; the others need none of the instruments in the register."""


def procedure_of(tx: Transaction, matter: Matter) -> Procedure:
    """The very text that this matter began with."""
    shipped = procedure(matter.procedure)
    if shipped.digest == matter.digest:
        return shipped
    text = tx.procedure_texts.find(matter.digest)
    if text is None:
        raise NotFound.because(
            expected=f"the text of {matter.procedure} {matter.version} that {matter.id} began with",
            got=f"only version {shipped.version}", remedy="Restore the database from before the last change.",
        )  # fmt: skip
    return parse_procedure(text, where=f"{matter.procedure} {matter.version}")


def keep_text(tx: Transaction, one: Procedure) -> None:
    tx.procedure_texts.keep(digest=one.digest, name=one.name, version=one.version, text=text_of(one.name))


def keep(node: Node, tx: Transaction, one: Procedure, moved: Moved, *, since: datetime | None = None) -> None:
    """Store a half after a step, start and end its deadlines, and record it. Terms run from `since`, or from now."""
    matter, now = moved.matter, since or node.clock()
    tx.matters.put(matter)
    found = rows(
        one, Subject(kind=SUBJECT, id=matter.id), moved.step, now=now, new_id=node.new_id,
        jurisdiction=jurisdiction_of_lead(node, one, matter),
    )  # fmt: skip
    tx.deadlines.clear(SUBJECT, matter.id, found.cleared)
    for deadline in found.deadlines:
        tx.deadlines.add(deadline)
    record_step(node, tx, matter, matter.steps[-1], reasons=moved.step.reasons)


def record_step(node: Node, tx: Transaction, matter: Matter, one: Taken, *, reasons: tuple[str, ...]) -> None:
    ours = one.actor.side == matter.side
    node.record(
        tx, "matter.moved", case_id=file_of(matter), actor=one.actor.by if ours else matter.peer,
        matter=matter.id, procedure=matter.procedure, version=matter.version, event=one.event,
        was=one.source, state=one.target, by=one.actor.by, role=one.actor.role, side=one.actor.side,
        facts=dict(one.facts), number=one.number, chain=matter.chain, peer=matter.peer, reasons=list(reasons),
    )  # fmt: skip


def file_of(matter: Matter) -> str:
    """Under what its events and messages are filed: its case, or itself where it has none here."""
    return matter.case_id or matter.id


def actor_of(matter: Matter, person: Person) -> Actor:
    return Actor(by=human_of(person), role=person.role.value, side=matter.side)


def clock_of(matter: Matter) -> Actor:
    return Actor(by=CLOCK, role=CLOCK, side=matter.side)


def our_reading(node: Node, one: Procedure, matter: Matter, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What our own register says about the legal basis, if this is ours to say in this state and is not said yet.

    What the other side reads in its register is the other side's to state: their word does not bind us.
    """
    purpose = _BASIS_FOR.get(one.name)
    if purpose is None or (matter.steps and lead_of(one, matter.state) != matter.side):
        return {}
    name = "basis" if matter.side == "requesting" else "requested_basis"
    found = basis_for(
        node, matter.requesting, matter.requested, purpose, offence=_text(facts, "offence"),
        instrument=_text(facts, "instrument"),
    )  # fmt: skip
    return {} if matter.facts.get(name) == found else {name: found}


def standing_reading(node: Node, one: Procedure, matter: Matter, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a matter that runs. What our register cannot answer keeps nothing from going on, or ending: a member
    that has left, an offence that no catalogue has. It is said instead, and is no usable basis.
    """
    try:
        return our_reading(node, one, matter, facts)
    except InputError as error:
        name = "basis" if matter.side == "requesting" else "requested_basis"
        why = [str(error)[:500]]
        found = {**NO_BASIS, "status": "unknown", "source": "", "reasons": why}
        return {} if matter.facts.get(name) == found else {name: found}


def jurisdiction_of_lead(node: Node, one: Procedure, matter: Matter) -> str:
    leader = matter.requesting if lead_of(one, matter.state) == "requesting" else matter.requested
    return node.settings.authority.jurisdiction if leader == node.id else node.jurisdiction_of(leader)


def _text(facts: Mapping[str, Any], name: str) -> str:
    """Cut where no name of an offence or instrument is as long: it comes back in what we state."""
    value = facts.get(name, "")
    return value[:_LONGEST_NAME] if isinstance(value, str) else ""
