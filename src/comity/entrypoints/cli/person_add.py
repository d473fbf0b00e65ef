"""`comity person add`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import InputError
from comity.model import Role


def person_add(
    folder: NodeDir,
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[str, typer.Option(help=", ".join(Role))],
    as_json: AsJson = False,
) -> None:
    """Add somebody to the node. Their password is printed once.

    \b
    Examples:
      comity person add hk mei --role analyst
    """
    from comity.node.bootstrap import open_node
    from comity.node.people import add_person

    if role not in set(Role):
        raise InputError.because(expected=f"one of {', '.join(Role)}", got=repr(role), where="--role")
    password = add_person(open_node(folder), name, Role(role), actor=console_actor())
    if as_json:
        print_json({"name": name, "role": role, "password": password})
    else:
        out.print(f"[bold]{name}[/] ({role}) may sign in with the password [bold]{password}[/] (shown once)")
