"""The peer surface: `POST /peer/messages` and `POST /peer/add-checkpoint`. Everything else is 404.

Who is on the other end is the TLS certificate, compared byte for byte with the compact (`tls.py`). Bodies
are capped before they are read whole; the work is done in threads, so that a slow disk stalls one request.
"""

from typing import Any

from litestar import Litestar, Request, Response, post
from litestar.concurrency import sync_to_thread
from litestar.exceptions import HTTPException

from comity.entrypoints.peer.tls import CERTIFICATE
from comity.errors import ComityError, StorageError, TrustError
from comity.exchange.envelope import MAX_WIRE
from comity.node.bootstrap import Node
from comity.node.prove import cosign_peer
from comity.node.receive import Alarms, receive

MAX_CHECKPOINT = 256 * 1024
_Request = Request[Any, Any, Any]


class UnknownPeer(TrustError):
    """The connection's certificate is no member's (any more)."""

    code = "exchange.unknown-peer"
    http_status = 401


def create_peer_app(node: Node) -> Litestar:
    """The ASGI application that peers reach."""
    alarms = Alarms()

    @post("/peer/messages", request_max_body_size=MAX_WIRE)
    async def messages(request: _Request) -> Response[bytes]:
        """An envelope (spec/envelope.md). 202 or 200 with a signed receipt; else a receipt that refuses."""
        connection = _peer(node, request)
        wire = await request.body()
        done = await sync_to_thread(lambda: receive(node, wire, connection=connection, alarms=alarms))
        return Response(done.receipt.encode(), status_code=done.status, media_type="application/jose")

    @post("/peer/add-checkpoint", request_max_body_size=MAX_CHECKPOINT)
    async def add_checkpoint(request: _Request) -> Response[bytes]:
        """C2SP tlog-witness: cosign a peer's checkpoint."""
        connection = _peer(node, request)
        body = await request.body()
        answer = await sync_to_thread(lambda: cosign_peer(node, body, connection=connection, alarms=alarms))
        return Response(answer.body, status_code=answer.status, headers={"content-type": answer.content_type})

    return Litestar(
        route_handlers=[messages, add_checkpoint],
        exception_handlers={ComityError: _problem, HTTPException: _http_problem, Exception: _fault},
        openapi_config=None,
        logging_config=None,
    )


def _peer(node: Node, request: _Request) -> str:
    member = node.compact().by_certificate(request.scope["state"].get(CERTIFICATE, b""))
    if member is None:
        raise UnknownPeer("expected the certificate of a member, got another")
    return member.id


def _problem(_: _Request, error: ComityError) -> Response[dict[str, Any]]:
    """RFC 9457. What is wrong with the disk is not for peers to read."""
    detail = "storage is not available" if isinstance(error, StorageError) else str(error)
    return _answer(error.http_status, error.code, detail)


def _http_problem(_: _Request, error: HTTPException) -> Response[dict[str, Any]]:
    return _answer(error.status_code, "http", error.detail)


def _fault(_: _Request, error: Exception) -> Response[dict[str, Any]]:
    return _answer(500, "internal", type(error).__name__)


def _answer(status: int, code: str, detail: str) -> Response[dict[str, Any]]:
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail[:1000]}
    return Response(body, status_code=status, media_type="application/problem+json")
