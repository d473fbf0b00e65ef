"""Mutual TLS for the peer surface: hand the client's certificate to the application.

uvicorn does not pass the client's certificate on, so the HTTP protocol is told to put its DER bytes into the
connection's state. The TLS handshake itself admits only certificates of members.
"""

import asyncio
import ssl
from collections import Counter
from typing import Any, ClassVar

import structlog
import uvicorn

from comity.backends.keys import server_context, show_in, stamp_of
from comity.entrypoints.deadlines import MOST_CONNECTIONS, DeadlineProtocol
from comity.errors import ComityError
from comity.node.bootstrap import Node, passphrase

log = structlog.get_logger()
CERTIFICATE = "peer_certificate"
MOST_OF_ONE_MEMBER = 32
"""Connections of one member at a time: it cannot keep the others out."""
LOOK_SECONDS = 1.0


class PeerProtocol(DeadlineProtocol):
    """HTTP/1.1 whose requests carry `scope["state"]["peer_certificate"]`; a few connections a member."""

    _open: ClassVar[Counter[bytes]] = Counter()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's own type
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self._certificate = (tls.getpeercert(binary_form=True) if tls is not None else None) or b""
        self.app_state = {**self.app_state, CERTIFICATE: self._certificate}
        self._open[self._certificate] += 1
        if self._open[self._certificate] > MOST_OF_ONE_MEMBER:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open[self._certificate] -= 1
        super().connection_lost(exc)


def peer_config(node: Node, app: Any) -> uvicorn.Config:
    """Serve `app` to the members of the compact, and to nobody else."""
    settings = node.settings
    config = uvicorn.Config(
        app, host=settings.host, port=settings.peer_port, http=PeerProtocol, ws="none", lifespan="off",
        access_log=False, log_config=None, server_header=False, date_header=False,
        limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=30, h11_max_incomplete_event_size=64 * 1024,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    config.load()
    config.ssl = _context(node)
    return config


async def keep_admitting(node: Node, context: ssl.SSLContext) -> None:
    """For as long as the surface is served: look for new members and keys now and then."""
    admitted, shown = _certificates(node), 0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            admit_new(node, context, admitted)
            shown = show_new(node, context, shown)
        except (ComityError, OSError) as error:  # ssl.SSLError is an OSError
            log.warning("new members or keys not taken up", problem=str(error))


def admit_new(node: Node, context: ssl.SSLContext, admitted: set[str]) -> None:
    """Let the handshake admit members that have joined since, or changed their certificate.

    Those that have left still get as far as the handshake: the application knows them no more (401).
    """
    new = _certificates(node) - admitted
    if new:
        context.load_verify_locations(cadata="".join(sorted(new)))
        admitted |= new


def show_new(node: Node, context: ssl.SSLContext, shown: int) -> int:
    """Show peers the certificate of the keys that have come into use since; return the stamp of those shown."""
    stamp = stamp_of(node.home.keys)
    if stamp != shown:
        show_in(context, node.home.keys, passphrase(node.home))
    return stamp


def _certificates(node: Node) -> set[str]:
    return {
        certificate
        for compact in node.compacts().values()
        for member in compact.members
        if member.id != node.id
        for certificate in compact.certificates(member.id)
    }


def _context(node: Node) -> ssl.SSLContext:
    return server_context(node.home.keys, passphrase(node.home), sorted(_certificates(node)))
