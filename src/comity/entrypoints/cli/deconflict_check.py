"""`comity deconflict check`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import out, print_json


def deconflict_check(
    folder: NodeDir,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case behind it: comity case list DIR.")],
    identifier: Annotated[
        list[str],
        typer.Option(
            "--identifier", metavar="KIND:VALUE",
            help="iban, account, phone, email, wallet, plate or passport; may be repeated.",
        ),
    ],
    purpose: Annotated[str, typer.Option(help="What for; those who are asked read it.")],
    as_: As,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="MEMBER", help="Whom to ask; may be repeated. None: list them only."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="For so long they are our targets.")] = 90,
    compact: Annotated[
        str | None, typer.Option(metavar="NAME", help="In which compact, if the node has joined several.")
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List identifiers as targets of a case, and ask members whether they work the same ones.

    Both learn that there is the same target, and a reference for it; neither learns which case, or anything about
    other targets. Case and contact go when an officer on each side has agreed: comity deconflict agree.

    \b
    Examples:
      comity deconflict check ca case-5f0c… --identifier phone:+6621234567 --identifier passport:TH:AA1234567 \\
          --purpose "Operation on a compound" --to th-police --as nadia
      comity deconflict check ca case-5f0c… --identifier iban:GB82WEST12345698765432 --purpose "Freezing" --as nadia
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.deconflict import Check, check

    node = open_node(folder)
    wanted = Check(
        case_id=case, identifiers=identifier, purpose=purpose, peers=to or [], compact=compact, days=days
    )
    rounds = check(node, wanted, person=signed_in(node, as_))
    if as_json:
        print_json({"case": case, "rounds": [{"round": one.id, "peer": one.peer} for one in rounds]})
        return
    out.print(f"{len(identifier)} listed as targets of {case} for {days} days", highlight=False)
    for one in rounds:
        out.print(f"{one.id}: {one.peer} is asked; see comity deconflict list DIR", highlight=False)
