"""Notices: what a person here tells members of a compact about a case, and what they told us.

What we told is kept in the event `notice.sent`, since the message itself is sealed to others; what we were told
is the message in the inbox.
"""

import mimetypes
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from comity.backends.attachment_files import NoRoom
from comity.backends.sql import Received, Transaction
from comity.backends.sql.attachments import CarriedAttachment
from comity.backends.sql.notices import ReceivedNotice
from comity.casework import Case
from comity.errors import ComityError, InputError, NotFound, StorageError
from comity.exchange.attachment import MEDIA_TYPE, Attachment
from comity.exchange.notice import MOST_ATTACHMENTS, NOTICE, Notice, read_notice, write_notice
from comity.law import Action
from comity.model import Event, Person
from comity.node.attachments.attach import announce, files_of, offer
from comity.node.bootstrap import Node
from comity.node.handling.gate import PURPOSE, barred, recording
from comity.node.handling.items import ended, keep_received
from comity.node.policy import require_with_case
from comity.node.post.send import Letter, send

SENT = "notice.sent"
_PLAIN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNotice:
    """A notice as people read it. `withheld` says why nothing of it is shown: erased, taken back, not to be read."""

    id: str
    sent_by_us: bool
    compact: str
    peers: tuple[str, ...]
    """Whom we told, or the one who told us."""
    person: str
    """Who of us told it; empty for one that arrived."""
    case_id: str
    """Our own case, or empty."""
    subject: str
    text: str
    attachments: tuple[CarriedAttachment, ...]
    at: datetime
    withheld: str = ""


def tell(
    node: Node, *, person: Person, compact: str | None, peers: Sequence[str], case_id: str, subject: str,
    text: str, files: Sequence[Path] = (), on_progress: Callable[[str, int], None] = lambda _name, _bytes: None,
) -> str:  # fmt: skip
    """Tell `peers` something about our case (or none, if `case_id` is empty), with files; return the message's id.

    Nothing is queued unless everything could be: the role, the members, the case's compact, every file. Nor if the
    register is too old for notices: it would wait in front of the replies and freezes that may still go.
    """
    require_with_case(node, Action.SEND_NOTICE, person)
    case = _case_of(node, case_id)
    name = node.compact(compact or (case.compact if case and case.compact else None)).name
    _require_fitting(node, name, case, peers)
    node.compact(name).refuse_stale(node.clock(), NOTICE, in_reply_to="")
    notice = Notice(
        origin=case.origin if case else "", case=case.origin_case if case else "", subject=subject, text=text
    )
    read_notice(write_notice(notice))
    sealed = _seal(node, files, on_progress)
    try:
        notice = replace(notice, attachments=sealed)
        return _send(node, notice, person, name, case, peers)
    except StorageError:
        raise  # perhaps it was committed: `tidy` removes the files if no row names them
    except BaseException:
        for one in sealed:
            files_of(node).drop_offered(one.id)
        raise


def take_notice(node: Node, tx: Transaction, received: Received) -> None:
    """File what a member tells us, and note what it attached; `InputError` if it is no notice."""
    notice = read_notice(received.payload)
    case = _spoken_of(node, tx, received, notice)
    case_id = case.id if case else ""
    tx.notices.file(received.compact, received.sender, received.id, case_id=case_id)
    node.record(
        tx, "notice.received", case_id=case_id, actor=received.sender, peer=received.sender,
        message=received.id, compact=received.compact,
        attachments=[one.id for one in notice.attachments],
    )  # fmt: skip
    keep_received(node, tx, received, case_id)
    announce(node, tx, received, notice.attachments, case_id=case_id)


def notices(node: Node, tx: Transaction, *, case_id: str | None = None) -> list[ShownNotice]:
    """Notices sent and received, oldest first; of one case only if `case_id` is given."""
    told = [_told(tx, event) for event in tx.events.of_kinds((SENT,)) if case_id in (None, event.case_id)]
    heard = tx.notices.all() if case_id is None else tx.notices.of_case(case_id)
    return sorted([*told, *(_heard(node, tx, one) for one in heard)], key=lambda one: (one.at, one.id))


def notice_named(node: Node, tx: Transaction, id_: str) -> ShownNotice:
    """The notice of that message id."""
    found = [one for one in notices(node, tx) if one.id == id_]
    if not found:
        raise NotFound.because(
            expected="a notice of this node", got=repr(id_), remedy="List them: comity notice list DIR"
        )
    if len(found) > 1:
        raise InputError.because(
            expected="one notice", got=f"one each from {', '.join(one.peers[0] for one in found)}"
        )
    return found[0]


def _case_of(node: Node, case_id: str) -> Case | None:
    if not case_id:
        return None
    with node.records.reading() as tx:
        return tx.cases.get(case_id)


def _require_fitting(node: Node, compact: str, case: Case | None, peers: Collection[str]) -> None:
    """Members of the one compact that the case belongs to: it is never spoken of in another."""
    if case is not None and case.compact and case.compact != compact:
        raise InputError.because(
            expected=f"compact {case.compact}, in which {case.id} is pursued", got=compact
        )
    if not peers or len(set(peers)) != len(peers) or node.id in peers:
        raise InputError.because(
            expected="one or several members other than us, each once", got=", ".join(peers) or "none"
        )
    strangers = [peer for peer in peers if not node.knows(peer, compact)]
    if strangers:
        raise NotFound.because(
            expected=f"members of {compact}", got=", ".join(strangers),
            remedy="See who the members are: comity compact show DIR",
        )  # fmt: skip


