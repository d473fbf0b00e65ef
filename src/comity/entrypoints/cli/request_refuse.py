"""`comity request refuse`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.request_decide import decide_matter as _decide
from comity.entrypoints.cli.request_show import RequestId
from comity.entrypoints.cli.terminal import as_plain, out, print_json


def request_refuse(
    folder: NodeDir,
    request: RequestId,
    as_: As,
    ground: Annotated[str, typer.Option(help="A ground the procedure declares: sovereignty, incomplete, …")],
    text: Annotated[str, typer.Option(help="In your own words; the asking node reads it.")],
    as_json: AsJson = False,
) -> None:
    """Refuse a request on a declared ground.

    \b
    Examples:
      comity request refuse kh request-0f3a… --as sokha --ground incomplete --text "The victim is not named."
    """
    if request.startswith("matter-"):
        _decide(folder, request, "refuse", as_, {"refusal": {"ground": ground, "reasons": text}}, as_json)
        return
    from comity.node.answer import refuse_by_hand
    from comity.node.bootstrap import open_node

    node = open_node(folder)
    done = refuse_by_hand(node, request, person=signed_in(node, as_), ground=ground, text=text)
    if as_json:
        print_json(as_plain(done))
    else:
        out.print(f"{done.id} is refused ({ground}); {done.peer} is told")
