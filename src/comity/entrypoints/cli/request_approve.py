"""`comity request approve`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.request_show import RequestId
from comity.entrypoints.cli.terminal import as_plain, out, print_json


def request_approve(folder: NodeDir, request: RequestId, as_: As, as_json: AsJson = False) -> None:
    """Approve a request that no standing policy sends by itself; it goes out at once.

    Only somebody whose role may, and never the one who drafted it.

    \b
    Examples:
      comity request approve ca request-0f3a… --as nadia
    """
    from comity.node.bootstrap import open_node
    from comity.node.request import approve

    node = open_node(folder)
    done = approve(node, request, person=signed_in(node, as_))
    if as_json:
        print_json(as_plain(done))
    else:
        out.print(f"{done.id} is approved and queued for {done.peer}")
