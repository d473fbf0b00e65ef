"""`comity witness add`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.log_place import log_key_of
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import InputError

WitnessDir = Annotated[Path, typer.Argument(metavar="DIR", help="The witness's directory.")]


def witness_add(
    folder: WitnessDir,
    key: Annotated[str, typer.Argument(metavar="VKEY", help="The log's verifier key, from its operator.")],
    follow: Annotated[
        str, typer.Option(metavar="URL", help="Also look there for new checkpoints: http(s)://…/log.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Let the witness cosign a log; the key's name is the log's origin line.

    A running witness knows it at once. A log cannot be given another key:
    that would be another log.

    \b
    Examples:
    comity witness add ./watch "example.org/log+1a2b3c4d+AQ..."
    comity witness add ./watch "example.org/log+1a2b3c4d+AQ..." --follow https://node.example/log
    """
    from comity.backends.witness_folder import open_witness
    from comity.ledger.quorum import is_policy_url

    found = log_key_of(key)
    if follow and not is_policy_url(follow):
        raise InputError.because(
            expected="a URL such as https://node.example/log", got=repr(follow), where="--follow"
        )
    witness = open_witness(folder)
    witness.records.add_log(found, follow=follow, now=datetime.now(UTC))
    if as_json:
        print_json({"origin": found.name, "key": str(found), "follow": follow or None})
        return
    out.print(f"{witness.name} witnesses {found.name}", highlight=False, markup=False)
