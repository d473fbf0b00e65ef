"""Attachments: announced by a message, offered to its recipients, taken or refused, erased. Fetching is `fetch`.

What a peer announces is a row and nothing else: nothing is asked of the disk before the fetch begins, and nothing
that the peer wrote is ever a path.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from comity.backends.attachment_files import AttachmentFiles
from comity.backends.sql import Received, Transaction
from comity.backends.sql.attachments import UNFINISHED, AttachmentState, CarriedAttachment
from comity.errors import InputError, NotFound
from comity.exchange.attachment import Attachment
from comity.exchange.fields import DIGEST, Fields
from comity.node.bootstrap import Node
from comity.node.post.send import Letter, send

STATE_TOLD = "attachment.state"
"""The message by which a receiver tells what became of an attachment (spec/attachment.md §4)."""
OFFERED_FOR = timedelta(days=30)
"""Then what nobody fetched is no longer offered, and what could not be fetched has failed."""
ATTACHMENTS_OF_ONE_PEER = 4
"""A peer's unerased attachments take at most so many times the size of the largest one allowed."""
MOST_OF_ONE_PEER = 1_024
"""And are so many at most: empty ones cost their rows too."""
_TOLD = (AttachmentState.WHOLE, AttachmentState.REFUSED, AttachmentState.FAILED)
_HERE = (*UNFINISHED, AttachmentState.WHOLE)
_OPEN_OUT = (AttachmentState.OFFERED, AttachmentState.REFUSED, AttachmentState.FAILED)


def files_of(node: Node) -> AttachmentFiles:
    return AttachmentFiles(node.home.path / "attachments")


# --- offered by us ---


def offer(
    node: Node, tx: Transaction, attachments: Iterable[Attachment], *, compact: str, peer: str, message_id: str,
    case_id: str,
) -> None:  # fmt: skip
    """Let `peer`, to whom the message goes, fetch these. The key stays in the message: we keep none."""
    for one in attachments:
        tx.attachments.add(
            CarriedAttachment(
                direction="out", compact=compact, peer=peer, message_id=message_id, case_id=case_id,
                attachment=_without_key(one), state=AttachmentState.OFFERED, reason="", at=node.clock(),
            )
        )  # fmt: skip


def offered_to(node: Node, peer: str, id_: str) -> Path | None:
    """The sealed bytes that the member `peer` may fetch under this id; None, whatever the reason, if none."""
    if DIGEST.fullmatch(id_) is None:
        return None
    with node.records.reading() as tx:
        carried = tx.attachments.find("out", peer, id_)
        item = tx.items.find(carried.compact, node.id, carried.message_id) if carried else None
    if carried is None or carried.state is AttachmentState.ERASED or not node.knows(peer, carried.compact):
        return None
    if item is not None and (item.state != "held" or peer not in item.handling.audience):
        return None
    file = files_of(node).offered(id_)
    return file if file.is_file() else None


def hear_state(node: Node, tx: Transaction, received: Received) -> None:
    """A peer says what became of an attachment that it got from us."""
    fields = Fields(received.payload, "attachment state")
    id_, reason = fields.text("attachment", form=DIGEST), fields.text_or_empty("reason", longest=500)
    state = fields.text("state")
    carried = tx.attachments.find("out", received.sender, id_)
    if carried is None or carried.compact != received.compact:
        raise NotFound.because(expected="an attachment that we offer to this peer", got=id_)
    if state not in {one.value for one in _TOLD}:
        raise fields.wrong("state", f"one of {', '.join(_TOLD)}", state)
    if tx.attachments.move(carried, AttachmentState(state), come_from=_OPEN_OUT, reason=reason):
        record(node, tx, carried, "attachment.told", actor=received.sender, state=state, reason=reason)


# --- announced to us ---


def announce(
    node: Node, tx: Transaction, received: Received, attachments: Sequence[Attachment], *, case_id: str
) -> None:
    """Note what the message brings, to be fetched; refuse what is larger than this node takes.

    `InputError` if the peer gives something else an id that it has used before.
    """
    for one in attachments:
        known = tx.attachments.find("in", received.sender, one.id)
        if known is not None:
            _refuse_other(known.attachment, one)
            continue
        refusal = _too_much(node, tx, received.sender, one)
        carried = CarriedAttachment(
            direction="in", compact=received.compact, peer=received.sender, message_id=received.id,
            case_id=case_id, attachment=one, reason=refusal, at=node.clock(),
            state=AttachmentState.REFUSED if refusal else AttachmentState.ANNOUNCED,
        )  # fmt: skip
        tx.attachments.add(carried)
        record(node, tx, carried, "attachment.announced", actor=received.sender)
        if refusal:
            record(node, tx, carried, "attachment.refused", actor="node", reason=refusal)
            _tell(node, tx, carried, AttachmentState.REFUSED, refusal)


