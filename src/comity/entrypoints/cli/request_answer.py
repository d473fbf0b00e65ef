"""`comity request answer`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.request_show import RequestId
from comity.entrypoints.cli.terminal import as_plain, out, print_json


def request_answer(folder: NodeDir, request: RequestId, as_: As, as_json: AsJson = False) -> None:
    """Answer a request that waits for an officer: trace on in the own book, hold what rests, reply.

    \b
    Examples:
      comity request answer th request-0f3a… --as somchai
    """
    from comity.node.answer import answer_by_hand
    from comity.node.bootstrap import open_node

    node = open_node(folder)
    done = answer_by_hand(node, request, person=signed_in(node, as_))
    if as_json:
        print_json(as_plain(done))
    else:
        out.print(f"{done.id} is answered; the reply is queued for {done.peer}")
