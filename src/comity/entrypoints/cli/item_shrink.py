"""`comity item shrink`."""

from datetime import timedelta
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.consent_ask import ItemId
from comity.entrypoints.cli.terminal import out, print_json


def item_shrink(
    folder: NodeDir,
    item: ItemId,
    as_: As,
    to: Annotated[
        list[str],
        typer.Option(help="A member that may keep it; repeat for several, this node is kept in it."),
    ],
    why: Annotated[str, typer.Option(help="In your own words; the recipients read it.")],
    hours: Annotated[int, typer.Option(min=1, max=720, help="The time they have to comply.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Leave what we told others to fewer members. Who is no longer among them must close it, and says so.

    Whoever does not say in time that it complied raises an alarm here.

    \b
    Examples:
      comity item shrink hk message-77ab… --to ca-fraud-centre --why "The source is at risk." --as lau
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.retract import take_back

    node = open_node(folder)
    person = signed_in(node, as_)
    told = take_back(
        node, item, person=person, why=why, within=timedelta(hours=hours), audience=[node.id, *to]
    )
    if as_json:
        print_json({"item": item, "told": told})
    else:
        out.print(
            f"{item}: {', '.join(told) or 'nobody'} is told to comply within {hours} h", highlight=False
        )
