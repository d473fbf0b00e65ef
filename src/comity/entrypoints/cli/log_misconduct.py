"""`comity log misconduct`: make or check the proof that a log told two stories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, read_bytes
from comity.entrypoints.cli.log_place import LogKey, log_key_of
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import InputError

if TYPE_CHECKING:
    from comity.ledger import Misconduct


def log_misconduct(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE|NOTE1 NOTE2", help="A proof, or two signed checkpoints.")
    ],
    key: LogKey = None,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write the proof.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that a log signed two trees that cannot both be true, or check such a proof.

    Two checkpoints of one size with different roots, both signed by the log's
    key, are the proof: nothing else is needed, and nobody has to be believed.
    Exit status 0 if it holds, 2 or 3 if it shows nothing.

    \b
    Examples:
    comity log misconduct ours.checkpoint theirs.checkpoint --key example.org/log+1a2b3c4d+AQ... --out proof.txt
    comity log misconduct proof.txt --key example.org/log+1a2b3c4d+AQ...
    """
    from comity.backends.files import write_durably
    from comity.ledger import check_misconduct, parse_misconduct

    if len(files) > 2:
        raise InputError.because(expected="one proof or two checkpoints", got=f"{len(files)} files")
    case = parse_misconduct(read_bytes(files[0])) if len(files) == 1 else _made(files, key)
    trusted = log_key_of(key) if key is not None else case.key
    if trusted != case.key:
        raise InputError.because(expected=f"a proof about {trusted}", got=f"one about {case.key}")
    found = check_misconduct(case, trusted)
    if to is not None:
        write_durably(to, case.encode())
    if as_json:
        print_json(
            {
                "origin": found.first.origin, "key": str(found.key), "key_pinned": key is not None,
                "first": {"size": found.first.size, "root": found.first.root.hex()},
                "second": {"size": found.second.size, "root": found.second.root.hex()},
                "file": str(to) if to else None,
            }
        )  # fmt: skip
        return
    out.print(f"the proof holds: {found}", highlight=False, markup=False)
    out.print(f"key {found.key}", highlight=False, markup=False)
    if key is None:
        out.print("  taken from the file itself; pin it with --key", style="yellow")


def _made(files: list[Path], key: str | None) -> Misconduct:
    from comity.ledger import Misconduct

    if key is None:
        raise InputError.because(expected="--key, the log's verifier key", got="none")
    first, second = map(read_bytes, files)
    return Misconduct(key=log_key_of(key), first=first, second=second)
