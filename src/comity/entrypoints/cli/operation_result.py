"""`comity operation result`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.joint_arguments import Operation
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import InputError


def operation_result(
    folder: NodeDir,
    operation: Operation,
    text: Annotated[str, typer.Option(help="What this member's part brought.")],
    as_: As,
    count: Annotated[
        list[str] | None,
        typer.Option(
            "--count", metavar="NAME=NUMBER",
            help="arrested, screened, victims_identified, victims_referred, premises, devices; may be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Tell the other members what this member's part of an operation brought, once it has begun.

    \b
    Examples:
      comity operation result th operation-5f0c… --count screened=31 --count victims_identified=27 \\
          --text "Everybody was screened before anything else." --as som
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.operation import tell_result

    node = open_node(folder)
    counts = dict(_counted(one) for one in count or [])
    entry = tell_result(node, operation, counts=counts, text=text, person=signed_in(node, as_))
    if as_json:
        print_json({"operation": operation, "counts": counts, "digest": entry.digest})
    else:
        out.print(f"{operation}: the result goes to the other members", highlight=False)


def _counted(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not (number.isascii() and number.isdigit()):
        raise InputError.because(
            expected="NAME=NUMBER, such as screened=31", got=repr(text[:60]), where="--count"
        )
    return name, int(number)
