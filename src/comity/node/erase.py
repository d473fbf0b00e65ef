"""Erase a case or what one message said, where nothing keeps it; keep a case by a legal hold (spec/log.md §5.2).

Erasing destroys the events' bytes and salts: their entries stay in the log and say nothing any more. In the same
transaction an event is recorded that says who erased what on which ground, and how much; not what it said. While
a legal hold stands on a case nothing of it is erased, whoever asks. Nor is anything that still runs: money held,
messages under way.
"""

from dataclasses import dataclass

from comity.backends.sql import Transaction
from comity.backends.sql.erasure import LegalHold
from comity.casework.matter import Matter
from comity.errors import Conflict, InputError, NotFound
from comity.law import Action
from comity.model import Person
from comity.node.attachments.attach import erase_attachments
from comity.node.bootstrap import Node
from comity.node.matters.keeping import procedure_of
from comity.node.policy import require_with_case
from comity.tracing import time_text

LONGEST_GROUND = 2000


class KeptByLaw(Conflict):
    """A legal hold stands on the case: nothing of it may be erased."""

    code = "case.kept-by-law"
    remedy = "Whoever placed the hold lifts it: comity case release DIR CASE --as NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was erased. `scrubbed`: whether the database's files were rid of the bytes as well."""

    events: int
    messages: int
    attachments: int
    scrubbed: bool


def keep_case(node: Node, case_id: str, *, ground: str, person: Person) -> str:
    """Put a case under a legal hold; return the hold's id. Several may stand on one case."""
    require_with_case(node, Action.KEEP_CASE, person)
    ground = _ground(ground)
    with node.records.transaction() as tx:
        case = tx.cases.get(case_id)
        hold = LegalHold(
            id=node.new_id("keep"), case_id=case.id, ground=ground, placed_by=person.id,
            placed_at=time_text(node.clock()),
        )  # fmt: skip
        tx.legal_holds.place(hold)
        node.record(tx, "case.kept", case_id=case.id, actor=person.id, keep=hold.id, ground=ground)
    return hold.id


def release_case(node: Node, case_id: str, *, ground: str, person: Person) -> int:
    """Lift every legal hold of a case; return how many stood."""
    require_with_case(node, Action.KEEP_CASE, person)
    ground = _ground(ground)
    with node.records.transaction() as tx:
        count = tx.legal_holds.release(case_id, by=person.id, at=node.clock())
        if not count:
            raise Conflict.because(expected="a case under a legal hold", got=f"{case_id} without one")
        node.record(tx, "case.released", case_id=case_id, actor=person.id, holds=count, ground=ground)
    return count


def erase_case(node: Node, case_id: str, *, ground: str, person: Person) -> Erasure:
    """Erase a case; `KeptByLaw` or `Conflict` if something keeps it.

    Asked for again after it was erased, it only removes what bytes the database's files still have.
    """
    require_with_case(node, Action.ERASE_CASE, person)
    ground = _ground(ground)
    with node.records.transaction() as tx:
        _refuse_kept(tx, case_id)
        if tx.events.count_erased(case_id) and not any(case.id == case_id for case in tx.cases.all()):
            events = messages = attachments = 0
        else:
            matters = _matters(tx, case_id)
            running = [*tx.erasure.unfinished(case_id), *_unended(tx, matters)]
            if running:
                raise Conflict.because(
                    expected="a case in which nothing runs any more", got=", ".join(running), where=case_id,
                    remedy="End the holds and let the messages be delivered or expire, then erase it.",
                )  # fmt: skip
            attachments = erase_attachments(
                node, tx, tx.attachments.of_case(case_id), reason="the case is erased"
            )
            done = tx.erasure.erase_case(case_id)
            events, messages = done.events, done.messages
            node.record(
                tx, "case.erased", case_id=case_id, actor=person.id, ground=ground, what="case",
                events=events, messages=messages, attachments=attachments,
            )  # fmt: skip
    return Erasure(events=events, messages=messages, attachments=attachments, scrubbed=node.records.scrub())


def erase_message(node: Node, peer: str, message_id: str, *, ground: str, person: Person) -> Erasure:
    """Erase what one message to or from `peer` said, and every event that names it."""
    require_with_case(node, Action.ERASE_CASE, person)
    ground = _ground(ground)
    with node.records.transaction() as tx:
        found = tx.erasure.case_of_message(peer, message_id)
        if found is None:
            raise NotFound.because(expected=f"a message to or from {peer}", got=message_id)
        case_id, state = found
        for touched in tx.erasure.cases_touched(peer, message_id):
            _refuse_kept(tx, touched)
        if state in ("queued", "received"):
            raise Conflict.because(
                expected="a message that is delivered or heard", got=f"{message_id}, {state}"
            )
        carried = [one for way in ("in", "out") for one in tx.attachments.of_message(way, peer, message_id)]
        attachments = erase_attachments(node, tx, carried, reason="its message is erased")
        done = tx.erasure.erase_message(peer, message_id)
        node.record(
            tx, "message.erased", case_id=case_id, actor=person.id, ground=ground, what="message", peer=peer,
            events=done.events, messages=done.messages, attachments=attachments,
        )  # fmt: skip
    return Erasure(
        events=done.events, messages=done.messages, attachments=attachments, scrubbed=node.records.scrub()
    )


def unaccounted(tx: Transaction) -> int:
    """How many erased events no disposition accounts for: 0, or somebody erased them past this module."""
    erased, _ = tx.erasure.accounted()
    return erased - sum(
        int(one.body["events"]) for one in tx.events.of_kinds(["case.erased", "message.erased"])
    )


def _matters(tx: Transaction, case_id: str) -> list[Matter]:
    """Those of the case; or the one of that id, which belongs to no case here and is erased like one."""
    alone = tx.matters.find(case_id)
    if alone is not None:
        return [alone]
    tx.cases.get(case_id)
    return list(tx.matters.of_case(case_id))


def _unended(tx: Transaction, matters: list[Matter]) -> list[str]:
    return [
        f"{one.id} ({one.procedure}, {one.state})"
        for one in matters
        if one.state not in procedure_of(tx, one).final
    ]


def _refuse_kept(tx: Transaction, case_id: str) -> None:
    standing = tx.legal_holds.standing(case_id)
    if standing:
        first = standing[0]
        raise KeptByLaw(
            f"expected no legal hold on {case_id}, got {len(standing)}: {first.ground} ({first.placed_by}, "
            f"{first.placed_at})"
        )


def _ground(text: str) -> str:
    text = text.strip()
    if not 3 <= len(text) <= LONGEST_GROUND:
        raise InputError.because(
            expected=f"a ground of 3 to {LONGEST_GROUND} characters (without what is to be erased: it stays)",
            got=f"{len(text)}",
        )
    return text
