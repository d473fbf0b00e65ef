"""`comity peer pin`."""

from comity.entrypoints.cli.arguments import NodeDir, console_actor
from comity.entrypoints.cli.peer_list import Peer
from comity.entrypoints.cli.terminal import out


def peer_pin(folder: NodeDir, member: Peer) -> None:
    """Hold a peer to the signing key it has now.

    If its register ever shows another key, the peer is suspended (nothing goes, nothing is taken in) until it is
    pinned again or trusted.

    \b
    Examples:
      comity peer pin hk ca-fraud
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.peer_rules import pin

    rule = pin(open_node(folder), member, actor=console_actor())
    out.print(f"{member} is held to key {rule.signing_key_id}.", highlight=False)
