"""`comity operation new`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.joint_arguments import CompactName, document_in
from comity.entrypoints.cli.terminal import out, print_json


def operation_new(
    folder: NodeDir,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, in YAML or JSON.")],
    as_: As,
    changes: Annotated[
        str,
        typer.Option(metavar="OPERATION", help="The operation whose plan it replaces; a new one if empty."),
    ] = "",
    compact: CompactName = None,
    as_json: AsJson = False,
) -> None:
    """Propose a joint operation to its members, or change its plan: then everybody must say go anew.

    The plan says who acts where and when under whose authority, until when everybody must have said go, and, before
    any raid, rescue or arrest, how the victims who may be there are kept safe.

    \b
    Examples:
      comity operation new ca plan.yaml --as lau
      comity operation new ca plan-2.yaml --changes operation-5f0c… --as lau
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.operation import change_plan, plan_operation
    from comity.node.joint.operation_text import plan_of

    node = open_node(folder)
    person, read = signed_in(node, as_), plan_of(document_in(plan))
    if changes:
        entry = change_plan(node, changes, read, person=person)
        operation, digest = changes, entry.digest
    else:
        space = plan_operation(node, read, compact=compact, person=person)
        operation, digest = space.id, space.founding
    if as_json:
        print_json({"operation": operation, "plan": digest, "members": list(read.members)})
        return
    out.print(f"{operation}: the plan goes to {', '.join(read.members)}", highlight=False)
    out.print(f"  plan {digest[:16]}…; you too say go: comity operation go DIR {operation}", highlight=False)
