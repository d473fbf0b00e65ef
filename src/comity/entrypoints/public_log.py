"""Serve the published log to anybody: `/log/checkpoint`, `/log/key`, `/log/tile/…` (C2SP tlog-tiles).

The prefix of the log is `…/log`, with or without a slash behind it. It holds salted commitments only. A tile, full
or not, never changes and may be cached for ever; the checkpoint and what is not there yet may not. Entries are
hashes, which do not compress, so nothing is encoded.
"""

from collections.abc import Mapping
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from comity.errors import InputError
from comity.ledger import LogReader
from comity.proofs.tiles import parse_tile_path

_TEXT = "text/plain; charset=utf-8"
_FOR_EVER = "public, max-age=31536000, immutable"
_NAMED = ("checkpoint", "key")
_ANYBODY: Mapping[str, str] = {"access-control-allow-origin": "*", "x-content-type-options": "nosniff"}


def log_handler(log: LogReader) -> HTTPRouteHandler:
    """The route that hands out the files of `log`, and nothing else."""

    @route("/log/{path:path}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def log_file(request: Request[Any, Any, Any], path: FromPath[str]) -> Response[bytes]:
        name = path.lstrip("/")
        content = await sync_to_thread(lambda: log.read(name)) if _is_of_log(name) else None
        if content is None:
            return _answer(request, 404, b"not in this log\n", _TEXT, "no-store")
        if name in _NAMED:
            return _answer(request, 200, content, _TEXT, "no-cache")
        return _answer(request, 200, content, "application/octet-stream", _FOR_EVER)

    return log_file


def _is_of_log(name: str) -> bool:
    """Is this a path that a log may have? Nothing else is ever looked for on the disk."""
    try:
        return name in _NAMED or parse_tile_path(name).path == name
    except InputError:
        return False


def _answer(
    request: Request[Any, Any, Any], status: int, content: bytes, kind: str, cache: str
) -> Response[bytes]:
    headers = {**_ANYBODY, "content-type": kind, "cache-control": cache, "content-length": str(len(content))}
    body = b"" if request.method == HttpMethod.HEAD else content
    return Response(body, status_code=status, headers=headers)
