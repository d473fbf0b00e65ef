"""`comity request amend`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.matter_facts import FactsFile, MatterId, Set, read_facts
from comity.entrypoints.cli.terminal import out, print_json


def request_amend(
    folder: NodeDir,
    matter: MatterId,
    as_: As,
    facts: FactsFile = None,
    set_: Set = None,
    as_json: AsJson = False,
) -> None:
    """State fields of a request anew, while it is still a draft here.

    \b
    Examples:
      comity request amend ca matter-0f3a… --as nadia --set purpose="trial of the account holder"
    """
    from comity.entrypoints.cli.matter_view import document
    from comity.node.bootstrap import open_node
    from comity.node.matters import amend

    node = open_node(folder)
    done = amend(node, matter, read_facts(facts, set_), person=signed_in(node, as_))
    if as_json:
        print_json(document(done))
    else:
        out.print(f"{done.id} is amended")
