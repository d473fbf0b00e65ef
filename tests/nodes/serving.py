"""A node's peer surface on its real port with its real TLS, in a thread; and raw connections to it."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from comity.backends.courier import PeerCourier
from comity.backends.keys import client_context
from comity.backends.peer_client import Resolver, resolve
from comity.entrypoints.peer import create_peer_app, peer_config
from comity.entrypoints.serve import Server
from comity.node.bootstrap import Node, passphrase

PATIENCE = 20.0


@contextmanager
def peer_surface(node: Node) -> Iterator[None]:
    """Serve what peers reach until the block ends."""
    server = Server(peer_config(node, create_peer_app(node)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not server.started:
        assert thread.is_alive(), f"{node.id} did not start"
        assert time.monotonic() < until, f"{node.id} did not start in {PATIENCE} s"
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@contextmanager
def courier_of(node: Node, *, resolver: Resolver = resolve) -> Iterator[PeerCourier]:
    secret = passphrase(node.home)
    courier = PeerCourier(
        lambda member: client_context(node.home.keys, secret, member.tls_certificate), resolver=resolver
    )
    yield courier
    courier.close()


def context_of(node: Node, to: str) -> ssl.SSLContext:
    """What `node` calls the member `to` with."""
    certificate = node.compact().member(to).tls_certificate
    return client_context(node.home.keys, passphrase(node.home), certificate)


def place_of(node: Node) -> tuple[str, int]:
    found = urlsplit(node.compact().member(node.id).endpoint)
    assert found.hostname
    assert found.port
    return found.hostname, found.port


@contextmanager
def raw(node: Node, victim: Node) -> Iterator[ssl.SSLSocket]:
    """A connection that the victim takes for `node`'s, on which anything may be written."""
    host, port = place_of(victim)
    with (
        socket.create_connection((host, port), timeout=PATIENCE) as plain,
        context_of(node, victim.id).wrap_socket(plain, server_hostname=host) as sealed,
    ):
        yield sealed


def answer_on(connection: socket.socket) -> bytes:
    """Whatever comes until the answer is whole, or the other side closes."""
    said = b""
    connection.settimeout(PATIENCE)
    with suppress(ConnectionError, ssl.SSLError):
        while not _whole(said) and (part := connection.recv(65_536)):
            said += part
    return said


def _whole(said: bytes) -> bool:
    head, found, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *([0-9]+)", head)
    return bool(found and length and len(body) >= int(length[1]))
