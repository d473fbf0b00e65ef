"""The peer surface: messages in, receipts out; the mailbox of those who fetch; the witness protocol. Else 404.

Who is on the other end is the TLS certificate, compared byte for byte with the compacts (`tls.py`). Bodies are
capped before they are read whole; the work is done in threads, so that a slow disk stalls one request.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from comity.backends.courier import POLL_SECONDS
from comity.backends.sql.committed import OUTBOX
from comity.entrypoints.peer.attachments import attachment_handlers
from comity.entrypoints.peer.register import register_handler
from comity.entrypoints.peer.tls import CERTIFICATE
from comity.errors import ComityError, StorageError, TrustError
from comity.exchange import Outgoing, read_envelopes, write_envelopes, write_results
from comity.exchange.batch import ENVELOPES, MAX_BATCH, MAX_RESULTS, RESULTS
from comity.node.bootstrap import Node
from comity.node.log.prove import cosign_peer, newest_seen
from comity.node.post.mailbox import hand_out, take_results
from comity.node.post.receive import receive

MAX_CHECKPOINT = 256 * 1024
MOST_WAITING = 20_000
WAIT_SECONDS = 5
"""So many messages of one member may wait to be acted on; then it is to wait."""
LOOK_AGAIN_SECONDS = 1.0
"""A poll that waits also looks by itself: a reply's tick, or another process, may have made something ready."""
_Request = Request[Any, Any, Any]


class UnknownPeer(TrustError):
    """The connection's certificate is no member's (any more)."""

    code = "exchange.unknown-peer"
    http_status = 401


class TooManyMessages(ComityError):
    """This member sends more a minute than any honest one would, or more than we come to act on."""

    code = "exchange.too-many"
    http_status = 429
    remedy = "Wait as long as Retry-After says; nothing of this batch was taken."

    def __init__(self, seconds: int) -> None:
        super().__init__(f"expected fewer messages, or fewer bytes; wait {seconds} s")
        self.seconds = seconds


def create_peer_app(node: Node, *, ending: threading.Event | None = None) -> Litestar:
    """The ASGI application that peers reach. Once `ending` is set, polls that wait are answered: there is nothing."""
    ending = ending or threading.Event()
    callers = _Callers(node)
    bodies: dict[str, asyncio.Lock] = {}

    @post("/peer/messages", request_max_body_size=MAX_BATCH, status_code=200)
    async def messages(request: _Request) -> Response[bytes]:
        """A batch of envelopes (spec/delivery.md): a result with a signed receipt for each."""
        connection = callers.who(request)
        async with bodies.setdefault(connection, asyncio.Lock()):  # a member has one body at a time in memory
            wires = read_envelopes(await request.body())
            await sync_to_thread(lambda: _refuse_too_many(node, connection, wires))
            results = await sync_to_thread(lambda: receive(node, wires, connection=connection))
        return Response(write_results(results), media_type=RESULTS)

    @post("/peer/mailbox", request_max_body_size=MAX_RESULTS, status_code=200)
    async def mailbox(request: _Request) -> Response[bytes]:
        """What waits for the member that asks (spec/delivery.md §6), and what it says of the batch before."""
        connection = callers.who(request)
        body, dice = await request.body(), random.SystemRandom().random()
        await sync_to_thread(lambda: take_results(node, connection, body, random=dice))
        batch = await _next_batch(node, connection, ending)
        if not batch:
            return Response(b"", status_code=204)
        return Response(write_envelopes([one.wire for one in batch]), media_type=ENVELOPES)

    @post("/peer/add-checkpoint", request_max_body_size=MAX_CHECKPOINT)
    async def add_checkpoint(request: _Request) -> Response[bytes]:
        """C2SP tlog-witness: cosign a peer's checkpoint."""
        connection = callers.who(request)
        body = await request.body()
        answer = await sync_to_thread(lambda: cosign_peer(node, body, connection=connection))
        return Response(answer.body, status_code=answer.status, headers={"content-type": answer.content_type})

    @get("/peer/checkpoint/{log_id:str}")
    async def newest_checkpoint(request: _Request, log_id: FromPath[str]) -> Response[bytes]:
        """The signed checkpoint that this node saw last of a log: what backs a 409 (spec/log.md)."""
        caller = callers.who(request)
        found = await sync_to_thread(lambda: newest_seen(node, log_id, caller=caller))
        return Response(
            found or b"", status_code=200 if found else 404, media_type="text/plain; charset=utf-8"
        )

    return Litestar(
        route_handlers=[
            messages, mailbox, add_checkpoint, newest_checkpoint, register_handler(node, callers.who),
            *attachment_handlers(node, callers.who),
        ],
        exception_handlers={
            TooManyMessages: _too_many, ComityError: _problem, HTTPException: _http_problem, Exception: _fault,
        },
        openapi_config=None,
        logging_config=None,
    )  # fmt: skip


class _Callers:
    """Whose certificate a connection shows. Remembered by its bytes, for as long as no compact changes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[bytes, str] = {}
        self._versions: tuple[object, ...] = ()

    def who(self, request: _Request) -> str:
        """The member's id, or `UnknownPeer`."""
        shown = request.scope["state"].get(CERTIFICATE, b"")
        compacts = self._node.compacts().values()
        versions = tuple((one.digest, one.retiring) for one in compacts)
        if versions != self._versions:
            self._versions, self._known = versions, {}
        if shown not in self._known:
            found = (compact.by_certificate(shown) for compact in compacts)
            member = next((one for one in found if one is not None), None)
            if member is None:
                raise UnknownPeer("expected the certificate of a member, got another")
            self._known[shown] = member.id
        return self._known[shown]


def _refuse_too_many(node: Node, member_id: str, wires: Sequence[bytes]) -> None:
    """Before anything of a batch is taken: its messages and bytes count, and so does what waits from before."""
    now = time.monotonic()
    seconds = node.pace.rates.wait(member_id, len(wires), now)
    seconds = seconds or node.pace.bytes.wait(member_id, sum(map(len, wires)), now)
    if not seconds:
        with node.records.reading() as tx:
            seconds = WAIT_SECONDS if tx.inbox.crowded(member_id, MOST_WAITING) else 0
    if seconds:
        raise TooManyMessages(seconds)


async def _next_batch(node: Node, member_id: str, ending: threading.Event) -> list[Outgoing]:
    """What waits for the member; nothing only after `POLL_SECONDS` in which nothing came."""
    loop, news = asyncio.get_running_loop(), asyncio.Event()
    ends = time.monotonic() + POLL_SECONDS

    def tell() -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(news.set)

    look: Callable[[], list[Outgoing]] = lambda: hand_out(node, member_id)  # noqa: E731 - for a thread
    node.records.committed.on(OUTBOX, tell)
    try:
        while True:
            news.clear()
            batch = await sync_to_thread(look)
            left = ends - time.monotonic()
            if batch or left <= 0 or ending.is_set():
                return batch
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), min(left, LOOK_AGAIN_SECONDS))
    finally:
        node.records.committed.off(OUTBOX, tell)


def _too_many(_: _Request, error: TooManyMessages) -> Response[dict[str, Any]]:
    answer = _answer(error.http_status, error.code, str(error))
    answer.headers["retry-after"] = str(error.seconds)
    return answer


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
