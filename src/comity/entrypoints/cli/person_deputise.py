"""`comity person deputise`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import as_plain, out, print_json
from comity.errors import InputError

Name = Annotated[str, typer.Argument(metavar="NAME", help="Who, by the name of their account.")]
Principal = Annotated[str, typer.Option("--for", metavar="NAME", help="Who is away.")]


def person_deputise(
    folder: NodeDir,
    name: Name,
    principal: Principal,
    until: Annotated[
        str,
        typer.Option(
            metavar="DATE", help="The end: 2026-12-24 (its first moment), or 2026-12-24T12:00, UTC."
        ),
    ],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Let somebody act in the role of a person who is away, until a date.

    They sign in as "NAME for NAME", and everything they do so says both names. A deputy has that one person's role and
    passes it on to nobody, and approves nothing that either of the two drafted. Only people of casework have deputies
    and are deputies.

    \b
    Examples:
      comity person deputise hk mei --for lok --until 2026-12-24 --as administrator
      comity request approve hk request-0f3a… --as "mei for lok"
    """
    from comity.node.bootstrap import open_node
    from comity.node.deputies import deputise

    end, node = _moment(until), open_node(folder)
    named = deputise(node, name, principal=principal, until=end, person=signed_in(node, as_))
    if as_json:
        print_json(as_plain(named))
        return
    out.print(
        f"[bold]{name}[/] may act for {principal} until {named.until:%Y-%m-%d %H:%M} UTC, "
        f'signed in as "{name} for {principal}"',
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _moment(text: str) -> datetime:
    """A date or a moment; UTC where no zone is given."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError.because(
            expected="a date, 2026-12-24 or 2026-12-24T12:00", got=repr(text), where="--until"
        ) from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
