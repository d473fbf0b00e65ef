"""`GET /peer/register/<compact>/…`: every member is a mirror of the registers it has joined (spec/register.md §6)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.concurrency import sync_to_thread
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from comity.node.bootstrap import Node
from comity.node.registers.keep import register_file


def register_handler(node: Node, who: Callable[[Request[Any, Any, Any]], str]) -> HTTPRouteHandler:
    """The route; `who` names the member on the connection, or raises."""

    @get("/peer/register/{compact:str}/{file:path}")
    async def register(
        request: Request[Any, Any, Any], compact: FromPath[str], file: FromPath[Path]
    ) -> Response[bytes]:
        """A file of the register by TUF's path; 404 if there is none, or if the compact is not the caller's."""
        member = who(request)
        content = await sync_to_thread(lambda: _served(node, member, compact, str(file).lstrip("/")))
        if content is None:
            return Response(b"", status_code=404)
        return Response(content, media_type="application/octet-stream")

    return register


def _served(node: Node, member: str, compact: str, path: str) -> bytes | None:
    """Who belongs to a compact is its members' business alone."""
    joined = node.compacts().get(compact)
    if joined is None or all(one.id != member for one in joined.members):
        return None
    return register_file(node, compact, path)
