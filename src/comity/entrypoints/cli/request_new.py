"""`comity request new`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.matter_facts import FactsFile, Set, read_facts
from comity.entrypoints.cli.terminal import out, print_json, shown


def request_new(
    folder: NodeDir,
    procedure: Annotated[str, typer.Argument(metavar="PROCEDURE", help="Its name: comity procedure list")],
    to: Annotated[str, typer.Option(help="The member of the compact that is asked.")],
    as_: As,
    facts: FactsFile = None,
    set_: Set = None,
    case: Annotated[str, typer.Option(help="The case of this node that it belongs to.")] = "",
    compact: Annotated[str, typer.Option(help="Which compact, if the node has joined several.")] = "",
    as_json: AsJson = False,
) -> None:
    """Draft a request under a procedure: mutual legal assistance, extradition, a hand-over and the others.

    It stays here until it is sent. What is missing can be stated later: comity request amend.

    \b
    Examples:
      comity request new ca mla --to prosecutor-th --as nadia --facts request.json --case case-0f3a…
      comity request new ca police_information --to ncb-kh --as nadia --set subject="who owns it"
    """
    from comity.entrypoints.cli.matter_view import document
    from comity.node.bootstrap import open_node
    from comity.node.matters import open_matter

    node = open_node(folder)
    done = open_matter(
        node, procedure_name=procedure, peer=to, person=signed_in(node, as_), fields=read_facts(facts, set_),
        compact=compact or None, case_id=case,
    )  # fmt: skip
    if as_json:
        print_json(document(done))
    else:
        out.print(
            f"{done.id} is drafted for {shown(to)[0]}. What comes next: "
            f"comity request show {shown(str(folder))[0]} {done.id} --as {shown(as_)[0]}"
        )
