"""`comity compact remove`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.compact_change import Proposal, RootKey, show_signed
from comity.entrypoints.cli.compact_show import CompactName


def compact_remove(
    folder: NodeDir,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Who leaves.")],
    file: Proposal = None,
    name: CompactName = None,
    key: RootKey = None,
    as_json: AsJson = False,
) -> None:
    """Let a member leave a compact, with its state if it was that state's only one.

    One of several nodes of this state leaves by this state's word; a state leaves by the threshold of states.

    \b
    Examples:
      comity compact remove ca th-amlo --out without-th.json
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.publish import propose_change, removing, root_key

    node = open_node(folder)
    done = propose_change(
        node, node.compact(name).name, removing(member), key=root_key(node, key), file=file, actor=console_actor()
    )  # fmt: skip
    show_signed(done, file, as_json)
