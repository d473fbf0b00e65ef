"""`comity item retract`."""

from datetime import timedelta
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.consent_ask import ItemId
from comity.entrypoints.cli.terminal import out, print_json


def item_retract(
    folder: NodeDir,
    item: ItemId,
    as_: As,
    why: Annotated[str, typer.Option(help="In your own words; the recipients read it.")],
    hours: Annotated[int, typer.Option(min=1, max=720, help="The time they have to comply.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Take back what we told others: recipients hide it at once, erase it in the time given, and sign that they did.

    Whoever does not say in time that it complied raises an alarm here.

    \b
    Examples:
      comity item retract hk message-77ab… --why "Wrong account." --as lau
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.retract import take_back

    node = open_node(folder)
    person = signed_in(node, as_)
    told = take_back(node, item, person=person, why=why, within=timedelta(hours=hours))
    if as_json:
        print_json({"item": item, "told": told})
    else:
        out.print(
            f"{item}: {', '.join(told) or 'nobody'} is told to comply within {hours} h", highlight=False
        )
