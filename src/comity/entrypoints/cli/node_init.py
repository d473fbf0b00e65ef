"""`comity node init`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json, shown
from comity.errors import InputError

if TYPE_CHECKING:
    from comity.node.found import Founded

Covers = Annotated[
    list[str] | None,
    typer.Option(metavar="CC", help="Country whose accounts the book holds; default: the jurisdiction."),
]
Database = Annotated[
    str, typer.Option(metavar="URL", help="A PostgreSQL database, empty: postgresql://USER@HOST/NAME.")
]
StandingPolicy = Annotated[
    list[str] | None, typer.Option(help="Optional standing policy to add: fiu_channel_only.cedar.")
]
StateKey = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Keep the state's register key in this file, on an offline medium; made if new."
    ),
]
HostOption = Annotated[str, typer.Option(help="Address to listen on and to be reached at.")]
ChannelOption = Annotated[str, typer.Option(help="police, fiu or judicial: which channels are open to it.")]
RuleOption = Annotated[
    str, typer.Option(help="Legal tracing rule of its cases: fifo, lifo, prorata or libr.")
]
HoldHours = Annotated[int, typer.Option(help="A hold lapses after so many hours without an order.")]
Oversight = Annotated[bool, typer.Option(help="A body that only witnesses: no book, no requests.")]
PrivateNetwork = Annotated[
    bool, typer.Option(help="Peers may be led to a private address by the host's name.")
]


def node_init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the node will live; new or empty.")],
    name: Annotated[str, typer.Option(help="The authority's name.")],
    jurisdiction: Annotated[str, typer.Option(metavar="CC", help="Two letters, ISO 3166-1: CA, HK, TH …")],
    authority: Annotated[str, typer.Option(metavar="ID", help="Short id, unique in the compact: hk-adcc.")],
    covers: Covers = None,
    oversight: Oversight = False,
    channel: ChannelOption = "police",
    host: HostOption = "127.0.0.1",
    peer_port: Annotated[int, typer.Option(help="Port for peers (mutual TLS).")] = 7443,
    web_port: Annotated[int, typer.Option(help="Port for people and the public log.")] = 7080,
    rule: RuleOption = "fifo",
    hold_hours: HoldHours = 72,
    database: Database = "node.db",
    policy: StandingPolicy = None,
    root_key: StateKey = None,
    private_network: PrivateNetwork = False,
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
    from comity.model import Authority
    from comity.node.bootstrap import PASSPHRASE
    from comity.node.found import found
    from comity.node.home import Settings

    settings = Settings(
        authority=Authority(id=authority, name=name, jurisdiction=jurisdiction, oversight=oversight),
        covers=() if oversight else tuple(covers or [jurisdiction]), host=host, peer_port=_port(peer_port),
        web_port=_port(web_port), channel=_channel(channel), rule=rule, hold_hours=hold_hours,
        database=database,
    )  # fmt: skip
    done = found(
        folder, settings, passphrase_given=os.environ.get(PASSPHRASE), policies=policy or (), root_key=root_key,
        private_network=private_network,
    )  # fmt: skip
    _tell(done, folder, as_json=as_json)


def _tell(done: Founded, folder: Path, *, as_json: bool) -> None:
    """Once, the password; it is stored nowhere in clear."""
    if as_json:
        print_json({"dir": str(folder), "administrator": done.administrator, "password": done.password})
        return
    out.print(f"[bold]{shown(done.node.settings.authority.name)[0]}[/] is at {folder}")
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
    from comity.law.bases import Channel

    if channel not in {one.value for one in Channel}:
        raise InputError.because(expected=", ".join(Channel), got=repr(channel), where="--channel")
    return channel
