"""Mutual TLS for the peer surface: hand the client's certificate to the application.

uvicorn does not pass the client's certificate on, so the HTTP protocol is told to put its DER bytes into the
connection's state. The TLS handshake itself admits only certificates of members.
"""

import asyncio
import ssl
from collections import Counter
from typing import Any, ClassVar

import uvicorn

from comity.backends.key_files import server_context
from comity.entrypoints.deadlines import MOST_CONNECTIONS, DeadlineProtocol
from comity.node.bootstrap import Node, passphrase

CERTIFICATE = "peer_certificate"
MOST_OF_ONE_MEMBER = 32
"""Connections of one member at a time: it cannot keep the others out."""


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


def _context(node: Node) -> ssl.SSLContext:
    certificates = [one.tls_certificate for one in node.compact().members if one.id != node.id]
    return server_context(node.home.keys, passphrase(node.home), certificates)
