"""`comity consent refuse`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.consent_list import ConsentId
from comity.entrypoints.cli.terminal import as_plain, out, print_json
from comity.exchange.consent import Answer
from comity.node.bootstrap import open_node
from comity.node.handling.consent import answer_by_hand


def consent_refuse(
    folder: NodeDir,
    consent: ConsentId,
    as_: As,
    why: Annotated[str, typer.Option(help="In your own words; the peer reads it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Refuse what a peer asked to do with what we gave it.

    \b
    Examples:
      comity consent refuse hk consent-0f3a… --why "The source would be known." --as lau
    """
    node = open_node(folder)
    person = signed_in(node, as_)
    row = answer_by_hand(node, consent, Answer.REFUSAL, person=person, why=why)
    if as_json:
        print_json(as_plain(row))
    else:
        out.print(f"{row.id} is refused; {row.peer} is told", highlight=False)
