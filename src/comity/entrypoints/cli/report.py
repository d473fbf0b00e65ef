"""`comity report`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor, read_bytes
from comity.entrypoints.cli.terminal import out, print_json


def report(
    folder: NodeDir,
    file: Annotated[Path, typer.Argument(metavar="REPORT", help="report.json (spec/trace.md).")],
    compact: Annotated[
        str | None,
        typer.Option(
            "--compact", metavar="NAME", help="The compact to pursue it in, where the node is in several."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Report stolen money: opens a case, which the running node then follows and has held.

    The file: {"report_id": "R1", "transfers": ["T1"], "amounts": {"T1": "1000.00"}, "summary": "…",
    "offence": "cyber_fraud"}. Amounts are only needed where a part of a transfer was stolen.

    Nobody outside the compact in which a case is pursued ever learns of it.

    \b
    Examples:
      comity report ca report.json
      comity report ca report.json --compact mekong-scam-desk
    """
    from comity.node.bootstrap import open_node
    from comity.node.report import report as take_report
    from comity.proofs.canonical import parse_strict

    case = take_report(
        open_node(folder),
        parse_strict(read_bytes(file), where=str(file)),
        actor=console_actor(),
        where=str(file),
        compact=compact,
    )
    if as_json:
        print_json(
            {
                "case": case.id,
                "compact": case.compact,
                "report_id": case.report["report_id"],
                "reported_at": case.reported_at.isoformat(),
            }
        )
        return
    out.print(
        f"[bold]{case.id}[/] is open. The running node follows the money: comity case show {folder} {case.id}"
    )
