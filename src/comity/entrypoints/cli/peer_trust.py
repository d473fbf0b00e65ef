"""`comity peer trust`."""

from comity.entrypoints.cli.arguments import NodeDir, console_actor
from comity.entrypoints.cli.peer_list import Peer
from comity.entrypoints.cli.terminal import out


def peer_trust(folder: NodeDir, member: Peer) -> None:
    """Take back what this node said of a peer: from now on its registers decide.

    \b
    Examples:
      comity peer trust hk ca-fraud
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.peer_rules import trust

    trust(open_node(folder), member, actor=console_actor())
    out.print(f"{member} is what its registers say.", highlight=False)
