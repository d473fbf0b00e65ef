"""`comity consent grant`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.consent_list import ConsentId
from comity.entrypoints.cli.terminal import as_plain, out, print_json
from comity.exchange.consent import Answer
from comity.node.bootstrap import open_node
from comity.node.handling.consent import answer_by_hand


def consent_grant(
    folder: NodeDir,
    consent: ConsentId,
    as_: As,
    days: Annotated[
        int, typer.Option(min=0, max=365, help="For so many days; 0: for as long as was asked.")
    ] = 0,
    why: Annotated[str, typer.Option(help="In your own words; the peer reads it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Consent to what a peer asked: to that use of that item, for that purpose, and until its end only.

    \b
    Examples:
      comity consent grant hk consent-0f3a… --days 7 --as lau
    """
    node = open_node(folder)
    person = signed_in(node, as_)
    row = answer_by_hand(node, consent, Answer.GRANT, person=person, days=days, why=why)
    if as_json:
        print_json(as_plain(row))
    else:
        out.print(f"{row.id} is granted; {row.peer} is told", highlight=False)
