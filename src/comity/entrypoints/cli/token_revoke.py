"""`comity token revoke`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import as_plain, out, print_json


def token_revoke(
    folder: NodeDir,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The token's name: token-….")],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Revoke a program's token: from now on it is good for nothing.

    \b
    Examples:
      comity token revoke hk token-5f0c… --as administrator
    """
    from comity.node.bootstrap import open_node
    from comity.node.tokens import revoke

    node = open_node(folder)
    done = revoke(node, token, by=signed_in(node, as_))
    if as_json:
        print_json(as_plain(done))
    else:
        out.print(f"{done.id} of {done.person} is revoked", highlight=False)
