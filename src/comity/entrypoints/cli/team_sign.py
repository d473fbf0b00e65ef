"""`comity team sign`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.joint_arguments import Team
from comity.entrypoints.cli.terminal import out, print_json


def team_sign(
    folder: NodeDir,
    team: Team,
    as_: As,
    digest: Annotated[
        str,
        typer.Option(metavar="DIGEST", help="Of the agreement that you read; at least its first 8 digits."),
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="DAY", help="Agree to a longer time instead, such as 2026-12-31.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Sign a team's agreement, by the digest of the text that was read; or agree that it runs for longer.

    It is in force when every member has signed the identical text, and runs longer when every member has agreed to the
    same day.

    \b
    Examples:
      comity team sign th team-5f0c… --digest 9de95552 --as som
      comity team sign th team-5f0c… --until 2026-12-31 --as som
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.team import prolong, sign_agreement, team_named

    node = open_node(folder)
    person = signed_in(node, as_)
    if until:
        prolong(node, team, until=until, person=person)
    else:
        sign_agreement(node, team, digest=digest, person=person)
    one = team_named(node, team, actor=person.id).standing
    if as_json:
        print_json(
            {"team": team, "state": one.state.value, "unsigned": list(one.unsigned), "until": str(one.until)}
        )
    else:
        out.print(f"{team}: {one.state.value}, {one.why}", highlight=False)
