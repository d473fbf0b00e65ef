"""`comity compact create`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.compact_show import compact_json, show
from comity.entrypoints.cli.terminal import out, print_json


def compact_create(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The compact's file; must not exist yet.")],
    members: Annotated[
        list[Path],
        typer.Argument(metavar="CARD…", help="Cards (DIR/card.jws), or node directories on this machine."),
    ],
    name: Annotated[str, typer.Option(help="Short name of the compact: payments-2026.")],
    problem: Annotated[str, typer.Option(help="The problem it is formed around.")],
    threshold: Annotated[
        int | None,
        typer.Option(metavar="K", help="How many states must sign together; default: the majority."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Form a compact from the cards of its members: a register that several states sign together.

    Node directories sign at once. For each state of which only a card is given, that state signs the file
    with `comity compact sign`; then every member joins it, after comparing the fingerprint over another channel.

    \b
    Examples:
      comity compact create c.json ca hk/card.jws --name payments --problem "Stolen payments, CA and HK"
      comity compact create c.json ca.jws hk.jws th.jws --name desk --problem "Scam calls" --threshold 2
    """
    from comity.node.registers.admit import create, open_bundle, wanted

    compact = create(file, members, name=name, problem=problem, threshold=threshold)
    if compact is None:
        lacking = wanted(open_bundle(file))
        if as_json:
            print_json({"file": str(file), "complete": False, "wanted": list(lacking)})
            return
        out.print(f"Proposal written to {file}. Signatures are wanted of: [bold]{', '.join(lacking)}[/]")
        out.print(f"Each of them: comity compact sign DIR {file}", highlight=False)
        return
    if as_json:
        print_json(compact_json(compact))
        return
    show(compact)
    out.print(f"\nWritten to {file}. Every member joins it: comity compact join DIR {file}", highlight=False)
