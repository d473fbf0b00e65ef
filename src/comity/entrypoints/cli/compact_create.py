"""`comity compact create`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.compact_show import compact_json, show
from comity.entrypoints.cli.terminal import out, print_json
from comity.node.admit import create


def compact_create(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The compact's file; must not exist yet.")],
    members: Annotated[
        list[Path],
        typer.Argument(metavar="CARD…", help="Cards (DIR/card.jws), or node directories on this machine."),
    ],
    name: Annotated[str, typer.Option(help="Short name of the compact: payments-2026.")],
    problem: Annotated[str, typer.Option(help="The problem it is formed around.")],
    as_json: AsJson = False,
) -> None:
    """Form a compact from the cards of its members.

    A compact takes effect on a node only when that node joins it. Before they join, the members compare the
    fingerprint over another channel.

    \b
    Examples:
      comity compact create c.json ca hk/card.jws --name payments --problem "Stolen payments, CA and HK"
    """
    compact = create(file, members, name=name, problem=problem)
    if as_json:
        print_json(compact_json(compact))
        return
    show(compact)
    out.print(f"\nWritten to {file}. Every member joins it: comity compact join DIR {file}", highlight=False)
