"""`comity request settle`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.matter_facts import MatterId
from comity.entrypoints.cli.terminal import out, print_json


def request_settle(
    folder: NodeDir,
    matter: MatterId,
    as_: As,
    reason: Annotated[str, typer.Option(help="What people of both sides found, in your own words.")],
    as_json: AsJson = False,
) -> None:
    """Go on with a request on which both halves disagreed, once people have looked; the other side does so too.

    The side that follows asks for the whole story again, and disputes it again if it still differs.

    \b
    Examples:
      comity request settle ca matter-0f3a… --as imran --reason "their database had been put back"
    """
    from comity.entrypoints.cli.matter_view import document
    from comity.node.bootstrap import open_node
    from comity.node.matters import settle

    node = open_node(folder)
    done = settle(node, matter, reason=reason, person=signed_in(node, as_))
    if as_json:
        print_json(document(done))
    else:
        out.print(f"{done.id} goes on from {done.state}")
