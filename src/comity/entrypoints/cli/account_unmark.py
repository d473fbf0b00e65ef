"""`comity account unmark`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.account_mark import Account
from comity.entrypoints.cli.arguments import As, NodeDir, signed_in
from comity.entrypoints.cli.terminal import out, shown


def account_unmark(
    folder: NodeDir,
    account: Account,
    reason: Annotated[str, typer.Option(help="Why money can be followed through it after all.")],
    as_: As,
) -> None:
    """Take the mark off an account: what arrives there is followed on.

    \b
    Examples:
      comity account unmark hk hk-pool-1 --reason "We have its sub-ledger now" --as mei
    """
    from comity.node.bootstrap import open_node
    from comity.node.choke import unmark

    node = open_node(folder)
    unmark(node, account, reason=reason, person=signed_in(node, as_))
    out.print(f"Traces go on at {shown(account)[0]}.", highlight=False)
