"""Deconfliction, what peers send: each step only from the peer of that round, once, in its time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from comity.backends.sql import Received, Transaction
from comity.casework.joint_rounds import MOST_LISTED, ROUND_LASTS, Found, Hit, Listed, Round, Target, stage_of
from comity.casework.ports import Step
from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.exchange.deconflict import (
    ANSWER,
    COMMITMENT,
    PURPOSE,
    QUESTION,
    read_agreement,
    read_opening,
    read_step,
    read_told,
)
from comity.node.bootstrap import Node
from comity.node.joint.deconflict import (
    MATCHING,
    behind,
    fresh,
    keep_hits,
    listed_of,
    setting_of,
    stands_against,
    tell,
    told_in,
)
from comity.node.joint.deconflict_agree import tell_case


def for_deconfliction(
    hear_in: Callable[[Node, Transaction, Received], None],
) -> Callable[[Node, Transaction, Received], None]:
    """The same for what was sent for that purpose: then its obligations let us read and use it for that."""

    def heard(node: Node, tx: Transaction, received: Received) -> None:
        _require_purpose(received)
        hear_in(node, tx, received)

    return heard


def _require_purpose(received: Received) -> None:
    if received.purpose != PURPOSE:
        raise InputError.because(expected=f"a message for {PURPOSE}", got=received.purpose)


def hear_open(node: Node, tx: Transaction, received: Received) -> None:
    """A peer asks us to compare: commit to what we list, within what a peer may ask in a day."""
    said = read_opening(received.payload)
    now, most = node.clock(), node.settings.deconfliction_rounds
    if said.matching != MATCHING.name:
        raise InputError.because(expected=f"matching {MATCHING.name}", got=said.matching)
    if tx.targets.round("in", received.sender, said.round) is not None:
        raise Conflict.because(expected="a round of its own name", got=said.round)
    if tx.targets.rounds_since("in", received.sender, now - timedelta(days=1)) >= most:
        raise Forbidden(f"expected at most {most} rounds of {received.sender} in 24 hours, got one more")
    targets = _one_each(_free(node, tx, tx.targets.listed(received.compact, now), received.sender))
    one = Round(
        id=said.round, direction="in", compact=received.compact, peer=received.sender, state="committed",
        purpose=said.purpose, openings={target.id: fresh() for target in targets}, at=now,
        expires_at=now + ROUND_LASTS,
    )  # fmt: skip
    step = MATCHING.commit(setting_of(node, one), said.document, listed_of(targets, one))
    tx.targets.put_round(replace(one, secret=step.secret))
    _reply(node, tx, one, received, COMMITMENT, step)
    node.record(
        tx, "deconflict.committed", actor="node", peer=one.peer, round=one.id, purpose=one.purpose,
    )  # fmt: skip


def hear_commitment(node: Node, tx: Transaction, received: Received) -> None:
    """The peer has committed itself: now it may see what we ask about."""
    round_id, document = read_step(received.payload, COMMITMENT)
    one = _round(node, tx, "out", received, round_id, state="opened")
    step = MATCHING.ask(setting_of(node, one), one.secret, document, _wanted(tx, one))
    tx.targets.put_round(replace(one, state="asked", secret=step.secret))
    _reply(node, tx, one, received, QUESTION, step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was worked out outside a transaction, since tokens take their time."""

    round: Round
    targets: Sequence[Target]
    step: Step
    found: Sequence[Found]


def work_out_answer(node: Node, received: Received) -> Answered:
    """Compare the question with what we had committed to."""
    _require_purpose(received)
    round_id, document = read_step(received.payload, QUESTION)
    with node.records.reading() as tx:
        one = _round(node, tx, "in", received, round_id, state="committed")
        targets = _one_each(tx.targets.listed(one.compact, node.clock()))
    step, found = MATCHING.answer(setting_of(node, one), one.secret, document, listed_of(targets, one))
    return Answered(round=one, targets=targets, step=step, found=found)


def answer_question(node: Node, tx: Transaction, received: Received, answered: Answered) -> None:
    """Answer with what is the same, and forget the rest."""
    one = _round(node, tx, "in", received, answered.round.id, state="committed")
    _reply(node, tx, one, received, ANSWER, answered.step)
    tx.targets.put_round(_over(one, "answered"))
    keep_hits(node, tx, one, answered.found, answered.targets, actor=received.sender)
    node.record(
        tx, "deconflict.answered", actor="node", peer=one.peer, round=one.id, hits=len(answered.found),
    )  # fmt: skip


