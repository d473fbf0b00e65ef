"""`comity attachment list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of
from comity.entrypoints.plain_text import byte_count

if TYPE_CHECKING:
    from comity.backends.sql.attachments import CarriedAttachment
    from comity.node.bootstrap import Node


def attachment_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List what came with notices (←) and what we offer (→), with what became of it.

    What a peer called its file is shown while what it came with may be searched.

    \b
    Examples:
      comity attachment list hk
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.reading import why_unnamed

    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "attachments.listed", actor=console_actor())
        found = [
            (one, why_unnamed(node, tx, one)) for one in sorted(tx.attachments.all(), key=lambda one: one.at)
        ]
    if as_json:
        print_json([_document(node, one, why) for one, why in found])
        return
    table = table_of("attachment", "", "with", "name", "size", "state", whole=("attachment",))
    for one, why in found:
        table.add_row(
            *shown(
                one.attachment.id[:16], "→" if one.direction == "out" else "←", one.peer,
                f"({why})" if why else one.attachment.name,
                byte_count(one.attachment.size), _state(node, one),
            )
        )  # fmt: skip
    out.print(table if found else "Nothing was attached to any notice yet.")


def _arrived(node: Node, one: CarriedAttachment) -> int:
    from comity.node.attachments.attach import files_of

    return files_of(node).arrived(one.peer, one.attachment.id) if one.direction == "in" else 0


def _state(node: Node, one: CarriedAttachment) -> str:
    from comity.backends.sql.attachments import AttachmentState

    if one.state is AttachmentState.FETCHING:
        return f"fetching, {100 * _arrived(node, one) // one.attachment.layout.sealed_size} %"
    return f"{one.state} ({one.reason})" if one.reason else one.state.value


def _document(node: Node, one: CarriedAttachment, why: str) -> dict[str, object]:
    return {
        "id": one.attachment.id, "direction": one.direction, "peer": one.peer, "notice": one.message_id,
        "case": one.case_id, "name": "" if why else one.attachment.name,
        "media_type": "" if why else one.attachment.media_type, "withheld": why,
        "size": one.attachment.size, "digest": "" if why else one.attachment.digest, "state": one.state.value,
        "reason": one.reason, "arrived": _arrived(node, one), "at": one.at.isoformat(),
    }  # fmt: skip
