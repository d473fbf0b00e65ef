"""`comity case keep`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import out, print_json

Case = Annotated[str, typer.Argument(metavar="CASE", help="A case of this node.")]
Ground = Annotated[str, typer.Option("--ground", metavar="TEXT", help="Why; it stays in the log's database.")]


def case_keep(folder: NodeDir, case: Case, ground: Ground, as_: As, as_json: AsJson = False) -> None:
    """Put a case under a legal hold: nothing of it is erased until that is lifted.

    \b
    Examples:
    comity case keep ca case-5f0c… --ground "appeal pending, Federal Court T-123-26" --as nadia
    """
    from comity.node.bootstrap import open_node
    from comity.node.erase import keep_case

    node = open_node(folder)
    hold = keep_case(node, case, ground=ground, person=signed_in(node, as_))
    if as_json:
        print_json({"case": case, "keep": hold})
    else:
        out.print(f"{case} is kept: {hold}", highlight=False, markup=False)
