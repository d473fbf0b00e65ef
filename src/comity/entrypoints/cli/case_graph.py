"""`comity case graph`."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import PURPOSE, AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json


def case_graph(
    folder: NodeDir,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")],
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the graph.")],
    format_: Annotated[
        str, typer.Option("--to", metavar="NAME", help="graphml, gexf, csv or ftm.")
    ] = "graphml",
    recipient: Annotated[
        str,
        typer.Option("--for", metavar="NAME", help="Who gets the file; nobody but ourselves if not said."),
    ] = "",
    purpose: Annotated[str, typer.Option(help="What they get it for.")] = PURPOSE,
    as_json: AsJson = False,
) -> None:
    """Write the way of a case's money for other programs: Gephi, yEd, Cytoscape, spreadsheets, Aleph.

    It shows what `comity case show` shows. A file for somebody else is disclosed to them: name them with --for,
    and what peers told us is asked for leave. Each account is a node, all bookings between two accounts are an edge.

    \b
    Examples:
      comity case graph ca case-5f0c2a9e1b7d3c48 --out case.graphml
      comity case graph ca case-5f0c2a9e1b7d3c48 --to ftm --out case.ftm.json --for hk
    """
    from comity.backends.graphs import require_format, written
    from comity.node.bootstrap import open_node
    from comity.node.case_graph import case_graph as graph_of

    require_format(format_)
    node = open_node(folder)
    graph = graph_of(node, case, recipient=recipient, purpose=purpose, actor=console_actor())
    files = [str(file) for file in written(graph, format_, to)]
    if as_json:
        print_json({"files": files, "accounts": len(graph.accounts), "movements": len(graph.movements)})
    else:
        counts = f"{len(graph.accounts):,} accounts, {len(graph.movements):,} movements"
        out.print(f"{', '.join(files)}: {counts}", highlight=False, markup=False)
