"""`comity hold place`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import out, print_json


def hold_place(
    folder: NodeDir,
    case: Annotated[str, typer.Argument(metavar="CASE", help="A case of this node.")],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Hold what rests in the own book in a case, where no standing policy holds it by itself.

    For a request from abroad, answer it: that places the holds.

    \b
    Examples:
      comity hold place ca case-5f0c… --as nadia
    """
    from comity.node.bootstrap import open_node
    from comity.node.hold import hold_by_hand

    node = open_node(folder)
    placed = hold_by_hand(node, case, person=signed_in(node, as_))
    if as_json:
        print_json({"case": case, "placed": placed})
    else:
        out.print(f"{placed} new holds in {case}", highlight=False)
