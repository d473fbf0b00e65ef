"""`comity operation go` and `comity operation no-go`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.joint_arguments import Operation
from comity.entrypoints.cli.terminal import out, print_json


def go(
    folder: NodeDir,
    operation: Operation,
    authority: Annotated[str, typer.Option(help="Under which order, warrant or decision this member acts.")],
    as_: As,
    plan: Annotated[
        str, typer.Option(metavar="DIGEST", help="The plan that you read, or what its digest begins with.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say go to the plan that stands. It goes when every member has said so before the deadline.

    \b
    Examples:
      comity operation go th operation-5f0c… --authority "Warrant 7 of the Criminal Court" --plan 9de95552 --as som
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.operation import say_go

    node = open_node(folder)
    entry = say_go(node, operation, authority=authority, plan=plan, person=signed_in(node, as_))
    if as_json:
        print_json({"operation": operation, "said": "go", "plan": entry.body["plan"]})
    else:
        out.print(f"{operation}: go is said to plan {entry.body['plan'][:16]}…", highlight=False)


def no_go(
    folder: NodeDir,
    operation: Operation,
    why: Annotated[str, typer.Option(help="Why not; every member reads it.")],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Say no-go: from then on nobody goes. Possible until the first action begins; only a new plan changes it.

    \b
    Examples:
      comity operation no-go th operation-5f0c… --why "No interpreters before Thursday" --as som
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.operation import say_no_go

    node = open_node(folder)
    entry = say_no_go(node, operation, why=why, person=signed_in(node, as_))
    if as_json:
        print_json({"operation": operation, "said": "no-go", "plan": entry.body["plan"]})
    else:
        out.print(f"{operation}: no-go is said; nobody goes", highlight=False)
