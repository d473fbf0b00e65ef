"""`comity account mark`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account, as the transfers name it.")]


def account_mark(
    folder: NodeDir,
    account: Account,
    kind: Annotated[str, typer.Option(help="omnibus, mixer, correspondent, acquirer, agent or cash.")],
    reason: Annotated[str, typer.Option(help="Why the book cannot say whose money is whose there.")],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Mark an account of this book as one at which tracing ends: what arrives there is a choke point.

    Cases of this node are followed again. A case names what arrived, and the request that would pierce it.

    \b
    Examples:
      comity account mark hk hk-pool-1 --kind omnibus --reason "Client money of a broker" --as mei
    """
    from comity.law.chokes import piercing
    from comity.node.bootstrap import open_node
    from comity.node.choke import mark

    node = open_node(folder)
    done = mark(node, account, kind, reason=reason, person=signed_in(node, as_))
    if as_json:
        print_json(as_plain(done))
        return
    way = piercing(done.kind)
    out.print(f"Traces end at {shown(done.account)[0]} ({done.kind}).", highlight=False)
    out.print(f"  what would pierce it: {way.request}", highlight=False, soft_wrap=True)
    out.print(f"  of: {way.addressee} ({way.basis})", highlight=False, soft_wrap=True)
