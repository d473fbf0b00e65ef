"""Take an attachment out of the node, or have it fetched again: a person does, by name, within its obligations."""

import re
from collections.abc import Callable
from pathlib import Path

from comity.backends.sql import Transaction
from comity.backends.sql.attachments import AttachmentState, CarriedAttachment
from comity.errors import Conflict, InputError, NotFound
from comity.exchange.attachment import Attachment
from comity.law import Action
from comity.model import Person
from comity.node.attachments.attach import files_of, record
from comity.node.bootstrap import Node
from comity.node.handling.gate import PURPOSE, HandlingForbids, barred, record_refusals
from comity.node.policy import require_with_case

_BEGINNING = re.compile(r"[0-9a-f]{8,64}", re.ASCII)


def save_attachment(
    node: Node, id_: str, target: Path, *, person: Person, peer: str = "",
    on_progress: Callable[[int, int], None] = lambda _done, _size: None,
) -> Attachment:  # fmt: skip
    """Write it, opened and verified, to the new file `target`; recorded before the first byte is written.

    `id_` may be the beginning of the id, `peer` the sender where several sent the same. Raises `Forbidden` where the
    role or the obligations it came with do not allow it.
    """
    require_with_case(node, Action.EXPORT_ATTACHMENT, person)
    with node.records.reading() as tx:
        carried = _named(tx, id_, peer)
    if carried.state is not AttachmentState.WHOLE:
        raise Conflict.because(
            expected="an attachment that is whole",
            got=f"one that is {carried.state} {carried.reason}".strip(),
        )
    _ask_obligations(node, carried, person)
    with node.records.transaction() as tx:
        record(
            node, tx, carried, "attachment.saved", actor=person.id, role=person.role.value, file=target.name
        )
    one = carried.attachment
    files_of(node).save(carried.peer, one, target, on_progress=lambda done: on_progress(done, one.size))
    return one


def fetch_again(node: Node, id_: str, *, person: Person, peer: str = "") -> None:
    """Fetch what was refused or failed, now that there is room or the sender has it again."""
    require_with_case(node, Action.EXPORT_ATTACHMENT, person)
    given_up = (AttachmentState.REFUSED, AttachmentState.FAILED)
    with node.records.transaction() as tx:
        carried = _named(tx, id_, peer)
        if not tx.attachments.move(carried, AttachmentState.ANNOUNCED, come_from=given_up):
            raise Conflict.because(
                expected="an attachment that was refused or has failed", got=f"one that is {carried.state}"
            )
        record(node, tx, carried, "attachment.wanted", actor=person.id, role=person.role.value)


def _named(tx: Transaction, id_: str, peer: str) -> CarriedAttachment:
    """The one attachment from others whose id begins so."""
    if _BEGINNING.fullmatch(id_) is None:
        raise InputError.because(expected="8 to 64 hex digits of an attachment's id", got=repr(id_)[:80])
    found = [one for one in tx.attachments.beginning(id_) if one.direction == "in" and peer in ("", one.peer)]
    if not found:
        raise NotFound.because(
            expected="an attachment that others sent to this node", got=repr(id_),
            remedy="List them: comity attachment list DIR",
        )  # fmt: skip
    if len(found) > 1:
        raise InputError.because(
            expected="one attachment", got=", ".join(f"{one.attachment.id} from {one.peer}" for one in found),
            remedy="Give more of the id, or name the sender with --from.",
        )  # fmt: skip
    return found[0]


def _ask_obligations(node: Node, carried: CarriedAttachment, person: Person) -> None:
    with node.records.reading() as tx:
        item = tx.items.find(carried.compact, carried.peer, carried.message_id)
        notice = tx.notices.find(carried.peer, carried.message_id)
        purpose = notice.purpose if notice and notice.purpose else PURPOSE
        found = barred(node, tx, "read", [item], recipient=node.id, purpose=purpose) if item else []
    if found:
        record_refusals(node, carried.case_id, found, actor=person.id)
        raise HandlingForbids(found[0])
