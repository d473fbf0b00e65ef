"""`comity request show`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.request_list import state_of
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]


def request_show(folder: NodeDir, request: RequestId, as_json: AsJson = False) -> None:
    """Show a request: its basis with the reasons, what it asks, its deadlines and what became of it.

    \b
    Examples:
      comity request show ca request-0f3a…
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.exits import require_case, require_moment

    node = open_node(folder)
    with node.records.reading() as tx:
        found = tx.requests.get(request)
    require_case(node, found.case_id, actor=console_actor())
    require_moment(node, found.case_id, found.created_at, actor=console_actor())
    with node.records.transaction() as tx:
        found = tx.requests.get(request)
        deadlines = tx.deadlines.of_subject("request", request)
        node.record(tx, "request.read", case_id=found.case_id, actor=console_actor(), request=request)
    if as_json:
        print_json({**as_plain(found), "deadlines": [as_plain(one) for one in deadlines]})
        return
    lines = [
        ("case", found.case_id),
        ("basis", f"{found.basis['instrument']} ({found.basis['confidence']} confidence)"),
        *(("", reason) for reason in found.basis["reasons"]),
        ("facts", found.payload["facts"]),
        ("asks", f"{', '.join(found.payload['asks'])} of {len(found.payload['crossings'])} transfers"),
    ]
    for one in deadlines:
        rule = one.rule.rpartition("/")[2]
        lines.append(("deadline", f"{rule}: {one.due_at:%Y-%m-%d %H:%M} UTC, {one.state}"))
    if found.refusal:
        lines.append(("refused", f"{found.refusal['ground']}: {found.refusal['text']}"))
    way = "to" if found.direction == "out" else "from"
    out.print(f"[bold]{found.id}[/]  {way} {found.peer}: {shown(state_of(found))[0]}", highlight=False)
    for name, text in lines:
        out.print(f"  {name:<9} {shown(text)[0]}", highlight=False, soft_wrap=True)
