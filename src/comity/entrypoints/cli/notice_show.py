"""`comity notice show`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.notice_list import notice_document
from comity.entrypoints.cli.terminal import out, print_json, shown
from comity.entrypoints.plain_text import byte_count


def notice_show(
    folder: NodeDir,
    notice: Annotated[str, typer.Argument(metavar="ID", help="The notice's id, as the list gives it.")],
    as_json: AsJson = False,
) -> None:
    """Show a notice: what it says, and what became of each file that came with it.

    \b
    Examples:
      comity notice show hk message-0f3a…
    """
    from comity.node.bootstrap import open_node
    from comity.node.notice import notice_named

    node = open_node(folder)
    with node.records.transaction() as tx:
        found = notice_named(node, tx, notice)
        node.record(tx, "notice.read", case_id=found.case_id, actor=console_actor(), notice=found.id)
    if as_json:
        print_json(notice_document(found))
        return
    way = "to" if found.sent_by_us else "from"
    by = f" by {found.person}" if found.person else ""
    out.print(
        f"[bold]{shown(found.id)[0]}[/]  {way} {', '.join(found.peers)}{by}, {found.at:%Y-%m-%d %H:%M:%S} UTC",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    if found.case_id:
        out.print(f"  case      {found.case_id}", highlight=False)
    if found.withheld:
        out.print(f"  not shown {shown(found.withheld)[0]}", highlight=False, soft_wrap=True)
        return
    out.print(f"  subject   {shown(found.subject)[0]}", highlight=False, soft_wrap=True)
    for line in found.text.split("\n"):
        out.print(f"            {shown(line)[0]}".rstrip(), highlight=False, soft_wrap=True)
    for one in found.attachments:
        with_whom = f", {one.peer}" if found.sent_by_us else ""
        name, reason = shown(one.attachment.name, f" ({one.reason})" if one.reason else "")
        out.print(
            f"  attached  {name}, {byte_count(one.attachment.size)}{with_whom}: {one.state}{reason}\n"
            f"            {one.attachment.id}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
