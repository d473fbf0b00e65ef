"""`comity team new`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.joint_arguments import CompactName, document_in
from comity.entrypoints.cli.terminal import out, print_json


def team_new(
    folder: NodeDir,
    agreement: Annotated[Path, typer.Argument(metavar="AGREEMENT", help="The agreement, in YAML or JSON.")],
    as_: As,
    compact: CompactName = None,
    as_json: AsJson = False,
) -> None:
    """Put the agreement of a joint investigation team before its members. In force when all have signed it.

    It says purpose, parties with their authority and powers, leader, starts, ends, evidence, evaluation, costs and
    data_protection (UNTOC article 19), and perhaps languages, confidentiality, liability, media, amendment.

    \b
    Examples:
      comity team new ca agreement.yaml --as lau
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.team import propose_team
    from comity.node.joint.team_text import agreement_of

    node = open_node(folder)
    person = signed_in(node, as_)
    space = propose_team(node, agreement_of(document_in(agreement)), compact=compact, person=person)
    if as_json:
        print_json({"team": space.id, "agreement": space.founding, "members": list(space.members)})
        return
    out.print(f"{space.id}: the agreement goes to {', '.join(space.members)}", highlight=False)
    out.print(
        f"  its digest is {space.founding}; sign it too: comity team sign DIR {space.id}", highlight=False
    )
