"""Arguments that several commands share, and who is acting."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.errors import Forbidden, InputError

if TYPE_CHECKING:
    from comity.model import Person
    from comity.node.bootstrap import Node

PASSWORD = "COMITY_PASSWORD"  # noqa: S105 - the name of the variable, not a secret
PURPOSE = "trace-and-hold"
"""`node.handling.gate.PURPOSE`, said here so that help need not import it; a test compares them."""

NodeDir = Annotated[Path, typer.Argument(metavar="DIR", help="The node's directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs, nothing else.")]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME",
        help=f'Who you are on this node, or "NAME for NAME" as a deputy; the password is asked for, or {PASSWORD}.',
    ),
]


def signed_in(node: Node, name: str) -> Person:
    """The person who acts, after their password: decisions about money and requests are personal."""
    from comity.node.people import check_password

    password = os.environ.get(PASSWORD) or typer.prompt(f"Password of {name}", hide_input=True, err=True)
    person = check_password(node, name, password)
    if person is None:
        raise Forbidden(
            f"expected the name and password of somebody on this node, got {name!r} with another password",
            remedy=f"Check the name and the password ({PASSWORD}, if it is set).",
        )
    return person


def console_actor() -> str:
    """Whoever holds the node's directory, for what needs no role: recorded as the operating system's user."""
    return f"console:{os.environ.get('USER') or os.getuid()}"


def read_bytes(file: Path) -> bytes:
    """A file somebody named; `InputError` if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(file)
        ) from error
