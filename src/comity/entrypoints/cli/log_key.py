"""`comity log key`: the verifier key of a log, to be handed to those who check it."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.log_place import key_in, log_folder
from comity.entrypoints.cli.terminal import print_json


def log_key(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A node's directory, or a log directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Print the log's verifier key in signed-note form.

    Hand it to whoever checks the log over a channel that you both trust: a
    key taken from the log itself proves nothing about whose log it is.

    \b
    Examples:
    comity log key ./node-ca
    comity log verify ./copy-of-the-log --key "$(comity log key ./node-ca)"
    """
    from comity.backends.log_reader import FileLogReader

    key = key_in(FileLogReader(log_folder(directory)))
    if as_json:
        print_json({"name": key.name, "key": str(key)})
        return
    typer.echo(str(key))
