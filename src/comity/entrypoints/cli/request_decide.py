"""`comity request decide`, `request send` and `request extend`: let an event happen to a matter, or propose it."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.matter_facts import FactsFile, MatterId, Set, read_facts
from comity.entrypoints.cli.terminal import out, print_json, shown


def request_decide(
    folder: NodeDir,
    matter: MatterId,
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="One of those that comity request show lists.")
    ],
    as_: As,
    facts: FactsFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Let an event happen to a request: acknowledge, accept, execute, deliver and all others of its procedure.

    Where the other side has the lead it is proposed, and happens when their node has taken it.

    \b
    Examples:
      comity request decide th matter-0f3a… acknowledge --as suda
      comity request decide th matter-0f3a… refuse --as suda --set refusal.ground=sovereignty --set refusal.reasons="…"
    """
    decide_matter(folder, matter, event, as_, read_facts(facts, set_), as_json)


def request_send(
    folder: NodeDir,
    matter: MatterId,
    as_: As,
    facts: FactsFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """Send a drafted request; a second person does, where its procedure asks for four eyes.

    \b
    Examples:
      comity request send ca matter-0f3a… --as imran
    """
    decide_matter(folder, matter, "send", as_, read_facts(facts, set_), as_json)


def request_extend(
    folder: NodeDir,
    matter: MatterId,
    as_: As,
    reason: Annotated[str, typer.Option(help="Why more time is needed; the other side reads it.")],
    as_json: AsJson = False,
) -> None:
    """Extend the running term of a request, with a reason; the law's own terms are not extended so.

    \b
    Examples:
      comity request extend th matter-0f3a… --as suda --reason "the bank's records come on paper"
    """
    decide_matter(folder, matter, "extend", as_, {"extension": {"reason": reason}}, as_json)


def decide_matter(
    folder: NodeDir, matter: str, event: str, as_: str, facts: dict[str, object], as_json: bool
) -> None:
    from comity.entrypoints.cli.matter_view import document
    from comity.node.bootstrap import open_node
    from comity.node.matters import decide

    node = open_node(folder)
    done = decide(node, matter, event, facts, person=signed_in(node, as_))
    if as_json:
        print_json(document(done))
    elif done.pending is not None:
        out.print(f"{event} is proposed to {shown(done.peer)[0]}, whose side has the lead in {done.state}")
    else:
        out.print(f"{done.id} is now {done.state.replace('_', ' ')}")
