"""`comity compact sign`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.compact_change import RootKey, show_signed
from comity.entrypoints.cli.terminal import out


def compact_sign(
    folder: NodeDir,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proposal; it is changed in place.")],
    key: RootKey = None,
    as_json: AsJson = False,
) -> None:
    """Sign a proposal for a compact, or for a change of one, with this state's register key.

    Read first whom it takes in. The last signature that is needed completes it, and publishes it if this node
    is in the compact already.

    \b
    Examples:
      comity compact sign hk c.json
      comity compact sign hk c.json --root-key /media/stick/hk-root.json
    """
    from comity.node.bootstrap import open_node
    from comity.node.registers.publish import root_key, sign_file

    node = open_node(folder)
    if not as_json:
        _show_proposed(file)
    show_signed(sign_file(node, file, key=root_key(node, key), actor=console_actor()), file, as_json)


def _show_proposed(file: Path) -> None:
    from comity.exchange import read_card
    from comity.node.registers.admit import open_bundle

    for path, content in sorted(open_bundle(file).proposed.items()):
        if path.endswith(".card.jws"):
            member = read_card(content.decode("utf-8"))
            out.print(
                f"  takes in {member.id} of {member.state}: {member.endpoint}, key {member.signing_key_id}"
            )
        else:
            out.print(f"  changes {path.partition('/')[2]}", highlight=False)
