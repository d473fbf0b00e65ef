"""`comity transfers import`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import err, out, print_json, progress, shown


def transfers_import(
    folder: NodeDir,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="CSV, Parquet, Excel, ISO 20022, MT103, goAML, bitcoin-etl or ethereum-etl."
        ),
    ],
    balances: Annotated[
        Path | None, typer.Option(help="CSV account,currency,amount: clean money before the first transfer.")
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help="Of the files: csv, parquet, xlsx, iso20022, mt, goaml, bitcoin-etl, ethereum-etl.",
        ),
    ] = "",
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Of times without an offset: Europe/Berlin, +07:00 or Z.")
    ] = "",
    assets: Annotated[
        Path | None,
        typer.Option(
            help="CSV id,decimals of assets that are no ISO 4217 currency; contract,contract_decimals on a chain."
        ),
    ] = None,
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE.xsd", help="The FIU's own schema of goAML reports.")
    ] = None,
    ivms101: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who sent and received: IVMS101 by transfer_id, JSON lines."),
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

    Tables have the columns transfer_id, booked_at, from_account, to_account, amount (or amount_minor), currency;
    optional to_amount, to_currency, from_country, to_country, institutions, channel, reference (spec/trace.md).
    How messages and chains become these columns is in spec/formats.md. A row without countries is between
    accounts of this node's own country. A folder stands for its CSV and Parquet files, or with --format for the
    files of that format.

    \b
    Examples:
      comity transfers import hk june.csv july.parquet --balances opening.csv
      comity transfers import hk june.csv --skip-bad --rejects june-rejects.csv
      comity transfers import hk statements/ --format iso20022 --zone Asia/Hong_Kong
    """
    from comity.node.bootstrap import open_node
    from comity.node.import_book import import_transfers, said_of

    node = open_node(folder)
    said = said_of(format_name=format_, zone=zone, assets=assets, schema=schema, parties=ivms101)
    reject_file = (rejects or files[0].with_suffix(".rejects.csv")) if skip_bad or rejects else None
    with progress("importing") as bar:
        task = bar.add_task("", total=None)
        done = import_transfers(
            node, files, said=said, balances=balances, rejects=reject_file, actor=console_actor(),
            on_progress=lambda rows: bar.update(task, description=f"{rows:,} rows"),
        )  # fmt: skip
    for note in done.notes:
        err.print(f"[yellow]note[/] {shown(note)[0]}", highlight=False, soft_wrap=True)
    if done.rejects:
        err.print(
            f"[yellow]{len(done.rejects):,} broken rows were left out[/]: {reject_file}", highlight=False
        )
    if as_json:
        print_json({
            "rows": done.rows, "balances": done.balances, "rejected": len(done.rejects), "notes": list(done.notes),
        })  # fmt: skip
    else:
        out.print(
            f"{done.rows:,} transfers and {done.balances:,} opening balances are in the book of {folder}"
        )
