"""Serve a stand-alone witness until it is told to stop."""

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import uvicorn

from comity.backends.witness_folder import WitnessFolder
from comity.entrypoints.deadlines import MOST_CONNECTIONS, DeadlineProtocol
from comity.entrypoints.witness.app import DEFAULT_RATE, create_witness_app
from comity.entrypoints.witness.follow import following
from comity.errors import InputError
from comity.proofs.note import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how. `certificate` and `private_key` are PEM files; both empty: plain HTTP, behind a proxy."""

    host: str = "127.0.0.1"
    port: int = 7090
    certificate: str = ""
    private_key: str = ""
    rate: float = DEFAULT_RATE
    follow_seconds: float = 60.0


def serve_witness(
    folder: WitnessFolder, signer: Signer, where: Listening, *, on_ready: Callable[[int], None]
) -> None:
    """Run until SIGINT or SIGTERM; `on_ready` gets the port. `InputError` if the address cannot be used."""
    with _listen(where) as listening:
        stop = threading.Event()
        thread = following(folder, signer, every=where.follow_seconds, clock=_now, stop=stop)
        thread.start()
        on_ready(listening.getsockname()[1])
        try:
            asyncio.run(_server(folder, signer, where).serve(sockets=[listening]))
        finally:
            stop.set()
            thread.join(timeout=30)


def _server(folder: WitnessFolder, signer: Signer, where: Listening) -> uvicorn.Server:
    config = uvicorn.Config(
        create_witness_app(folder, signer, clock=_now, rate=where.rate), ws="none", lifespan="off",
        access_log=False, log_config=None, server_header=False, http=DeadlineProtocol,
        limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=30, timeout_graceful_shutdown=2,
        ssl_certfile=where.certificate or None, ssl_keyfile=where.private_key or None,
        proxy_headers=False,
    )  # fmt: skip
    return uvicorn.Server(config)


def _listen(where: Listening) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
        return socket.create_server((where.host, where.port), family=family)
    except OSError as error:
        raise InputError.because(
            expected=f"to listen on {where.host}:{where.port}", got=error.strerror or str(error),
            remedy="Stop what uses the address, or name another with --host and --port.",
        ) from error  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)
