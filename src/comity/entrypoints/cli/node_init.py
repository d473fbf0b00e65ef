"""`comity node init`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json
from comity.errors import InputError
from comity.law.bases import Channel
from comity.model import Authority
from comity.node.bootstrap import PASSPHRASE
from comity.node.found import found
from comity.node.home import Settings


def node_init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the node will live; new or empty.")],
    name: Annotated[str, typer.Option(help="The authority's name.")],
    jurisdiction: Annotated[str, typer.Option(metavar="CC", help="Two letters, ISO 3166-1: CA, HK, TH …")],
    authority: Annotated[str, typer.Option(metavar="ID", help="Short id, unique in the compact: hk-adcc.")],
    covers: Annotated[
        list[str] | None,
        typer.Option(metavar="CC", help="Country whose accounts the book holds; default: the jurisdiction."),
    ] = None,
    oversight: Annotated[
        bool, typer.Option(help="A body that only witnesses: no book, no requests.")
    ] = False,
    channel: Annotated[
        str, typer.Option(help="police, fiu or judicial: which channels are open to it.")
    ] = "police",
    host: Annotated[str, typer.Option(help="Address to listen on and to be reached at.")] = "127.0.0.1",
    peer_port: Annotated[int, typer.Option(help="Port for peers (mutual TLS).")] = 7443,
    web_port: Annotated[int, typer.Option(help="Port for people and the public log.")] = 7080,
    rule: Annotated[str, typer.Option(help="Legal tracing rule of its cases: fifo or prorata.")] = "fifo",
    hold_hours: Annotated[int, typer.Option(help="A hold lapses after so many hours without an order.")] = 72,
    database: Annotated[
        str,
        typer.Option(metavar="URL", help="A PostgreSQL database, empty: postgresql://USER@HOST/NAME."),
    ] = "node.db",
    policy: Annotated[
        list[str] | None,
        typer.Option(help="Optional standing policy to add: fiu_channel_only.cedar."),
    ] = None,
    root_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the state's register key in this file, on an offline medium; made if new.",
        ),
    ] = None,
    private_network: Annotated[
        bool, typer.Option(help="Peers may be led to a private address by the host's name.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a node: keys, database, policies, log and the first administrator.

    The administrator's password is printed once. The keys' passphrase is taken from COMITY_PASSPHRASE, or
    made and written to DIR/passphrase. Records are in DIR/node.db, or in a PostgreSQL database; its password
    is taken from COMITY_DATABASE_PASSWORD, or from the URL, and then kept in DIR/database-password.

    The state's register key is among the node's keys unless --root-key names a file; that file is encrypted with
    COMITY_ROOT_PASSPHRASE or COMITY_PASSPHRASE, and shared by all nodes of the state.

    \b
    Examples:
      comity node init hk --name "Anti-Deception Unit" --jurisdiction HK --authority hk-adu
      comity node init eye --name "Oversight" --jurisdiction SG --authority oversight --oversight
      comity node init ca --name "Fraud Centre" --jurisdiction CA --authority ca-fc --database postgresql://ca@db/ca
    """
    settings = Settings(
        authority=Authority(id=authority, name=name, jurisdiction=jurisdiction, oversight=oversight),
        covers=() if oversight else tuple(covers or [jurisdiction]), host=host, peer_port=_port(peer_port),
        web_port=_port(web_port), channel=_channel(channel), rule=rule, hold_hours=hold_hours,
        database=database,
    )  # fmt: skip
    done = found(
        folder,
        settings,
        passphrase_given=os.environ.get(PASSPHRASE),
        policies=policy or (),
        root_key=root_key,
        private_network=private_network,
    )
    if as_json:
        print_json({"dir": str(folder), "administrator": done.administrator, "password": done.password})
        return
    out.print(f"[bold]{name}[/] is at {folder}")
    out.print(
        f"  first administrator [bold]{done.administrator}[/], password [bold]{done.password}[/] (shown once)"
    )
    out.print(f"  card for the compact: {done.node.home.card}", highlight=False)
    out.print(f"  next: comity compact create FILE --name NAME --problem TEXT {folder} OTHER_CARD …")


def _port(port: int) -> int:
    if not 1 <= port <= 65535:
        raise InputError.because(expected="a port, 1 to 65535", got=str(port))
    return port


def _channel(channel: str) -> str:
    if channel not in {one.value for one in Channel}:
        raise InputError.because(expected=", ".join(Channel), got=repr(channel), where="--channel")
    return channel