def settle_fetched(
    node: Node, tx: Transaction, carried: CarriedAttachment, state: AttachmentState, *, reason: str = ""
) -> bool:
    """An attachment is whole, refused or failed: the row, the event and the word to the peer. True once."""
    if not tx.attachments.move(carried, state, come_from=UNFINISHED, reason=reason):
        return False
    record(node, tx, carried, f"attachment.{state.value}", actor="node", reason=reason)
    _tell(node, tx, carried, state, reason)
    return True


# --- going ---


def erase_attachments(node: Node, tx: Transaction, found: Iterable[CarriedAttachment], *, reason: str) -> int:
    """Destroy their keys: the bytes say nothing from then on, and `tidy` removes them. Returns how many."""
    erased = [one for one in found if tx.attachments.erase(one, reason=reason)]
    for one in erased:
        record(node, tx, one, "attachment.erased", actor="node", reason=reason)
    return len(erased)


def tidy(node: Node) -> int:
    """Erase what its message did not outlive, end old offers, and remove every file that no row names any more.

    Nothing is erased or removed that belongs to a case under a legal hold, ours or a peer's. Returns how many of
    those files there were.
    """
    with node.records.transaction() as tx:
        kept = {_key(one) for one in tx.attachments.kept_by_law()}
        outlived = [one for one in tx.attachments.outlived() if _key(one) not in kept]
        erase_attachments(node, tx, outlived, reason="what it came with is erased")
        outdated = [
            one for one in tx.attachments.all()
            if one.direction == "out" and one.state in _OPEN_OUT and one.at + OFFERED_FOR < node.clock()
            and _key(one) not in kept
        ]  # fmt: skip
        erase_attachments(node, tx, outdated, reason="no longer offered")
        rows = tx.attachments.all()
    return _drop_files(files_of(node), rows, kept)


def _drop_files(
    files: AttachmentFiles, rows: Sequence[CarriedAttachment], kept: Collection[tuple[str, str, str]]
) -> int:
    """Remove the bytes of what is neither on the way, nor here, nor `kept`."""
    here = [
        one for one in rows
        if one.state in (_OPEN_OUT if one.direction == "out" else _HERE) or _key(one) in kept
    ]  # fmt: skip
    offered = {one.attachment.id for one in here if one.direction == "out"}
    arrived = {(one.peer, one.attachment.id) for one in here if one.direction == "in"}
    for one in rows:
        if one.direction == "out" and one.attachment.id not in offered:
            files.drop_offered(one.attachment.id)
        if one.direction == "in" and (one.peer, one.attachment.id) not in arrived:
            files.drop_arrived(one.peer, one.attachment.id)
    return files.sweep(offered=offered, arrived=arrived)


def _key(one: CarriedAttachment) -> tuple[str, str, str]:
    return one.direction, one.peer, one.attachment.id


def _without_key(one: Attachment) -> Attachment:
    return Attachment(
        id=one.id, name=one.name, media_type=one.media_type, size=one.size, chunk=one.chunk, digest=one.digest,
        key=b"",
    )  # fmt: skip


def _refuse_other(known: Attachment, said: Attachment) -> None:
    facts = [(one.size, one.chunk, one.digest, one.key) for one in (known, said)]
    if facts[0] != facts[1]:
        raise InputError.because(
            expected=f"attachment {said.id} as it was announced before", got="another size, digest or key"
        )


def _too_much(node: Node, tx: Transaction, peer: str, one: Attachment) -> str:
    """Why this node does not take it; empty if it does."""
    most = node.settings.max_attachment_bytes
    if one.size > most:
        return f"larger than the {most:,} bytes that this node takes"
    bytes_, count = tx.attachments.kept_of(peer)
    if bytes_ + one.size > ATTACHMENTS_OF_ONE_PEER * most or count >= MOST_OF_ONE_PEER:
        return "more than this node keeps of one member at a time"
    return ""


def _tell(
    node: Node, tx: Transaction, carried: CarriedAttachment, state: AttachmentState, reason: str
) -> None:
    if not node.knows(carried.peer, carried.compact):
        return
    send(
        node, tx,
        Letter(
            compact=carried.compact, peer=carried.peer, type=STATE_TOLD, case_id="", purpose="receipt",
            legal_basis="", in_reply_to=carried.message_id,
            payload={"attachment": carried.attachment.id, "state": state.value, "reason": reason[:500]},
        ),
        actor="node",
    )  # fmt: skip


def record(
    node: Node, tx: Transaction, carried: CarriedAttachment, kind: str, /, *, actor: str, **more: Any
) -> None:
    """Events name it by its id: what people called it, and its digest, go when it is erased."""
    node.record(
        tx, kind, case_id=carried.case_id, actor=actor, attachment=carried.attachment.id,
        size=carried.attachment.size, peer=carried.peer, message=carried.message_id, **more,
    )  # fmt: skip
