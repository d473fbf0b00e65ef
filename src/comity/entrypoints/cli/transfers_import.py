"""`comity transfers import`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import err, out, print_json, progress
from comity.node.bootstrap import open_node
from comity.node.import_book import import_transfers


def transfers_import(
    folder: NodeDir,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CSV or Parquet files, or folders of them.")
    ],
    balances: Annotated[
        Path | None, typer.Option(help="CSV account,currency,amount: clean money before the first transfer.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave broken rows out and write them to a reject file.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The reject file; by default the first file's name with .rejects.csv."
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
      comity transfers import hk june.csv --skip-bad --rejects june-rejects.csv
    """
    node = open_node(folder)
    reject_file = (rejects or files[0].with_suffix(".rejects.csv")) if skip_bad or rejects else None
    with progress("importing") as bar:
        task = bar.add_task("", total=None)
        done = import_transfers(
            node, files, balances=balances, rejects=reject_file, actor=console_actor(),
            on_progress=lambda rows: bar.update(task, description=f"{rows:,} rows"),
        )  # fmt: skip
    if done.rejects:
        err.print(
            f"[yellow]{len(done.rejects):,} broken rows were left out[/]: {reject_file}", highlight=False
        )
    if as_json:
        print_json({"rows": done.rows, "balances": done.balances, "rejected": len(done.rejects)})
    else:
        out.print(
            f"{done.rows:,} transfers and {done.balances:,} opening balances are in the book of {folder}"
        )
