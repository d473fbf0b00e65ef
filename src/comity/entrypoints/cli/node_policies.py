"""`comity node policies`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json


def node_policies(
    folder: NodeDir,
    add: Annotated[
        str,
        typer.Option(metavar="FILE", help="Copy this file, which ships with the program, into DIR/policy."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List what no policy of this node permits to anybody, and the files that ship for it; or add one of them.

    A node keeps the policies that it was founded with. What the program has learnt to do since is permitted to nobody
    there until somebody adds a policy for it: one of those that ship, or one of its own. Start the node again then.

    \b
    Examples:
      comity node policies hk
      comity node policies hk --add matters.cedar
    """
    from comity.node.bootstrap import open_node
    from comity.node.policy_files import add_policies, lacking

    node = open_node(folder)
    if add:
        added = add_policies(node, add, actor=console_actor())
        out.print(f"{added} was added: start the node again if it runs", highlight=False)
        return
    found = lacking(node)
    if as_json:
        print_json({"permitted_to_nobody": [one.value for one in node.policies.unpermitted], "ships": found})
        return
    if not found:
        out.print("Everything is permitted to somebody.")
    for file, actions in found.items():
        out.print(f"permitted to nobody: {', '.join(actions)}", highlight=False, soft_wrap=True)
        out.print(f"  comity node policies {folder} --add {file}", highlight=False, soft_wrap=True)
