"""Answers when something is wrong: a calm page for people, RFC 9457 problem+json for programs.

What went wrong inside is never shown: it goes to the log under a reference that the page shows.
"""

import logging
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from litestar import Response
from litestar.datastructures.headers import Accept
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from comity.entrypoints.web.guards import NotSignedIn
from comity.entrypoints.web.site import Site, WebRequest
from comity.errors import ComityError
from comity.proofs.canonical import canonical_bytes

_LOG = logging.getLogger("comity.web")
_TITLES = {
    400: "That could not be read",
    401: "Please sign in",
    403: "This is not open to you",
    404: "There is no such page",
    405: "That cannot be done here",
    409: "That has changed in the meantime",
    413: "That is too large",
    429: "Please wait a moment",
    502: "Another node could not be reached",
    507: "The node could not store that",
}
_TITLES_BY_CODE = {"case.erased": "This case was erased"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    status: int
    code: str
    title: str
    detail: str
    next_step: str
    reference: str = ""


def problem_of(error: Exception, reference: str) -> Problem:
    """Say what may be said. From 500 on nothing of the error itself leaves the node."""
    if isinstance(error, ComityError) and error.http_status < 500:
        status, code, detail, next_step = error.http_status, error.code, str(error), error.next_step
    elif isinstance(error, HTTPException) and error.status_code < 500:
        status, code = error.status_code, f"http.{error.status_code}"
        detail = HTTPStatus(status).phrase if status in set(HTTPStatus) else "The request was refused"
        next_step = "Check the address, or start again from the first page."
    else:
        status = error.http_status if isinstance(error, ComityError) else 500
        code = error.code if isinstance(error, ComityError) else "internal"
        detail = "The node could not do this. What happened is written in its log."
        next_step = f"Try again. If it happens again, tell the administrator the reference {reference}."
        return Problem(
            status=status,
            code=code,
            title=_TITLES.get(status, "Something went wrong on our side"),
            detail=detail,
            next_step=next_step,
            reference=reference,
        )
    title = _TITLES_BY_CODE.get(code) or _TITLES.get(status, HTTPStatus(status).phrase)
    return Problem(status=status, code=code, title=title, detail=detail, next_step=next_step)


def answer_error(site: Site, request: WebRequest, error: Exception) -> Response[str] | Response[bytes]:
    """The handler for every exception of the app."""
    for_program = wants_json(request)
    if isinstance(error, NotSignedIn) and not for_program:
        return _to_sign_in(request)
    problem = problem_of(error, site.new_secret()[:8])
    if problem.reference:
        _LOG.error("%s %s: reference %s", request.method, request.url.path, problem.reference, exc_info=error)
    answer = (
        _as_json(problem)
        if for_program
        else site.show(request, "error.html", status=problem.status, problem=problem)
    )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Session"
    if isinstance(error, HTTPException) and "Allow" in (error.headers or {}):
        answer.headers["Allow"] = (error.headers or {})["Allow"]
    return answer


def wants_json(request: WebRequest) -> bool:
    offered = ["text/html", "application/json", "application/problem+json"]
    best = Accept(request.headers.get("accept", "*/*")).best_match(offered, default="text/html")
    return best != "text/html"


def _to_sign_in(request: WebRequest) -> Response[str]:
    """A page asked for comes back after sign-in; a form that was sent does not."""
    path = request.url.path if request.method in {"GET", "HEAD"} else ""
    return Redirect(f"/sign-in?next={quote(path)}" if path else "/sign-in", status_code=303)


def _as_json(problem: Problem) -> Response[bytes]:
    body = {
        "type": f"urn:comity:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "next_step": problem.next_step,
    }
    if problem.reference:
        body["reference"] = problem.reference
    return Response(canonical_bytes(body), media_type="application/problem+json", status_code=problem.status)
