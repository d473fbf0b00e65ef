"""`comity attachment fetch`."""

from comity.entrypoints.cli.arguments import As, NodeDir, signed_in
from comity.entrypoints.cli.attachment_save import AttachmentId, From
from comity.entrypoints.cli.terminal import out


def attachment_fetch(folder: NodeDir, attachment: AttachmentId, as_: As, from_: From = "") -> None:
    """Fetch again what was refused or failed: there is room now, or the sender has it again.

    \b
    Examples:
      comity attachment fetch hk 3f5a09c1d2… --as wing
    """
    from comity.node.attachments.export import fetch_again
    from comity.node.bootstrap import open_node

    node = open_node(folder)
    fetch_again(node, attachment, person=signed_in(node, as_), peer=from_)
    out.print("It is fetched while this node runs: comity attachment list DIR", highlight=False)