def hear_answer(node: Node, tx: Transaction, received: Received) -> None:
    """The peer has opened what is the same: only what it had committed to counts."""
    round_id, document = read_step(received.payload, ANSWER)
    one = _round(node, tx, "out", received, round_id, state="asked")
    wanted = _wanted(tx, one)
    found = MATCHING.conclude(setting_of(node, one), one.secret, document, wanted)
    tx.targets.put_round(_over(one, "concluded"))
    keep_hits(
        node,
        tx,
        one,
        found,
        [target for target in tx.targets.all() if target.id in one.openings],
        actor=one.peer,
    )
    node.record(
        tx, "deconflict.concluded", actor=received.sender, peer=one.peer, round=one.id, hits=len(found),
    )  # fmt: skip


def hear_agreement(node: Node, tx: Transaction, received: Received) -> None:
    """Their officer agreed. If ours has too, we say who we are; if not, nothing goes."""
    hit = _hit(tx, received, *read_agreement(received.payload))
    stage = stage_of(hit, node.clock())
    if stage not in ("found", "agreed by us"):
        raise Conflict.because(expected="a hit that they have not agreed to and that is not over", got=stage)
    hit = replace(hit, theirs_at=node.clock())
    tx.targets.put_hit(hit)
    node.record(
        tx, "deconflict.peer-agreed", case_id=hit.case_id, actor=received.sender, peer=hit.peer,
        reference=hit.reference,
    )  # fmt: skip
    tell_case(node, tx, hit, actor="node")


def hear_contact(node: Node, tx: Transaction, received: Received) -> None:
    """Their case and contact: it must be the case that they had committed to before they knew of ours."""
    told = read_told(received.payload)
    hit = _hit(tx, received, told.round, told.reference)
    if hit.ours_at is None or hit.theirs_at is None or hit.told:
        raise Conflict.because(expected="a hit that both agreed to, told once", got=hit.reference)
    if behind(told.case, told.purpose, told.opening) != hit.behind:
        raise InputError.because(
            expected="the case and purpose that were committed to in the round", got=told.case
        )
    told_now = {"case": told.case, "purpose": told.purpose, "contact": told.contact, "message": received.id}
    tx.targets.put_hit(replace(hit, told=told_now))
    node.record(
        tx, "deconflict.contact", case_id=hit.case_id, actor=received.sender, peer=hit.peer,
        reference=hit.reference, message=received.id,
    )  # fmt: skip


def _reply(node: Node, tx: Transaction, one: Round, received: Received, type_: str, step: Step) -> None:
    payload = {"round": one.id, "document": dict(step.document)}
    tell(node, tx, one.compact, one.peer, type_, payload, actor="node", in_reply_to=received.id)


def _round(
    node: Node, tx: Transaction, direction: str, received: Received, round_id: str, *, state: str
) -> Round:
    one = tx.targets.round(direction, received.sender, round_id)
    if one is None or one.compact != received.compact:
        raise NotFound.because(expected=f"a round with {received.sender}", got=round_id)
    if one.state != state or node.clock() >= one.expires_at:
        over = "over" if node.clock() >= one.expires_at else one.state
        raise Conflict.because(expected=f"a round that is {state}", got=f"{round_id}, {over}")
    return one


def _hit(tx: Transaction, received: Received, round_id: str, reference: str) -> Hit:
    hit = tx.targets.hit(received.sender, reference)
    if hit is None or (hit.round, hit.compact) != (round_id, received.compact):
        raise NotFound.because(expected=f"a hit with {received.sender}", got=reference)
    return hit


def _wanted(tx: Transaction, one: Round) -> list[Listed]:
    return listed_of([target for target in tx.targets.all() if target.id in one.wanted], one)


def _one_each(targets: Sequence[Target]) -> list[Target]:
    """One target an identifier, the one listed first: an identifier of several cases is one target to others."""
    found = {target.identifier: target for target in reversed(targets)}
    return sorted(found.values(), key=lambda one: (one.at, one.id))[:MOST_LISTED]


def _free(node: Node, tx: Transaction, targets: Sequence[Target], peer: str) -> list[Target]:
    """Without those that others told us of, and that `peer` may not know we have: it finds nothing there."""
    told = {case_id: told_in(tx, case_id) for case_id in {one.case_id for one in targets}}
    return [
        one
        for one in targets
        if not stands_against(node, tx, told[one.case_id], one.identifier, peers=[peer], compact=one.compact)
    ]


def _over(one: Round, state: str) -> Round:
    """What was kept to compare is of no use any more, and goes."""
    return replace(one, state=state, secret={}, openings={})
