"""`comity consent ask`."""

from datetime import timedelta
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import PURPOSE, As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import as_plain, out, print_json

ItemId = Annotated[str, typer.Argument(metavar="ITEM", help="The item's id: comity item list DIR.")]


def consent_ask(
    folder: NodeDir,
    item: ItemId,
    as_: As,
    action: Annotated[
        str, typer.Option(help="What is to be done: disclose_onward, judicial_use, contact_subject, …")
    ],
    recipient: Annotated[
        str, typer.Option(help="The member that is to be told, or that will do it; this node by default.")
    ] = "",
    purpose: Annotated[str, typer.Option(help="What for.")] = PURPOSE,
    days: Annotated[int, typer.Option(min=1, max=365, help="For how long.")] = 30,
    why: Annotated[str, typer.Option(help="In your own words; the originator reads it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask the originators of what a peer told us for more than its obligations allow.

    A consent is for one item, action, recipient and purpose, and ends. Until every originator has granted it
    nothing goes; what waits for it goes on by itself then.

    \b
    Examples:
      comity consent ask ca message-77ab… --action disclose_onward --recipient la-police --as mei
      comity consent ask ca message-77ab… --action judicial_use --why "Hearing on 3 June" --as lau
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.consent import Wanted, ask_by_hand

    node = open_node(folder)
    wanted = Wanted(
        action=action, recipient=recipient or node.id, purpose=purpose, why=why, lasts=timedelta(days=days)
    )
    rows = ask_by_hand(node, item, wanted, person=signed_in(node, as_))
    if as_json:
        print_json([as_plain(row) for row in rows])
        return
    for row in rows:
        out.print(f"{row.id}: {row.peer} is asked", highlight=False)
    if not rows:
        out.print("Nobody is asked: it was asked before and is open or granted. See: comity consent list DIR")
