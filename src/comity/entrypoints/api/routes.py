"""How a route of the API is declared: what it reads or changes, what it takes, what it may answer.

`reading` and `changing` are Litestar's `get` and `post` with what `guards` need to know beside them. Work is done in
threads: a slow disk stalls one call.
"""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec

from comity.entrypoints.api.guards import MAX_BODY, caller_of
from comity.entrypoints.api.problems import PROBLEM, ApiRequest, Problem
from comity.node.bootstrap import Node
from comity.node.calls import key_of, once
from comity.proofs.canonical import canonical_bytes

IDEMPOTENCY_KEY = "Idempotency-Key"
_Made = Callable[[Callable[..., Any]], HTTPRouteHandler]
_ANYBODY: Mapping[int, str] = {
    400: "The request cannot be read.",
    422: "It can be read, and is not what this address takes.",
    503: "The node cannot do this now; try again.",
}
_CALLERS: Mapping[int, str] = {
    **_ANYBODY,
    401: "No token, or none that is good.",
    403: "The policy, the procedure or an obligation does not allow it; `policies` names which.",
    429: "Too many calls; wait as long as Retry-After says.",
}
_NAMED: Mapping[int, str] = {404: "There is no such thing here."}
_BODY: Mapping[int, str] = {413: "The body is too long.", 415: "The body is no application/json."}
_STATE: Mapping[int, str] = {409: "Its present state does not allow it; look at it first."}


def open_to_all(path: str) -> _Made:
    """A GET that needs no token."""
    return get(
        path, sync_to_thread=True, opt={"open": True}, responses=_specs(_ANYBODY), raises=[], security=[{}]
    )


def reading(path: str, *, query: tuple[str, ...] = ()) -> _Made:
    """A GET. `query` names the parameters that it takes; any other is refused."""
    may = {**_CALLERS, **_NAMED}
    return get(path, sync_to_thread=True, opt={"reads": True, "query": query}, responses=_specs(may))


def asking(path: str, *, body: Any) -> _Made:
    """A POST that changes nothing: a question too long for an address. Tokens for reading may ask it."""
    may = {**_CALLERS, **_NAMED, **_BODY}
    return post(
        path, status_code=200, sync_to_thread=True, opt={"reads": True, "body": body}, responses=_specs(may),
        request_max_body_size=MAX_BODY,
    )  # fmt: skip


def changing(path: str, *, body: Any, status: int = 200) -> _Made:
    """A POST with an effect. Under an `Idempotency-Key` it has it once, however often it is sent."""
    may = {**_CALLERS, **_NAMED, **_BODY, **_STATE}
    return post(
        path, status_code=status, sync_to_thread=True, opt={"body": body}, responses=_specs(may),
        request_max_body_size=MAX_BODY,
    )  # fmt: skip


def do_once(
    node: Node, request: ApiRequest, key: str | None, body: Mapping[str, Any], effect: Callable[[], object]
) -> bool:
    """Do `effect`, or nothing if this very call was made before under this key; True then."""
    person = caller_of(request).person.id
    called = (request.method.encode(), request.url.path.encode(), canonical_bytes(dict(body)))
    return once(node, key_of(person, key, *called) if key is not None else None, effect)


def _specs(may: Mapping[int, str]) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=text, media_type=PROBLEM)
        for status, text in sorted(may.items())
    }
