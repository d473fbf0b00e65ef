"""`comity request list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor, signed_in
from comity.entrypoints.cli.matter_facts import MaybeAs
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.casework import Request


def request_list(folder: NodeDir, as_: MaybeAs = "", as_json: AsJson = False) -> None:
    """List requests, sent (→) and received (←), in the order in which they were made.

    Matters (request new) are listed too for somebody who says who they are and may read them.

    \b
    Examples:
      comity request list ca
      comity request list ca --as nadia
    """
    from comity.entrypoints.cli.matter_view import document
    from comity.node.bootstrap import open_node
    from comity.node.handling.reading import why_withheld
    from comity.node.matters import listed

    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "requests.listed", actor=console_actor())
        requests = tx.requests.all()
        why = {
            request.id: why_withheld(node, tx, request.case_id, request.created_at) for request in requests
        }
    matters = listed(node, person=signed_in(node, as_)) if as_ else ()
    if as_json:
        print_json([*(_plain(one, why[one.id]) for one in requests), *map(document, matters)])
        return
    table = table_of("request", "", "with", "case", "basis", "state", "since", whole=("request",))
    for one in requests:
        arrow = "→" if one.direction == "out" else "←"
        table.add_row(
            *shown(
            one.id, arrow, one.peer, one.case_id, one.basis["instrument"], state_of(one),
            f"{one.updated_at:%Y-%m-%d %H:%M:%S} UTC",
            )
        )  # fmt: skip
    for half in matters:
        arrow = "→" if half.side == "requesting" else "←"
        state = f"{half.state.replace('_', ' ')}{' (disputed)' if half.problem else ''}"
        basis = half.facts.get("basis")
        table.add_row(
            *shown(
                half.id, arrow, half.peer, half.case_id or half.procedure,
                basis["instrument"] if isinstance(basis, dict) else "", state,
                f"{half.updated_at:%Y-%m-%d %H:%M:%S} UTC",
            )
        )  # fmt: skip
    out.print(table if requests or matters else "No request yet.")
    if not as_:
        out.print("Matters (request new) are listed with --as NAME, for those who may read them.")


def _plain(request: Request, why: str) -> Any:
    """All of it, or what is known without what others told us."""
    if not why:
        return as_plain(request)
    return {
        "id": request.id, "case_id": request.case_id, "direction": request.direction, "peer": request.peer,
        "state": request.state, "withheld": why,
    }  # fmt: skip


def state_of(request: Request) -> str:
    words = request.state.replace("_", " ")
    return f"{words} ({request.refusal['ground']})" if request.refusal else words
