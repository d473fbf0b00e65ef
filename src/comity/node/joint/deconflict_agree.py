"""Deconfliction, after a hit: an officer on each side agrees, then case and contact go; and what people see."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from comity.backends.sql import Transaction
from comity.casework.joint_rounds import Hit, Round, Target, stage_of
from comity.errors import Conflict, NotFound
from comity.exchange.deconflict import AGREEMENT, CONTACT, LONGEST_CONTACT, PURPOSE, Told, write_told
from comity.exchange.fields import Fields
from comity.law import Action
from comity.model import Person
from comity.node.bootstrap import Node
from comity.node.handling.gate import barred
from comity.node.handling.reading import withheld
from comity.node.joint.deconflict import KIND, tell
from comity.node.policy import require_with_joint


def agree(node: Node, reference: str, *, contact: str, person: Person) -> Hit:
    """An officer agrees that the other side may know our case and `contact`; they go once it has agreed as well."""
    require_with_joint(node, Action.MANAGE_JOINT, kind=KIND, person=person)
    Fields({"contact": contact}, "agreement").text("contact", longest=LONGEST_CONTACT)
    with node.records.transaction() as tx:
        found = [one for one in tx.targets.hits() if one.reference == reference]
        if not found:
            raise NotFound.because(
                expected="the reference of a hit", got=repr(reference),
                remedy="List them: comity deconflict list DIR",
            )  # fmt: skip
        hit, now = found[0], node.clock()
        stage = stage_of(hit, now)
        if stage not in ("found", "agreed by them"):
            raise Conflict.because(
                expected="a hit that we have not agreed to and that is not over", got=stage
            )
        hit = replace(hit, ours_at=now, ours_by=person.id, contact=contact)
        tx.targets.put_hit(hit)
        payload = {"round": hit.round, "reference": hit.reference}
        tell(node, tx, hit.compact, hit.peer, AGREEMENT, payload, actor=person.id)
        node.record(
            tx, "deconflict.agreed", case_id=hit.case_id, actor=person.id, role=person.role.value, peer=hit.peer,
            reference=hit.reference,
        )  # fmt: skip
        tell_case(node, tx, hit, actor=person.id)
    return hit


def tell_case(node: Node, tx: Transaction, hit: Hit, *, actor: str) -> None:
    """Our case and contact, if both have agreed."""
    if hit.ours_at is None or hit.theirs_at is None:
        return
    target = next(one for one in tx.targets.all() if one.id == hit.target)
    told = Told(
        round=hit.round, reference=hit.reference, case=hit.case_id, purpose=target.purpose, opening=hit.opening,
        contact=hit.contact,
    )  # fmt: skip
    tell(node, tx, hit.compact, hit.peer, CONTACT, write_told(told), actor=actor)
    node.record(
        tx, "deconflict.told", case_id=hit.case_id, actor=actor, peer=hit.peer, reference=hit.reference,
        agreed_by=hit.ours_by,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is listed, the rounds and the hits of this node."""

    targets: Sequence[Target]
    rounds: Sequence[Round]
    hits: Sequence[tuple[Hit, str]]
    """Each hit with its stage."""


def work_of(node: Node, *, actor: str) -> Work:
    """Everything of deconfliction here; reading it is recorded."""
    now: datetime = node.clock()
    with node.records.transaction() as tx:
        node.record(tx, "deconflict.read", actor=actor)
        return Work(
            targets=tx.targets.all(), rounds=tx.targets.rounds(),
            hits=[(_as_allowed(node, tx, one), stage_of(one, now)) for one in tx.targets.hits()],
        )  # fmt: skip


def _as_allowed(node: Node, tx: Transaction, hit: Hit) -> Hit:
    """Without what the peer told of itself where that was taken back, ran out or may not be listed."""
    item = tx.items.find(hit.compact, hit.peer, hit.told["message"]) if hit.told else None
    found = barred(node, tx, "search", [item], recipient=node.id, purpose=PURPOSE) if item else []
    return replace(hit, told={"withheld": withheld(found[0])}) if found else hit
