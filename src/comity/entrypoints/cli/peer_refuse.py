"""`comity peer refuse`."""

from comity.entrypoints.cli.arguments import NodeDir, console_actor
from comity.entrypoints.cli.peer_list import Peer
from comity.entrypoints.cli.terminal import out


def peer_refuse(folder: NodeDir, member: Peer) -> None:
    """Refuse a peer: this node treats it as no member of any compact.

    It takes effect at once, whatever the registers say, and only on this node.

    \b
    Examples:
      comity peer refuse hk ca-fraud
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.peer_rules import refuse

    refuse(open_node(folder), member, actor=console_actor())
    out.print(f"{member} is refused from now on.", highlight=False)
