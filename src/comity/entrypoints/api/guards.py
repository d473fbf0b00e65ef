"""Before anything is done: who is calling, and is what they sent what this address takes.

The token stands in the `Authorization` header and nowhere else (RFC 6750 §2.1; never in an address, which is written
into logs). No cookie is read, so no other site's page can call in a browser's name. A right token is never kept out by
others' wrong ones; each token has a pace of its own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import msgspec
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from comity.entrypoints.api.problems import (
    ApiRequest,
    NotReadable,
    TooLarge,
    TooManyCalls,
    WrongMediaType,
    WrongShape,
)
from comity.entrypoints.web.throttle import Throttle, address_key
from comity.errors import InputError, NotFound
from comity.node.bootstrap import Node
from comity.node.post.pace import Rates
from comity.node.tokens import BadToken, Bearer, bearer_of, require_full
from comity.proofs.canonical import parse_strict

MAX_BODY = 256 * 1024
CALLS_A_MINUTE = 3_000
_BEARER = "comity.bearer"
_Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(slots=True, kw_only=True)
class Door:
    """A Litestar guard: lets in who has a good token, at their pace. `opt["open"]` marks what anybody may ask."""

    node: Node
    a_minute: int = CALLS_A_MINUTE
    seconds: Callable[[], float] = time.monotonic
    _wrong: Throttle = field(init=False)
    _pace: Rates = field(init=False)

    def __post_init__(self) -> None:
        self._wrong, self._pace = Throttle(self.seconds), Rates(self.a_minute)

    async def __call__(self, connection: _Connection, handler: BaseRouteHandler) -> None:
        if handler.opt.get("open") or connection.scope.get("method") == "OPTIONS":
            return
        bearer = await self._bearer(connection)
        seconds = self._pace.wait(bearer.token.id, 1, self.seconds())
        if seconds:
            raise TooManyCalls(seconds)
        if not handler.opt.get("reads"):
            require_full(bearer)
        connection.scope["state"][_BEARER] = bearer

    async def _bearer(self, connection: _Connection) -> Bearer:
        try:
            text = token_in(connection.headers.getall("authorization", []))
            return await sync_to_thread(lambda: bearer_of(self.node, text))
        except BadToken:
            wait = self._wrong.charge(address_key(connection.client.host if connection.client else None))
            if wait > 0:
                raise TooManyCalls(ceil(wait)) from None
            raise


def token_in(headers: list[str]) -> str:
    """The bearer token of the one `Authorization` header, or `BadToken`."""
    if len(headers) != 1:
        raise BadToken(f"expected one Authorization header with a token, got {len(headers) or 'none'}")
    scheme, _, text = headers[0].partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise BadToken("expected `Authorization: Bearer …`, got another scheme")
    return text.strip()


def caller_of(request: ApiRequest) -> Bearer:
    """Who is calling, as the guard found them."""
    bearer: Bearer = request.scope["state"][_BEARER]
    return bearer


async def strict_input(connection: _Connection, handler: BaseRouteHandler) -> None:
    """A Litestar guard: only the query that `opt["query"]` names, and only a body of the kind `opt["body"]`."""
    if connection.scope.get("method") == "OPTIONS":
        return
    if not connection.scope["path"].isprintable():
        raise NotFound.because(expected="an address of printable characters", got="another")
    known = handler.opt.get("query", ())
    for name in connection.query_params:
        if name not in known:
            raise WrongShape.because(
                expected=f"no query but {', '.join(known)}" if known else "no query", got=repr(name)[:100]
            )
        if len(connection.query_params.getall(name)) > 1:
            raise WrongShape.because(expected=f"{name} once", got="several times")
    kind = handler.opt.get("body")
    if kind is not None:
        read_body(await _body(ApiRequest(connection.scope, connection.receive)), kind)


async def _body(request: ApiRequest) -> bytes:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != "application/json":
        raise WrongMediaType.because(expected="application/json", got=repr(sent)[:100] if sent else "nothing")
    try:
        body = await request.body()
    except HTTPException as error:
        if error.status_code != TooLarge.http_status:
            raise
        raise TooLarge.because(expected=f"at most {MAX_BODY} bytes", got="more") from error
    return body


def read_body(body: bytes, kind: Any) -> Any:
    """Strict JSON of that kind: `NotReadable` or `WrongShape`. Nothing is turned into another type to make it fit."""
    try:
        value = parse_strict(body, max_bytes=MAX_BODY)
    except InputError as error:
        raise NotReadable(error.problem) from error
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise WrongShape(str(error)) from error