def _seal(
    node: Node, files: Sequence[Path], on_progress: Callable[[str, int], None]
) -> tuple[Attachment, ...]:
    """Seal every file, or leave none sealed behind."""
    if len(files) > MOST_ATTACHMENTS:
        raise InputError.because(expected=f"at most {MOST_ATTACHMENTS} attachments", got=str(len(files)))
    sealed: list[Attachment] = []
    try:
        for file in files:
            sealed += [_seal_one(node, file, on_progress)]
        read_notice(write_notice(Notice(origin="", case="", subject="-", text="", attachments=tuple(sealed))))
    except (ComityError, KeyboardInterrupt) as error:
        for one in sealed:
            files_of(node).drop_offered(one.id)
        if isinstance(error, NoRoom):
            error.next_step = "Free space on this node's disk, then send it again."
        raise
    return tuple(sealed)


def _seal_one(node: Node, file: Path, on_progress: Callable[[str, int], None]) -> Attachment:
    return files_of(node).seal(
        file,
        name=file.name,
        media_type=_media_type(file),
        on_progress=lambda done: on_progress(file.name, done),
    )


def _media_type(file: Path) -> str:
    guessed = (mimetypes.guess_type(file.name, strict=True)[0] or _PLAIN_TYPE).lower()
    return guessed if MEDIA_TYPE.fullmatch(guessed) else _PLAIN_TYPE


def _send(
    node: Node, notice: Notice, person: Person, compact: str, case: Case | None, peers: Sequence[str]
) -> str:
    case_id = case.id if case else ""
    with recording(node, case_id, actor=person.id), node.records.transaction() as tx:
        letter = Letter(
            compact=compact, peer=peers[0], also=tuple(peers[1:]), type=NOTICE, case_id=case_id,
            purpose=PURPOSE, legal_basis="", payload=write_notice(notice),
        )  # fmt: skip
        message_id = send(node, tx, letter, actor=person.id)
        for peer in peers:
            offer(
                node,
                tx,
                notice.attachments,
                compact=compact,
                peer=peer,
                message_id=message_id,
                case_id=case_id,
            )
        node.record(
            tx, SENT, case_id=case_id, actor=person.id, role=person.role.value, message=message_id,
            compact=compact, peers=list(peers), subject=notice.subject, text=notice.text,
            attachments=[{"id": one.id, "name": one.name, "digest": one.digest} for one in notice.attachments],
        )  # fmt: skip
    return message_id


def _spoken_of(node: Node, tx: Transaction, received: Received, notice: Notice) -> Case | None:
    """Our case that the notice is about, if its sender has a part in it; what others know of is nobody's guess.

    A case that the sender has no part in is treated like one that does not exist, so the answer tells nothing.
    """
    if not notice.case:
        return None
    case = (
        next((one for one in tx.cases.all() if one.id == notice.case and one.origin == node.id), None)
        if notice.origin == node.id
        else tx.cases.of_origin(notice.origin, notice.case)
    )
    if case is None or case.compact != received.compact:
        return None
    parties = {case.origin, *(request.peer for request in tx.requests.of_case(case.id))}
    return case if received.sender in parties else None


def _told(tx: Transaction, event: Event) -> ShownNotice:
    body, peers = event.body, tuple(str(one) for one in event.body["peers"])
    return ShownNotice(
        id=str(body["message"]), sent_by_us=True, compact=str(body["compact"]), peers=peers,
        person=event.actor, case_id=event.case_id, subject=str(body["subject"]), text=str(body["text"]),
        at=event.at, attachments=tuple(
            one for peer in peers for one in tx.attachments.of_message("out", peer, str(body["message"]))
        ),
    )  # fmt: skip


def _heard(node: Node, tx: Transaction, received: ReceivedNotice) -> ShownNotice:
    shown = ShownNotice(
        id=received.message_id, sent_by_us=False, compact=received.compact, peers=(received.sender,),
        person="", case_id=received.case_id, subject="", text="", attachments=(), at=received.received_at,
        withheld=_withheld(node, tx, received),
    )  # fmt: skip
    if shown.withheld or received.payload is None:
        return shown
    notice = read_notice(received.payload)
    carried = (tx.attachments.find("in", received.sender, one.id) for one in notice.attachments)
    return replace(
        shown, subject=notice.subject, text=notice.text,
        attachments=tuple(one for one in carried if one is not None),
    )  # fmt: skip


def _withheld(node: Node, tx: Transaction, received: ReceivedNotice) -> str:
    """Why it is not shown: its text is gone, or its obligations do not let us read it (any more)."""
    item = tx.items.find(received.compact, received.sender, received.message_id)
    if item is not None and item.state != "held":
        return ended(item)
    against = (
        barred(node, tx, "read", [item], recipient=node.id, purpose=received.purpose or PURPOSE)
        if item
        else []
    )
    if against:
        return against[0].problem
    return "erased" if received.payload is None else ""
