"""`comity deadline list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.node.deadlines import DeadlineLine


def deadline_list(
    folder: NodeDir,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those whose time is over and that were not swept.")
    ] = False,
    past: Annotated[bool, typer.Option("--past", help="Those that have passed or were met, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the deadlines that run: of what, by which rule, legal or a target, until when, and where it is from.

    Terms in working days were counted when they were set, in the calendar
    that their source names; what of it was not known then stands there too.

    \b
    Examples:
      comity deadline list hk
      comity deadline list hk --overdue
      comity deadline list hk --past --json
    """
    from comity.law.calendars import calendar_of
    from comity.node.bootstrap import open_node
    from comity.node.deadlines import list_deadlines

    node = open_node(folder)
    lines = list_deadlines(node, actor=console_actor(), overdue=overdue, past=past)
    if as_json:
        print_json([_plain(one) for one in lines])
        return
    table = table_of("due", "", "rule", "of", "case", "source", "state", whole=("due",))
    for line in lines:
        one = line.deadline
        table.add_row(
            *shown(
                f"{one.due_at:%Y-%m-%d %H:%M} UTC", "law" if one.kind == "L" else "target", one.rule,
                f"{one.subject} {one.subject_id}".replace(f"{one.subject} {one.subject}-", f"{one.subject}-"),
                line.case_id, one.source, "overdue" if line.overdue else one.state,
            )
        )  # fmt: skip
    out.print(table if lines else "No deadline.")
    own = calendar_of(node.settings.authority.jurisdiction)
    out.print(f"[dim]working days here: {shown(own.version)[0]}[/]", highlight=False)


def _plain(line: DeadlineLine) -> Any:
    return {**as_plain(line.deadline), "case_id": line.case_id, "overdue": line.overdue}
