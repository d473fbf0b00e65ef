"""`comity token new`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown
from comity.errors import InputError


def token_new(
    folder: NodeDir,
    for_: Annotated[str, typer.Option("--for", metavar="PERSON", help="Whose role the program acts in.")],
    until: Annotated[
        str, typer.Option(metavar="TIME", help="A day, which counts whole, or a time: 2027-01-31T12:00:00Z.")
    ],
    as_: As,
    only: Annotated[
        str, typer.Option(metavar="read", help="`read`: what changes anything is refused to it.")
    ] = "",
    note: Annotated[str, typer.Option(help="What the program is; shown in the list.")] = "",
    as_json: AsJson = False,
) -> None:
    """Issue a token, with which a program uses the node's API in the name and role of one person.

    It is printed once; the node keeps only a hash. It ends at the time given,
    when it is revoked, or when its person gets another role.

    \b
    Examples:
      comity token new hk --for mei --until 2027-01-31 --as administrator
      comity token new hk --for mei --until 2027-01-31 --only read --note "case dashboard" --as administrator
    """
    from comity.node.bootstrap import open_node
    from comity.node.tokens import issue

    node = open_node(folder)
    token, text = issue(node, for_, _end(until), by=signed_in(node, as_), only=only, note=note)
    if as_json:
        print_json({**as_plain(token), "token": text})
        return
    may = "may read" if token.only else "acts"
    out.print(
        f"{token.id} {may} for {shown(token.person)[0]} ({token.role}) until {token.expires_at:%Y-%m-%d %H:%M} UTC",
        highlight=False,
    )
    out.print(f"[bold]{text}[/] (shown once)", highlight=False, soft_wrap=True)


def _end(text: str) -> datetime:
    """A day to its end, or a time with its zone; UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError.because(
            expected="a day or a time such as 2027-01-31T12:00:00Z", got=repr(text), where="--until"
        ) from error
    if len(text) == len("2027-01-31"):
        return found.replace(tzinfo=UTC) + timedelta(days=1)
    if found.tzinfo is None:
        raise InputError.because(
            expected="a time with its zone, such as 2027-01-31T12:00:00Z", got=repr(text), where="--until"
        )
    return found.astimezone(UTC)
