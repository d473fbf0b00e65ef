"""`GET /peer/attachments/<id>`: the sealed bytes of what we offer to the member that asks, whole or one range.
`PUT /peer/attachments/<id>?chunk=<n>`: a chunk from a member that accepts no connections (spec/attachment.md §3.1).

RFC 9110 §14: one range of bytes, no others. What is unknown, another member's or taken back is the same 404. In
memory is one block a request; the client's own slowness slows only its own request.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from litestar import Request, Response, get, put
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from comity.errors import InputError, NotFound
from comity.exchange.attachment import MOST_CHUNK
from comity.node.attachments.attach import offered_to
from comity.node.attachments.fetch import Fetching
from comity.node.bootstrap import Node
from comity.proofs.chunks import TAG_BYTES

BLOCK_BYTES = 512 * 1024
_RANGE = re.compile(r"bytes=([0-9]{1,16})-([0-9]{0,16})", re.ASCII)
_Request = Request[Any, Any, Any]


def attachment_handlers(node: Node, peer_of: Callable[[_Request], str]) -> list[HTTPRouteHandler]:
    """`peer_of` says which member is on the connection, or raises."""
    brought: dict[str, tuple[asyncio.Lock, Fetching]] = {}

    @get("/peer/attachments/{attachment_id:str}")
    async def fetch(request: _Request, attachment_id: FromPath[str]) -> Response[Any]:
        peer = peer_of(request)
        file = await sync_to_thread(lambda: offered_to(node, peer, attachment_id))
        if file is None:
            raise NotFound("expected an attachment for you, got none")
        return _answer(file, request.headers.get("range", ""))

    @put("/peer/attachments/{attachment_id:str}", request_max_body_size=MOST_CHUNK + TAG_BYTES)
    async def bring(request: _Request, attachment_id: FromPath[str]) -> Response[str]:
        peer = peer_of(request)
        index = _index(request.query_params.get("chunk", ""))
        lock, fetching = brought.setdefault(peer, (asyncio.Lock(), Fetching(node, peer)))
        async with lock:  # waiting takes no thread, and one body is in memory: it keeps only itself waiting
            body = await request.body()
            wanted = await sync_to_thread(lambda: fetching.take(attachment_id, index, body))
        return Response(str(wanted), media_type="text/plain")

    return [fetch, bring]


def _index(said: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) <= 12):
        raise InputError.because(expected="the number of a chunk", got=repr(said)[:80])
    return int(said)


def _answer(file: Path, wanted: str) -> Response[Any]:
    size = file.stat().st_size
    span = _span(wanted, size) if wanted else (0, size)
    if span is None:
        return Response(b"", status_code=416, headers={"content-range": f"bytes */{size}"})
    start, end = span
    headers = {"accept-ranges": "bytes", "content-length": str(end - start), "cache-control": "no-store"}
    if wanted:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    return Stream(
        _blocks(file, start, end), status_code=206 if wanted else 200, headers=headers,
        media_type="application/octet-stream",
    )  # fmt: skip


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of the range; None if it is not one that can be given."""
    found = _RANGE.fullmatch(wanted)
    if found is None or int(found[1]) >= size:
        return None
    end = min(int(found[2]) + 1, size) if found[2] else size
    return (int(found[1]), end) if end > int(found[1]) else None


async def _blocks(file: Path, start: int, end: int) -> AsyncIterator[bytes]:
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        while start < end:
            length = min(BLOCK_BYTES, end - start)
            block = await sync_to_thread(os.pread, handle, length, start)
            if not block:
                return  # cut short on our disk: the peer sees that it is not whole
            yield block
            start += len(block)
    finally:
        os.close(handle)
