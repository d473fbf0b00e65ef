"""What the commands that change a register have in common: their options, and how the outcome is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.compact_show import compact_json, show
from comity.entrypoints.cli.terminal import out, print_json

if TYPE_CHECKING:
    from comity.node.registers.publish import Signed

RootKey = Annotated[
    Path | None,
    typer.Option(
        "--root-key", metavar="FILE", help="This state's register key, where it is kept outside the node."
    ),
]
Proposal = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Where the proposal goes if other states must sign it too."),
]


def show_signed(signed: Signed, file: Path | None, as_json: bool) -> None:
    """Either the new version of the compact, or who must still sign."""
    lacking = sorted({state for one in signed.missing for state in one.states})
    if as_json:
        print_json({
            "complete": not lacking, "wanted": lacking, "file": None if file is None else str(file),
            "compact": None if signed.compact is None else compact_json(signed.compact),
        })  # fmt: skip
        return
    if lacking:
        out.print(f"Proposal in {file}. Signatures are still wanted of: [bold]{', '.join(lacking)}[/]")
        out.print(f"Each of them: comity compact sign DIR {file}", highlight=False)
    elif signed.compact is not None:
        show(signed.compact)
        out.print("\nPublished. Every member is told, and finds it at every other member's node.")
    else:
        out.print(f"Complete. Every member joins it: comity compact join DIR {file}", highlight=False)
