"""`comity deconflict agree`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import out, print_json


def deconflict_agree(
    folder: NodeDir,
    reference: Annotated[
        str, typer.Argument(metavar="REFERENCE", help="The same target: comity deconflict list DIR.")
    ],
    contact: Annotated[str, typer.Option(help="Whom the other side may talk to: name, office, telephone.")],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Agree that the other side may know our case and whom to contact; they go once it has agreed as well.

    Who does not agree reveals nothing more, and after 14 days it is over.

    \b
    Examples:
      comity deconflict agree ca same-0f3a9d8e7b6c --contact "Desk 5, +1 613 555 0101" --as lau
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.deconflict_agree import agree

    node = open_node(folder)
    hit = agree(node, reference, contact=contact, person=signed_in(node, as_))
    if as_json:
        print_json({"reference": hit.reference, "peer": hit.peer, "both": hit.theirs_at is not None})
    elif hit.theirs_at is None:
        out.print(f"{hit.peer} is told that we agree; nothing more until it does", highlight=False)
    else:
        out.print(f"Both have agreed; our case and contact go to {hit.peer}", highlight=False)
