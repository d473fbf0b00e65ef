"""What the other half of a matter tells us. Nothing is believed: every step is judged by our own table.

Killed at any point: each message has its effect in the transaction that settles it, so it is heard once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from comity.backends.sql import Received, Transaction
from comity.casework.matter import Disagreement, Matter, Moved, Taken, lead_of, leads, unheard
from comity.casework.matter_documents import read_proposal, read_step, read_steps, step_document
from comity.casework.matter_following import followed, replayed
from comity.casework.matter_steps import accepted
from comity.errors import Conflict, Forbidden, InputError, NotFound
from comity.exchange import MAX_SKEW
from comity.law import procedure
from comity.law.procedures import Procedure
from comity.node.bootstrap import Node
from comity.node.handling.items import keep_received
from comity.node.matters import telling
from comity.node.matters.keeping import file_of, keep, keep_text, procedure_of, record_step
from comity.node.matters.opening import blank

_MATTER = re.compile(r"matter-[A-Za-z0-9._-]{1,73}", re.ASCII)


def _hear_story(node: Node, tx: Transaction, received: Received) -> None:
    """A matter that is new to us, or the whole of one in which we missed something."""
    known = tx.matters.find(_id(received))
    if known is not None:
        _hear_again(node, tx, received, known)
        return
    one = _procedure_named(received)
    told = _replayed(node, received, one)
    if told.matter.side != "requested" or told.matter.requesting != received.sender:
        raise InputError.because(
            expected="a matter that its sender requests of us", got=told.matter.requesting
        )
    if lead_of(one, told.matter.state) != "requested":
        raise InputError.because(expected="a matter that was sent", got=told.matter.state)
    if not unheard(one, told.matter):
        raise InputError.because(
            expected="a matter in which nothing was decided in our name yet",
            got=f"{told.matter.number} steps",
        )
    keep_text(tx, one)
    for step in told.matter.steps[:-1]:
        record_step(node, tx, told.matter, step, reasons=())
    keep(node, tx, one, told)
    keep_received(node, tx, received, file_of(told.matter))


def _hear_again(node: Node, tx: Transaction, received: Received, known: Matter) -> None:
    matter = _of_sender(received, known)
    one = procedure_of(tx, matter)
    told = _replayed(node, received, one).matter
    ours = [step_document(step) for step in matter.steps]
    theirs = [step_document(step) for step in told.steps]
    keep_received(node, tx, received, file_of(matter))
    if matter.problem:
        return  # people of ours look first; when they settle it they ask for the story
    if theirs[: len(ours)] != ours:
        _disagree(
            node, tx, matter, f"the other side tells another story from step {_first_other(ours, theirs)} on"
        )
        return
    for step in told.steps[len(ours) :]:
        moved = _follow(node, tx, one, matter, step)
        if moved is None:
            return
        matter = moved.matter


def _hear_step(node: Node, tx: Transaction, received: Received) -> None:
    matter = _known(tx, received)
    one = procedure_of(tx, matter)
    step = read_step(_payload(received, "step"))
    keep_received(node, tx, received, file_of(matter))
    if matter.problem:
        return
    if step.number > matter.number + 1 and not leads(one, matter):
        telling.ask_for_story(node, tx, matter)
        return
    if step.number <= matter.number and step_document(matter.steps[step.number]) == step_document(step):
        return  # the story that we asked for has told it already
    moved = _follow(node, tx, one, matter, step)
    if moved is not None and moved.matter.chain != received.payload.get("chain"):
        _disagree(node, tx, moved.matter, "the digest of the steps is another one there")


def _hear_proposal(node: Node, tx: Transaction, received: Received) -> None:
    matter = _known(tx, received)
    one = procedure_of(tx, matter)
    proposal = read_proposal(_payload(received, "proposal"))
    keep_received(node, tx, received, file_of(matter))
    try:
        if matter.problem or not leads(one, matter):
            raise Conflict.because(expected="a matter that we lead", got=matter.problem or matter.state)
        moved = accepted(one, matter, proposal, at=node.clock())
    except (Conflict, Forbidden, InputError) as error:
        telling.decline(node, tx, matter, proposal.event, str(error))
        return
    keep(node, tx, one, moved)
    telling.tell_step(node, tx, one, moved.matter, actor="node")


def _hear_declined(node: Node, tx: Transaction, received: Received) -> None:
    matter = _known(tx, received)
    keep_received(node, tx, received, file_of(matter))
    if matter.pending is None or matter.pending.event != received.payload.get("event"):
        return
    tx.matters.put(replace(matter, pending=None))
    node.record(
        tx, "matter.not-taken", case_id=file_of(matter), actor=received.sender, matter=matter.id,
        peer=matter.peer, event=matter.pending.event, problem=str(received.payload.get("problem", ""))[:500],
    )  # fmt: skip


def _hear_behind(node: Node, tx: Transaction, received: Received) -> None:
    matter = _known(tx, received)
    if leads(procedure_of(tx, matter), matter):
        telling.tell_story(node, tx, matter, actor="node")


def _hear_disputed(node: Node, tx: Transaction, received: Received) -> None:
    matter = _known(tx, received)
    keep_received(node, tx, received, file_of(matter))
    if not matter.problem:
        said = str(received.payload.get("problem", ""))[:500]
        _mark(node, tx, matter, f"{received.sender} disagrees: {said}")


def _follow(node: Node, tx: Transaction, one: Procedure, matter: Matter, step: Any) -> Moved | None:
    """Take over a step, or mark the half as disputed: visible here, and told to the other side."""
    try:
        _refuse_future(node, step)
        moved = followed(one, matter, step)
    except Disagreement as error:
        _disagree(node, tx, matter, str(error))
        return None
    keep(node, tx, one, moved)
    return moved


def _refuse_future(node: Node, step: Taken) -> None:
    if datetime.fromisoformat(step.at) > node.clock() + MAX_SKEW:
        raise Disagreement.because(expected="a step that was taken by now", got=step.at)


def _disagree(node: Node, tx: Transaction, matter: Matter, problem: str) -> None:
    _mark(node, tx, matter, problem)
    telling.dispute(node, tx, matter, problem)


def _mark(node: Node, tx: Transaction, matter: Matter, problem: str) -> None:
    tx.matters.put(replace(matter, problem=problem[:1_000], updated_at=node.clock()))
    node.record(
        tx, "matter.disputed", case_id=file_of(matter), actor="node", matter=matter.id, peer=matter.peer,
        state=matter.state, number=matter.number, chain=matter.chain, problem=problem[:500],
    )  # fmt: skip


def _procedure_named(received: Received) -> Procedure:
    name, digest = str(received.payload.get("procedure")), received.payload.get("digest")
    one = procedure(name)
    if one.digest != digest or one.sides != "two":
        raise InputError.because(
            expected=f"{name} version {one.version}, {one.digest[:12]}…", got=f"{str(digest)[:12]}…",
            remedy="Both sides run the same text of a procedure: the older program is to be updated.",
        )  # fmt: skip
    return one


def _replayed(node: Node, received: Received, one: Procedure) -> Moved:
    payload = received.payload
    parties = [received.sender, node.id]
    named = [payload.get("requesting"), payload.get("requested")]
    if named not in (parties, parties[::-1]) or payload.get("version") != one.version:
        raise InputError.because(
            expected=f"a matter between {' and '.join(sorted(parties))}, {one.name} {one.version}",
            got=f"{named[0]} and {named[1]}, {payload.get('version')}"[:200],
        )
    start = blank(
        _id(received), one, compact=received.compact, requesting=str(payload["requesting"]),
        requested=str(payload["requested"]), ours=node,
    )  # fmt: skip
    steps = read_steps(_payload(received, "steps"))
    for step in steps:
        _refuse_future(node, step)
    told = replayed(one, start, steps)
    if told.matter.chain != payload.get("chain"):
        raise InputError.because(expected="the digest of these steps", got=str(payload.get("chain"))[:80])
    return told


def _known(tx: Transaction, received: Received) -> Matter:
    matter = tx.matters.find(_id(received))
    if matter is None:
        raise NotFound.because(expected="a matter that both sides know", got=_id(received))
    return _of_sender(received, matter)


def _of_sender(received: Received, matter: Matter) -> Matter:
    """A matter of another peer, or of another compact, is treated like one that does not exist."""
    if matter.peer != received.sender or matter.compact != received.compact:
        raise NotFound.because(expected="a matter that both sides know", got=matter.id)
    return matter


def _id(received: Received) -> str:
    found = received.payload.get("matter")
    if not isinstance(found, str) or _MATTER.fullmatch(found) is None:
        raise InputError.because(expected="matter: its id", got=repr(found)[:80])
    return found


def _payload(received: Received, key: str) -> Any:
    if key not in received.payload:
        raise InputError.because(expected=f"a message with {key}", got=", ".join(received.payload)[:200])
    return received.payload[key]


def _first_other(ours: list[Any], theirs: list[Any]) -> int:
    same = 0
    while same < min(len(ours), len(theirs)) and ours[same] == theirs[same]:
        same += 1
    return same


HANDLERS: Mapping[str, Callable[[Node, Transaction, Received], None]] = {
    telling.STORY: _hear_story,
    telling.STEP: _hear_step,
    telling.PROPOSAL: _hear_proposal,
    telling.DECLINED: _hear_declined,
    telling.BEHIND: _hear_behind,
    telling.DISPUTED: _hear_disputed,
}
"""Each within the transaction that settles the message."""
