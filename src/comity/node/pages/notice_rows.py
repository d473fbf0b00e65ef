"""Notices of a case as its page shows them. Reads; decides nothing."""

from collections.abc import Iterable, Sequence

from comity.backends.sql import Transaction
from comity.backends.sql.attachments import AttachmentState, CarriedAttachment
from comity.node.attachments.attach import files_of
from comity.node.bootstrap import Node
from comity.node.notice import ShownNotice, notices
from comity.node.pages.views import AttachmentRow, NoticeRow


def notice_rows(node: Node, tx: Transaction, case_id: str) -> Iterable[NoticeRow]:
    """Oldest first."""
    for one in notices(node, tx, case_id=case_id):
        yield NoticeRow(
            id=one.id, sent_by_us=one.sent_by_us, peers=one.peers, person=one.person, subject=one.subject,
            lines=tuple(one.text.split("\n")) if one.text else (), at=one.at, withheld=one.withheld,
            attachments=tuple(_attachment_rows(node, one)),
        )  # fmt: skip


def _attachment_rows(node: Node, notice: ShownNotice) -> Iterable[AttachmentRow]:
    """One row a file, whomever it went to."""
    files: dict[str, list[CarriedAttachment]] = {}
    for one in notice.attachments:
        files.setdefault(one.attachment.id, []).append(one)
    for id_, carried in files.items():
        first = carried[0].attachment
        yield AttachmentRow(
            id=id_, name=first.name, media_type=first.media_type, size=first.size, digest=first.digest,
            state=_words(node, carried), whole=all(one.state is AttachmentState.WHOLE for one in carried),
            trouble=any(one.state in (AttachmentState.REFUSED, AttachmentState.FAILED) for one in carried),
        )  # fmt: skip


def _words(node: Node, carried: Sequence[CarriedAttachment]) -> str:
    """What became of it; for what we sent, at each recipient."""
    if carried[0].direction == "out":
        return "; ".join(f"{_sent(one)}{_because(one)}" for one in carried)
    one = carried[0]
    if one.state is AttachmentState.FETCHING:
        arrived = files_of(node).arrived(one.peer, one.attachment.id)
        return f"arriving, {100 * arrived // one.attachment.layout.sealed_size} %"
    return {"announced": "to be fetched", "whole": "here, sealed", "refused": "not taken"}.get(
        one.state, one.state.value
    ) + _because(one)


def _sent(one: CarriedAttachment) -> str:
    if one.state is AttachmentState.OFFERED:
        return f"not yet fetched by {one.peer}"
    if one.state is AttachmentState.ERASED:
        return f"no longer offered to {one.peer}"
    return f"{one.state} at {one.peer}"


def _because(one: CarriedAttachment) -> str:
    return f" ({one.reason})" if one.reason else ""
