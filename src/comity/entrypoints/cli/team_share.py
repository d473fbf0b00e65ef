"""`comity team share` and `comity team leave`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.joint_arguments import Team
from comity.entrypoints.cli.terminal import out, print_json


def share(
    folder: NodeDir,
    team: Team,
    text: Annotated[str, typer.Option(help="What it says; - reads it from standard input.")],
    as_: As,
    title: Annotated[str, typer.Option(help="One line that says what it is; not for an evaluation.")] = "",
    evidence: Annotated[
        list[Path] | None,
        typer.Option(
            "--evidence",
            metavar="FILE",
            help="A file to name by its digest; send it with comity notice send.",
        ),
    ] = None,
    evaluation: Annotated[bool, typer.Option("--evaluation", help="It is this member's evaluation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Share information or evidence with the members of a team and nobody else; or this member's evaluation.

    Every entry is numbered and names the one before it and what its author has seen of the others.

    \b
    Examples:
      comity team share th team-5f0c… --title "Statement" --text "Taken on 18 June." --evidence statement.pdf --as som
      comity team share th team-5f0c… --evaluation --text "Six arrests; requests took too long." --as som
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.team import evaluate
    from comity.node.joint.team import share as share_with

    node = open_node(folder)
    person = signed_in(node, as_)
    said = typer.get_text_stream("stdin").read().removesuffix("\n") if text == "-" else text
    entry = (
        evaluate(node, team, text=said, person=person)
        if evaluation
        else share_with(node, team, title=title, text=said, files=evidence or [], person=person)
    )
    if as_json:
        print_json({"team": team, "number": entry.number, "digest": entry.digest})
    else:
        out.print(f"{team}: entry {entry.number} goes to the members ({entry.digest[:16]}…)", highlight=False)


def leave(
    folder: NodeDir,
    team: Team,
    why: Annotated[str, typer.Option(help="Why; every member reads it.")],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Leave a team: nothing more comes or goes. What was shared keeps its obligations.

    \b
    Examples:
      comity team leave th team-5f0c… --why "The court ended our part" --as som
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.team import leave as leave_team

    node = open_node(folder)
    entry = leave_team(node, team, why=why, person=signed_in(node, as_))
    if as_json:
        print_json({"team": team, "left": True, "number": entry.number})
    else:
        out.print(f"{team} is left; the members are told", highlight=False)
