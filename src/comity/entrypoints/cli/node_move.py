"""`comity node move`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir
from comity.entrypoints.cli.terminal import out, print_json


def node_move(
    folder: NodeDir,
    database: Annotated[
        str, typer.Option(metavar="URL", help="A PostgreSQL database, empty: postgresql://USER@HOST/NAME.")
    ],
    as_json: AsJson = False,
) -> None:
    """Move a stopped node's records from its file to a PostgreSQL database.

    The password is taken from COMITY_DATABASE_PASSWORD, or from the URL, and then kept in
    DIR/database-password. The old file stays as node.db.moved.

    \b
    Examples:
      comity node move hk --database postgresql://hk@127.0.0.1/hk
    """
    from comity.node.move_records import move_records

    rows = move_records(folder, database)
    if as_json:
        print_json({"dir": str(folder), "rows": rows})
        return
    out.print(f"{rows} rows are in the new database; node.toml names it")
    out.print(f"  next: comity node run {folder}", highlight=False)
