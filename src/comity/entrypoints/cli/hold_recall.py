"""`comity hold recall`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import PURPOSE, AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json


def hold_recall(
    folder: NodeDir,
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="The hold's id.")],
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the message.")],
    recipient: Annotated[
        str, typer.Option("--for", metavar="NAME", help="Who gets the file: a member, or another name.")
    ] = "outside",
    purpose: Annotated[str, typer.Option(help="What they get it for.")] = PURPOSE,
    as_json: AsJson = False,
) -> None:
    """Write the bank message that asks for held money back: ISO 20022 camt.056, reason FRAD.

    It names the payments of our own book that brought stolen money into the held account, by their UETR where the
    book has it. Nothing is sent: give it to the payer's bank, which sends it as its own.

    \b
    Examples:
      comity hold recall hk hold-77ab… --out recall.xml
    """
    from comity.backends.files import write_durably
    from comity.node.bootstrap import open_node
    from comity.node.recall import recall_message

    node = open_node(folder)
    content = recall_message(node, hold, recipient=recipient, purpose=purpose, actor=console_actor())
    write_durably(to, content)
    if as_json:
        print_json({"file": str(to), "hold": hold})
    else:
        out.print(f"{to}: the request for the money under {hold}", highlight=False, markup=False)
