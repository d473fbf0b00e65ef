"""`comity item widen`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.consent_ask import ItemId
from comity.entrypoints.cli.terminal import out, print_json


def item_widen(
    folder: NodeDir,
    item: ItemId,
    as_: As,
    why: Annotated[str, typer.Option(help="In your own words; the recipients read it.")],
    to: Annotated[
        list[str] | None, typer.Option(help="A further member that may have it; repeat for several.")
    ] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="A further purpose; repeat for several.")] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="An action to allow: judicial_use, link, …; repeat for several.")
    ] = None,
    days: Annotated[int, typer.Option(min=0, max=36_525, help="Keep it so many days at least.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Permit more of what we told others. Only its one originator can: not what was made from others' words too.

    Who has it and may keep it is told. A consent (`comity consent grant`) permits one use to one member instead.

    \b
    Examples:
      comity item widen hk message-77ab… --to th-police --why "The source agrees." --as lau
      comity item widen hk message-77ab… --allow judicial_use --why "Released as evidence." --as lau
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.widen import Wider, widen

    node = open_node(folder)
    person = signed_in(node, as_)
    wider = Wider(audience=to or (), purposes=purpose or (), allow=allow or (), days=days)
    told = widen(node, item, wider, person=person, why=why)
    if as_json:
        print_json({"item": item, "told": told})
    else:
        out.print(f"{item}: {', '.join(told) or 'nobody'} is told that more is permitted", highlight=False)
