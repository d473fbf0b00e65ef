"""`comity notice list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.node.notice import ShownNotice


def notice_list(
    folder: NodeDir,
    case: Annotated[str | None, typer.Option(metavar="CASE", help="Only those of this case.")] = None,
    as_json: AsJson = False,
) -> None:
    """List notices, sent (→) and received (←), oldest first.

    \b
    Examples:
      comity notice list ca
      comity notice list ca --case case-5f0c… --json
    """
    from comity.node.bootstrap import open_node
    from comity.node.notice import notices

    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "notices.listed", case_id=case or "", actor=console_actor())
        found = notices(node, tx, case_id=case)
    if as_json:
        print_json([notice_document(one) for one in found])
        return
    table = table_of("notice", "", "with", "case", "subject", "attached", "at", whole=("notice",))
    for one in found:
        table.add_row(
            *shown(
                one.id, "→" if one.sent_by_us else "←", ", ".join(one.peers), one.case_id,
                f"({one.withheld})" if one.withheld else one.subject, attached(one), f"{one.at:%Y-%m-%d %H:%M:%S} UTC",
            )
        )  # fmt: skip
    out.print(table if found else "No notice yet.")


def attached(notice: ShownNotice) -> str:
    """How many files, each counted once whomever it went to."""
    return str(len({one.attachment.id for one in notice.attachments}) or "–")


def notice_document(notice: ShownNotice) -> dict[str, object]:
    """As JSON, without keys."""
    plain: dict[str, object] = as_plain(notice)
    plain["attachments"] = [
        {
            "id": one.attachment.id, "peer": one.peer, "name": one.attachment.name,
            "media_type": one.attachment.media_type, "size": one.attachment.size,
            "digest": one.attachment.digest, "state": one.state.value, "reason": one.reason,
        }
        for one in notice.attachments
    ]  # fmt: skip
    return plain
