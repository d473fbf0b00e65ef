"""What a program is told when something is wrong: RFC 9457 problem+json, from our tree of errors.

400 is for what cannot be read, 422 for what can and is not as it must be. What went wrong inside a node is never told:
it goes to the log under a reference that the answer names; what may pass by itself is 503.
"""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from comity.errors import ComityError, Forbidden, InputError

ApiRequest = Request[Any, Any, Any]
PROBLEM = "application/problem+json"
_LOG = logging.getLogger("comity.api")
_WAIT_SECONDS = 5


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """RFC 9457. `code` is stable, programs may match on it; `remedy` says what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    remedy: str
    expected: str | None = None
    got: str | None = None
    policies: Sequence[str] | None = None
    """The access policies that denied it, by id."""
    reference: str | None = None
    """Under this the node's log says more."""


class NotReadable(InputError):
    """The body is no JSON, or JSON that two parsers could read differently."""

    code = "api.not-json"
    remedy = "Send strict JSON: each key once, integers only, UTF-8."


class WrongMediaType(InputError):
    """The body says that it is something else than JSON."""

    code = "api.media-type"
    remedy = "Send the body as application/json."
    http_status = 415


class TooLarge(InputError):
    """The body is longer than any that is taken here."""

    code = "api.too-large"
    remedy = "Send less; files go with notices, not through here."
    http_status = 413


class WrongShape(InputError):
    """What was sent can be read, and is not what this address takes."""

    code = "api.shape"
    remedy = "Look at /api/v1/openapi.json for what this address takes; nothing was changed."
    http_status = 422


class TooManyCalls(ComityError):
    """More calls than one program needs, or one wrong token after the other."""

    code = "api.too-many"
    http_status = 429
    remedy = "Wait as long as Retry-After says; nothing was done."

    def __init__(self, seconds: int) -> None:
        super().__init__(f"expected fewer calls, got one more; wait {seconds} s")
        self.seconds = seconds


def answer_error(request: ApiRequest, error: Exception, *, reference: str) -> Response[bytes]:
    """The answer for any exception; `reference` is used only where the log says more."""
    problem = problem_of(error, reference)
    if problem.reference:
        _LOG.error("%s %s: reference %s", request.method, request.url.path, reference, exc_info=error)
    answer = Response(msgspec.json.encode(problem), media_type=PROBLEM, status_code=problem.status)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="comity"'
    if isinstance(error, TooManyCalls):
        answer.headers["Retry-After"] = str(error.seconds)
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = str(_WAIT_SECONDS)
    if isinstance(error, HTTPException):
        allow = {name.lower(): value for name, value in (error.headers or {}).items()}.get("allow")
        if allow:
            answer.headers["Allow"] = allow
    return answer


def problem_of(error: Exception, reference: str) -> Problem:
    """Say what may be said."""
    if isinstance(error, ComityError) and error.http_status < 500:
        status = _status(error)
        policies = error.policies if isinstance(error, Forbidden) else ()
        return Problem(
            type=f"urn:comity:problem:{error.code}", title=HTTPStatus(status).phrase, status=status,
            detail=_text(str(error)), code=error.code, remedy=_text(error.next_step),
            expected=_text(error.expected) or None, got=_text(error.got) or None, policies=list(policies) or None,
        )  # fmt: skip
    if isinstance(error, HTTPException) and error.status_code < 500:
        status = 422 if isinstance(error, ValidationException) else error.status_code
        return Problem(
            type=f"urn:comity:problem:http.{status}", title=HTTPStatus(status).phrase, status=status,
            detail=_detail(error, status), code=f"http.{status}",
            remedy="Look at /api/v1/openapi.json for the addresses there are and what they take.",
        )  # fmt: skip
    code, status = (error.code, 503) if isinstance(error, ComityError) else ("internal", 500)
    return Problem(
        type=f"urn:comity:problem:{code}", title=HTTPStatus(status).phrase, status=status, code=code,
        detail="The node could not do this. What happened is written in its log.",
        remedy=f"Try again; if it happens again, tell the administrator the reference {reference}.",
        reference=reference,
    )  # fmt: skip


def _status(error: ComityError) -> int:
    """What could be read, and is refused for what it says, is 422."""
    plain_input = isinstance(error, InputError) and error.http_status == HTTPStatus.BAD_REQUEST
    return 422 if plain_input and not isinstance(error, NotReadable) else error.http_status


def _detail(error: HTTPException, status: int) -> str:
    said = [one for one in (getattr(error, "extra", None) or []) if isinstance(one, dict)]
    named = "; ".join(f"{one.get('key', '')}: {one.get('message', '')}" for one in said)
    return _text(named) or HTTPStatus(status).phrase


def _text(said: str) -> str:
    """What a caller sent may come back in an error: as text that UTF-8 can hold."""
    return said.encode("utf-8", "replace").decode()
