"""Take over what the other half of a matter says, each step judged again by our own table (spec/matter.md §5). Pure."""

from dataclasses import replace
from datetime import datetime

from comity.casework.matter import (
    AMEND,
    CLOCK,
    OPEN,
    Disagreement,
    Matter,
    Moved,
    Proposal,
    Taken,
    lead_of,
    step_document,
)
from comity.casework.matter_steps import MAX_FACTS, MAX_STORY, amended, opened, story_length, taken
from comity.errors import Conflict, Forbidden, InputError
from comity.law.procedures import Procedure
from comity.proofs.canonical import canonical_bytes


def followed(procedure: Procedure, matter: Matter, one: Taken) -> Moved:
    """Take over a step of the side that leads, judged again by our own table. `Disagreement` if it cannot be."""
    lead = lead_of(procedure, matter.state)
    if lead == matter.side:
        raise Disagreement.because(expected=f"steps of ours in {matter.state}, which we lead", got=one.event)
    if one.actor.side == matter.side and not _is_ours(matter.pending, one):
        raise Disagreement.because(
            expected=f"no step in our name but what we proposed ({_word(matter.pending)})", got=one.event
        )
    if one.actor.role != CLOCK:
        _refuse_full((*matter.steps, one))
    moved = _judged(procedure, matter, one)
    pending = None if matter.pending and one.actor.side == matter.side else matter.pending
    return Moved(matter=replace(moved.matter, pending=pending), step=moved.step)


def replayed(procedure: Procedure, blank: Matter, steps: tuple[Taken, ...]) -> Moved:
    """The half that follows from the other side's whole story, every step judged again."""
    if not steps or steps[0].event != OPEN:
        raise Disagreement.because(expected=f"steps, the first {OPEN}", got=str(len(steps)))
    _refuse_full(steps)
    moved = _judged(procedure, blank, steps[0])
    for one in steps[1:]:
        moved = _judged(procedure, moved.matter, one)
    return moved


def _judged(procedure: Procedure, matter: Matter, one: Taken) -> Moved:
    """Judge the other side's step as if it were made here: it must come out the same, to the letter."""
    _refuse_clock_again(matter, one)
    try:
        at = datetime.fromisoformat(one.at)
        if one.event == OPEN:
            moved = opened(procedure, matter, one.actor, one.facts, at=at)
        elif one.event == AMEND:
            moved = amended(procedure, matter, one.actor, one.facts, at=at)
        else:
            moved = taken(procedure, matter, one.event, one.actor, one.facts, at=at)
    except Disagreement:
        raise
    except (Conflict, Forbidden, InputError) as error:
        raise Disagreement(f"the other side did what our half does not allow: {error}") from error
    ours = step_document(moved.matter.steps[-1])
    if ours != step_document(one):
        raise Disagreement.because(
            expected=f"step {ours['number']} from {ours['from']} to {ours['to']} at {ours['at']}",
            got=f"step {one.number} from {one.source} to {one.target} at {one.at}",
        )
    return moved


def _refuse_full(steps: tuple[Taken, ...]) -> None:
    if (length := story_length(steps)) > MAX_STORY + MAX_FACTS:  # the last may be the clock's
        raise Disagreement.because(
            expected=f"at most {MAX_STORY} bytes of facts in a matter", got=str(length)
        )


def _refuse_clock_again(matter: Matter, one: Taken) -> None:
    """A deadline comes due once in a state: people decide something before the clock does the same there again."""
    if one.actor.role != CLOCK:
        return
    for earlier in reversed(matter.steps):
        if earlier.actor.role != CLOCK:
            return
        if (earlier.event, earlier.source) == (one.event, one.source):
            raise Disagreement.because(
                expected=f"one {one.event} of the clock in {one.source}", got="another"
            )


def _is_ours(pending: Proposal | None, one: Taken) -> bool:
    """What our people proposed, and after the very step after which they did: nothing happened in between."""
    if pending is None or pending.event != one.event or pending.actor != one.actor:
        return False
    if one.number != pending.number + 1:
        return False
    return canonical_bytes(pending.facts) == canonical_bytes(one.facts)


def _word(pending: Proposal | None) -> str:
    return pending.event if pending else "nothing"
