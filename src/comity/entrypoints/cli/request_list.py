"""`comity request list`."""

from comity.casework import Request
from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of
from comity.node.bootstrap import open_node


def request_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List requests, sent (→) and received (←), in the order in which they were made.

    \b
    Examples:
      comity request list ca
    """
    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "requests.listed", actor=console_actor())
        requests = tx.requests.all()
    if as_json:
        print_json([as_plain(request) for request in requests])
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
    out.print(table if requests else "No request yet.")


def state_of(request: Request) -> str:
    words = request.state.replace("_", " ")
    return f"{words} ({request.refusal['ground']})" if request.refusal else words
