"""`comity transfers import`."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from comity.backends.transfer_files import Reject
from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import err, out, print_json, progress
from comity.node.book import import_transfers
from comity.node.bootstrap import open_node


def transfers_import(
    folder: NodeDir,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CSV or Parquet files, or folders of them.")
    ],
    balances: Annotated[
        Path | None, typer.Option(help="CSV account,currency,amount: clean money before the first transfer.")
    ] = None,
    skip_bad: Annotated[
        Path | None,
        typer.Option(
            metavar="REJECTS", help="Leave broken rows out and write them, with line and reason, to this CSV."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import transfers into the node's book: all of them or, if anything is wrong, none.

    Columns: transfer_id, booked_at, from_account, to_account, amount (or amount_minor), currency; optional
    to_amount, to_currency, from_country, to_country, institutions, channel, reference (spec/trace.md). A row
    without countries is between accounts of this node's own country.

    \b
    Examples:
      comity transfers import hk june.csv july.parquet --balances opening.csv
      comity transfers import hk june.csv --skip-bad rejects.csv
    """
    node = open_node(folder)
    with progress("importing") as bar:
        task = bar.add_task("", total=None)
        done = import_transfers(
            node, files, balances=balances, skip_bad=skip_bad is not None, actor=console_actor(),
            on_progress=lambda rows: bar.update(task, description=f"{rows:,} rows"),
        )  # fmt: skip
    if skip_bad is not None and done.rejects:
        _write_rejects(skip_bad, done.rejects)
        err.print(f"[yellow]{len(done.rejects):,} broken rows were left out[/]: {skip_bad}")
    if as_json:
        print_json({"rows": done.rows, "balances": done.balances, "rejected": len(done.rejects)})
    else:
        out.print(
            f"{done.rows:,} transfers and {done.balances:,} opening balances are in the book of {folder}"
        )


def _write_rejects(file: Path, rejects: tuple[Reject, ...]) -> None:
    with file.open("w", newline="", encoding="utf-8") as written:
        rows = csv.writer(written)
        rows.writerow(["file", "line", "reason", "row"])
        rows.writerows([reject.file, reject.line, reject.reason, reject.row_text] for reject in rejects)
