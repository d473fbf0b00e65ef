"""`comity witness init`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json


def witness_init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the witness will live; new or empty.")],
    name: Annotated[
        str, typer.Option(help="Its name in cosignatures: an address without https://, oversight.example/w1.")
    ],
    as_json: AsJson = False,
) -> None:
    """Create a witness of its own: a key, and a record of what it has seen.

    For an oversight body: it watches that logs only grow, and needs nothing
    of a node. The key's passphrase is taken from COMITY_PASSPHRASE, or made
    and written to DIR/passphrase.

    \b
    Examples:
    comity witness init ./watch --name oversight.example/w1
    comity witness add ./watch "example.org/log+1a2b3c4d+AQ..."
    comity witness run ./watch
    """
    from comity.backends.witness_folder import create_witness
    from comity.node.bootstrap import PASSPHRASE

    given = os.environ.get(PASSPHRASE)
    made = create_witness(folder, name, given.encode() if given else None)
    if as_json:
        print_json({"dir": str(folder), "name": made.name, "key": str(made.key)})
        return
    out.print(f"witness {made.name} is at {folder}", highlight=False, markup=False)
    out.print("  its key, for the policies of logs and for those who check them:")
    typer.echo(str(made.key))
