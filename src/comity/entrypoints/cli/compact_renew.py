"""`comity compact renew`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.compact_change import Proposal, RootKey, show_signed
from comity.entrypoints.cli.compact_show import CompactName


def compact_renew(
    folder: NodeDir,
    file: Proposal = None,
    threshold: Annotated[
        int | None, typer.Option(metavar="K", help="From now on so many states must sign together.")
    ] = None,
    name: CompactName = None,
    key: RootKey = None,
    as_json: AsJson = False,
) -> None:
    """Propose that every signed part of the register holds for two more years; every state signs.

    `comity compact show` says until when it holds now. The same proposal can change the threshold.

    \b
    Examples:
      comity compact renew hk --out renewed.json
      comity compact renew hk --out renewed.json --threshold 3
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.publish import propose_change, renewing, root_key

    node = open_node(folder)
    done = propose_change(
        node, node.compact(name).name, renewing(threshold), key=root_key(node, key), file=file,
        actor=console_actor(),
    )  # fmt: skip
    show_signed(done, file, as_json)
