"""`comity person add`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json, shown
from comity.errors import InputError
from comity.model import Role


def person_add(
    folder: NodeDir,
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Annotated[str, typer.Option(help=", ".join(Role))],
    human: Annotated[
        str,
        typer.Option(
            metavar="NUMBER",
            help="Personnel number, the same for all accounts of one human; default: the name.",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Add somebody to the node. Their password is printed once.

    Nobody approves what they drafted themselves, whichever of their accounts they use: give everybody their number.
    It says which other accounts of this node are the same human's.

    \b
    Examples:
      comity person add hk mei --role analyst --human P-1207
    """
    from comity.node.bootstrap import open_node
    from comity.node.people import add_person, other_accounts

    if role not in set(Role):
        raise InputError.because(expected=f"one of {', '.join(Role)}", got=repr(role), where="--role")
    node = open_node(folder)
    password = add_person(node, name, Role(role), actor=console_actor(), human=human)
    others = other_accounts(node, name)
    if as_json:
        print_json(
            {
                "name": name, "role": role, "human": human or name, "password": password,
                "other_accounts": [{"name": one.id, "role": one.role.value} for one in others],
            }
        )  # fmt: skip
        return
    out.print(f"[bold]{name}[/] ({role}) may sign in with the password [bold]{password}[/] (shown once)")
    for one in others:
        out.print(
            f"  {shown(human or name)[0]} also has the account {one.id} ({one.role}): for four eyes they are one",
            highlight=False,
        )
