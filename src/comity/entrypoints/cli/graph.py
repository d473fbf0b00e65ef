"""`comity graph`: a trace as a graph that other programs read. No node is needed; nothing is kept."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, read_bytes
from comity.entrypoints.cli.terminal import out, print_json, progress


def graph(
    trace: Annotated[
        Path, typer.Argument(metavar="TRACE", help="What comity trace --json printed; - for its output.")
    ],
    transfers: Annotated[
        list[Path], typer.Argument(metavar="TRANSFERS…", help="The transfers that were traced.")
    ],
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the graph.")],
    format_: Annotated[
        str, typer.Option("--to", metavar="NAME", help="graphml, gexf, csv or ftm.")
    ] = "graphml",
    assets: Annotated[
        Path | None, typer.Option(help="CSV id,decimals of assets that are no ISO 4217 currency.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a trace as a graph: accounts, and each transfer that carried the reported money.

    GraphML and GEXF for Gephi, yEd and Cytoscape; two CSV tables; FollowTheMoney entities for Aleph and its like.

    \b
    Examples:
      comity trace transfers.csv --report report.json --json | comity graph - transfers.csv --out trace.graphml
      comity graph trace.json transfers.csv --to ftm --out trace.ftm.json
    """
    from comity.backends.graphs import graph_of_trace, require_format, written
    from comity.backends.transfers.files import read_assets, read_transfers
    from comity.backends.transfers.originals import rows_named
    from comity.errors import InputError
    from comity.model import CRYPTO_ASSETS
    from comity.proofs.canonical import parse_strict

    require_format(format_)
    content = sys.stdin.buffer.read() if str(trace) == "-" else read_bytes(trace)
    said = parse_strict(content, where=str(trace))
    if not isinstance(said, dict):
        raise InputError.because(
            expected="a trace, one JSON object", got=type(said).__name__, where=str(trace)
        )
    digits = CRYPTO_ASSETS if assets is None else read_assets(assets)
    with progress("Reading transfers") as bar:
        task = bar.add_task("", total=None)
        reading = read_transfers(
            transfers, assets=digits, on_progress=lambda rows: bar.update(task, description=f"{rows:,} rows")
        )
    found = graph_of_trace(said, lambda ids: rows_named([reading.table], ids), digits)
    files = [str(file) for file in written(found, format_, to)]
    if as_json:
        print_json({"files": files, "accounts": len(found.accounts), "movements": len(found.movements)})
    else:
        counts = f"{len(found.accounts):,} accounts, {len(found.movements):,} movements"
        out.print(f"{', '.join(files)}: {counts}", highlight=False, markup=False)
