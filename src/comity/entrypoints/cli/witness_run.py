"""`comity witness run`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.journal import write_journal
from comity.entrypoints.cli.terminal import err
from comity.entrypoints.cli.witness_add import WitnessDir
from comity.errors import InputError

if TYPE_CHECKING:
    from comity.entrypoints.witness.serve import Listening


def witness_run(
    folder: WitnessDir,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any that is free.")
    ] = 7090,
    certificate: Annotated[
        str,
        typer.Option("--tls-certificate", metavar="FILE", help="PEM; without it, plain HTTP behind a proxy."),
    ] = "",
    private_key: Annotated[
        str, typer.Option("--tls-key", metavar="FILE", help="PEM, with --tls-certificate.")
    ] = "",
    rate: Annotated[
        float, typer.Option(min=0, help="Requests a second from one address; 0: any number.")
    ] = 20.0,
    follow: Annotated[
        float,
        typer.Option("--follow-every", min=1, metavar="SECONDS", help="How often to look at followed logs."),
    ] = 60.0,
) -> None:
    """Run a witness until Ctrl-C: it cosigns what its logs show to have grown.

    It speaks C2SP tlog-witness (POST /add-checkpoint) and shows its state to
    anybody (GET /). It can be killed at any time: what it cosigned is on the
    disk before it answers, and it never cosigns two trees of one size.

    \b
    Examples:
    comity witness run ./watch
    comity witness run ./watch --host 0.0.0.0 --port 443 --tls-certificate w.crt --tls-key w.key
    """
    from comity.backends.witness_folder import open_witness
    from comity.entrypoints.witness.serve import Listening, serve_witness
    from comity.node.bootstrap import PASSPHRASE

    if bool(certificate) != bool(private_key):
        raise InputError.because(expected="--tls-certificate and --tls-key together", got="one of them")
    write_journal()
    given = os.environ.get(PASSPHRASE)
    witness = open_witness(folder)
    listening = Listening(
        host=host, port=port, certificate=certificate, private_key=private_key, rate=rate,
        follow_seconds=follow,
    )  # fmt: skip
    signer = witness.signer(given.encode() if given else None)
    serve_witness(witness, signer, listening, on_ready=lambda bound: _ready(witness.name, listening, bound))


def _ready(name: str, listening: Listening, port: int) -> None:
    scheme = "https" if listening.certificate else "http"
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    err.print(f"{name} is at {scheme}://{host}:{port}", highlight=False, markup=False)
