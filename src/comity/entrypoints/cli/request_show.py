"""`comity request show`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor, signed_in
from comity.entrypoints.cli.matter_facts import MaybeAs
from comity.entrypoints.cli.request_list import state_of
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]


def request_show(folder: NodeDir, request: RequestId, as_: MaybeAs = "", as_json: AsJson = False) -> None:
    """Show a request: its basis with the reasons, what it asks, its deadlines and what became of it.

    For a matter (request new) also every step, and what may be decided next and what still stands against it.

    \b
    Examples:
      comity request show ca request-0f3a…
      comity request show ca matter-0f3a… --as nadia
    """
    if request.startswith("matter-"):
        _show_matter(folder, request, as_, as_json)
        return
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
    lines += [("deadline", f"{one.name}: {one.due_at:%Y-%m-%d %H:%M} UTC, {one.state}") for one in deadlines]
    if found.refusal:
        lines.append(("refused", f"{found.refusal['ground']}: {found.refusal['text']}"))
    way = "to" if found.direction == "out" else "from"
    out.print(f"[bold]{found.id}[/]  {way} {found.peer}: {shown(state_of(found))[0]}", highlight=False)
    for name, text in lines:
        out.print(f"  {name:<9} {shown(text)[0]}", highlight=False, soft_wrap=True)


def _show_matter(folder: Path, matter_id: str, as_: str, as_json: bool) -> None:
    from comity.entrypoints.cli.matter_view import document, show
    from comity.errors import InputError
    from comity.node.bootstrap import open_node
    from comity.node.matters import get, openings

    if not as_:
        raise InputError.because(expected="--as NAME: who reads a matter is recorded", got="nobody")
    node = open_node(folder)
    person = signed_in(node, as_)
    matter, one = get(node, matter_id, person=person)
    may = openings(node, matter, one, person=person)
    with node.records.reading() as tx:
        deadlines = tx.deadlines.of_subject("matter", matter_id)
    if as_json:
        rest = {"openings": [as_plain(x) for x in may], "deadlines": [as_plain(x) for x in deadlines]}
        print_json({**document(matter), **rest})
        return
    show(matter, one, may, deadlines)
