"""`comity compact rotate`."""

from datetime import timedelta
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.compact_change import RootKey
from comity.entrypoints.cli.compact_show import compact_json, show
from comity.entrypoints.cli.terminal import out, print_json


def compact_rotate(
    folder: NodeDir,
    overlap: Annotated[
        float, typer.Option(metavar="DAYS", help="So long the old keys still verify.", min=0.1, max=90)
    ] = 7,
    key: RootKey = None,
    as_json: AsJson = False,
) -> None:
    """Give this node new signing, sealing and TLS keys in every compact it has joined.

    The old keys still verify during the overlap, and what was sealed to them is still opened. New messages use
    the new ones. Repeating the command after a crash finishes it.

    \b
    Examples:
      comity compact rotate hk
      comity compact rotate hk --overlap 14 --root-key /media/stick/hk-root.json
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.publish import root_key, rotate

    node = open_node(folder)
    done = rotate(node, overlap=timedelta(days=overlap), key=root_key(node, key), actor=console_actor())
    if as_json:
        print_json([compact_json(one.compact) for one in done])
        return
    for one in done:
        show(one.compact)
    out.print(f"\n{folder} has new keys. The old ones hold for {overlap:g} more days.", highlight=False)
