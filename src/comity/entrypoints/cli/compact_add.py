"""`comity compact add`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.compact_change import Proposal, RootKey, show_signed
from comity.entrypoints.cli.compact_show import CompactName


def compact_add(
    folder: NodeDir,
    cards: Annotated[list[Path], typer.Argument(metavar="CARD…", help="Cards of the new members.")],
    file: Proposal = None,
    name: CompactName = None,
    key: RootKey = None,
    as_json: AsJson = False,
) -> None:
    """Take further members into a compact.

    A further node of this state needs this state alone, and is in at once. A new state needs the states'
    threshold: the proposal goes into a file that they and the new state sign.

    \b
    Examples:
      comity compact add hk hk2/card.jws
      comity compact add hk th/card.jws --out with-th.json
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.publish import adding, propose_change, root_key

    node = open_node(folder)
    done = propose_change(
        node, node.compact(name).name, adding(cards), key=root_key(node, key), file=file, actor=console_actor()
    )  # fmt: skip
    show_signed(done, file, as_json)
