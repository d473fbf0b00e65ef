"""`comity compact update`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.compact_show import CompactName, compact_json, registered, show
from comity.entrypoints.cli.terminal import err, out, print_json


def compact_update(
    folder: NodeDir,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A file that a member saved; else from the members."),
    ] = None,
    name: CompactName = None,
    as_json: AsJson = False,
) -> None:
    """Take over a later version of a compact's register, from the other members' nodes or from a file.

    It is taken only if the states' signatures hold and it comes after the one held. A running node does this
    by itself.

    \b
    Examples:
      comity compact update hk
      comity compact update hk fresh.json
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.mirrors import update_from_file, update_from_mirrors

    node = open_node(folder)
    compact = registered(node, name)
    if file is None:
        for problem in update_from_mirrors(node, compact.name):
            err.print(problem, highlight=False, markup=False)
    else:
        update_from_file(node, compact.name, file, actor=console_actor())
    after = registered(node, compact.name)
    if as_json:
        print_json({**compact_json(after), "tier": str(after.tier(node.clock()))})
        return
    show(after)
    news = "a later version" if after.digest != compact.digest else "the version it had"
    out.print(f"\n{folder} holds {news}; the register is {after.tier(node.clock())}.", highlight=False)
