"""`comity request show`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.request_list import state_of
from comity.entrypoints.cli.terminal import as_plain, out, print_json
from comity.node.bootstrap import open_node

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]


def request_show(folder: NodeDir, request: RequestId, as_json: AsJson = False) -> None:
    """Show a request: its basis with the reasons, what it asks, its deadlines and what became of it.

    \b
    Examples:
      comity request show ca request-0f3a…
    """
    node = open_node(folder)
    with node.records.transaction() as tx:
        found = tx.requests.get(request)
        deadlines = tx.deadlines.of_subject("request", request)
        node.record(tx, "request.read", case_id=found.case_id, actor=console_actor(), request=request)
    if as_json:
        print_json({**as_plain(found), "deadlines": [as_plain(one) for one in deadlines]})
        return
    out.print(
        f"[bold]{found.id}[/]  {'to' if found.direction == 'out' else 'from'} {found.peer}: {state_of(found)}"
    )
    out.print(f"  case      {found.case_id}", highlight=False)
    out.print(
        f"  basis     {found.basis['instrument']} ({found.basis['confidence']} confidence)", highlight=False
    )
    for reason in found.basis["reasons"]:
        out.print(f"            {reason}", highlight=False, style="dim")
    out.print(f"  facts     {found.payload['facts']}", highlight=False)
    out.print(
        f"  asks      {', '.join(found.payload['asks'])} of {len(found.payload['crossings'])} transfers"
    )
    for one in deadlines:
        rule = one.rule.rpartition("/")[2]
        out.print(f"  deadline  {rule}: {one.due_at:%Y-%m-%d %H:%M} UTC, {one.state}", highlight=False)
    if found.refusal:
        out.print(f"  refused   {found.refusal['ground']}: {found.refusal['text']}", highlight=False)
