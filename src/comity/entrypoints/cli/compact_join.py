"""`comity compact join`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.compact_show import compact_json, show
from comity.entrypoints.cli.terminal import out, print_json


def compact_join(
    folder: NodeDir,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The compact's file.")],
    as_json: AsJson = False,
) -> None:
    """Join a compact: from then on the node talks to its members, and to nobody else.

    Compare the printed fingerprint with the other members over another channel first. It is that of the trust
    anchor, and stays the same for good: later versions are taken over by the states' signatures.

    \b
    Examples:
      comity compact join hk c.json
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.admit import join

    compact = join(open_node(folder), file, actor=console_actor())
    if as_json:
        print_json(compact_json(compact))
        return
    show(compact)
    out.print(f"\n{folder} has joined. Start it (again): comity node run {folder}", highlight=False)
