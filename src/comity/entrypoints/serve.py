"""Serve a node: its peer surface, its pages and its API, and its work, in one process, until it is told to stop."""

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from comity.entrypoints.api import beside, create_api
from comity.entrypoints.deadlines import MOST_CONNECTIONS, DeadlineProtocol
from comity.entrypoints.peer import create_peer_app, keep_admitting, peer_config
from comity.entrypoints.public_log import log_handler
from comity.entrypoints.web import create_app
from comity.errors import InputError
from comity.ledger import LogRolledBack
from comity.node.bootstrap import Node
from comity.node.log.publish import heal_log
from comity.node.pages.desk import NodeDesk
from comity.node.run import Runner

log = structlog.get_logger()


class Server(uvicorn.Server):
    """uvicorn's server without its own signal handlers: two of them share this process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(node: Node, *, on_ready: Callable[[], None]) -> None:
    """Run until SIGINT or SIGTERM. `InputError` if an address is taken."""
    ports = [node.settings.web_port, *([node.settings.peer_port] if node.settings.inbound else [])]
    for port in ports:
        _refuse_taken(node.settings.host, port)
    _heal(node)
    asyncio.run(_serve(node, on_ready))


def _heal(node: Node) -> None:
    """First: a power loss may have taken unfinished tiles, which nobody must be served without.

    A log that was put back is published no more; the node serves all the same, and its deadlines run.
    """
    try:
        heal_log(node)
    except LogRolledBack as error:
        log.error("nothing will be published", code=error.code, problem=str(error))


async def _serve(node: Node, on_ready: Callable[[], None]) -> None:
    servers: list[uvicorn.Server] = [Server(_web_config(node))]
    admitting: list[asyncio.Task[None]] = []
    ending = threading.Event()
    if node.in_compact() and node.settings.inbound:
        config = peer_config(node, create_peer_app(node, ending=ending))
        servers.append(Server(config))
        if config.ssl is not None:
            admitting.append(asyncio.create_task(keep_admitting(node, config.ssl)))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    runner = Runner(node)
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    try:
        await _started(servers, tasks)
        runner.start()
        on_ready()
        await stopping.wait()
    finally:
        ending.set()
        for task in admitting:
            task.cancel()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(runner.stop)


async def _started(servers: list[uvicorn.Server], tasks: "list[asyncio.Task[None]]") -> None:
    while not all(server.started for server in servers):
        for task in tasks:
            if task.done():
                await task
                raise InputError("a server did not start", remedy="See the message above.")
        await asyncio.sleep(0.02)


def _web_config(node: Node) -> uvicorn.Config:
    pages = create_app(
        NodeDesk(node), node_name=node.settings.authority.name, extra_handlers=[log_handler(node.log)]
    )
    app = beside(pages, create_api(node))
    return uvicorn.Config(
        app, host=node.settings.host, port=node.settings.web_port, ws="none",
        lifespan="off", access_log=False, log_config=None, server_header=False,
        http=DeadlineProtocol, limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=30, timeout_graceful_shutdown=2,
    )  # fmt: skip


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            raise InputError.because(
                expected=f"to listen on {host}:{port}",
                got="an address in use" if taken else str(error),
                remedy="Stop what uses it, or change peer_port or web_port in node.toml.",
            ) from error
