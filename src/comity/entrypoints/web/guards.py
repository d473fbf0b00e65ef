"""Who is asking, and did our own page ask: session cookie, form token, same-origin check.

A form is accepted only if the browser says it comes from this origin (Fetch Metadata, else `Origin`) and it
carries the token bound to the cookie that came with it. Whether a session is still good is the Desk's to say.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler

from comity.errors import Forbidden, InputError

MAX_FORM_BYTES = 16 * 1024
_SAFE = ("GET", "HEAD", "OPTIONS")


class NotSignedIn(Forbidden):
    """This page is for people who are signed in."""

    code = "web.not-signed-in"
    remedy = "Sign in and try again."
    http_status = 401


class ForeignForm(Forbidden):
    """A form that no page of this node, opened in this browser session, has sent."""

    code = "web.foreign-form"
    remedy = "Open the page again and send the form from there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """Names carry the node's: several nodes on one machine share its host name, and cookies know no ports."""

    node_name: str

    def session(self, request: Request[Any, Any, Any]) -> str:
        return request.cookies.get(self._name(request, "session"), "")

    def binding(self, request: Request[Any, Any, Any]) -> str:
        """The secret forms are bound to: the session's, or before sign-in the visitor's."""
        return self.session(request) or request.cookies.get(self._name(request, "visitor"), "")

    def set_session(self, request: Request[Any, Any, Any], token: str) -> list[Cookie]:
        return [self._cookie(request, "session", token), self._cookie(request, "visitor", None)]

    def set_visitor(self, request: Request[Any, Any, Any], token: str) -> list[Cookie]:
        return [self._cookie(request, "visitor", token)]

    def clear(self, request: Request[Any, Any, Any]) -> list[Cookie]:
        return [self._cookie(request, "session", None), self._cookie(request, "visitor", None)]

    def _name(self, request: Request[Any, Any, Any], purpose: str) -> str:
        """`__Host-` (RFC 6265bis §4.1.3.2): only this host may have set it. Browsers want https for that."""
        mark = sha256(self.node_name.encode()).hexdigest()[:8]
        return f"{'__Host-' if _secure(request) else ''}comity-{purpose}-{mark}"

    def _cookie(self, request: Request[Any, Any, Any], purpose: str, value: str | None) -> Cookie:
        return Cookie(
            key=self._name(request, purpose),
            value=value or "",
            path="/",
            httponly=True,
            secure=_secure(request),
            samesite="strict",
            max_age=None if value else 0,
        )


def form_token(binding: str) -> str:
    """The token of every form of one session; it reveals nothing about the session's own."""
    return hmac.new(binding.encode(), b"comity form token v1", sha256).hexdigest()


async def read_form(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Every field once, as text; `InputError` for anything else."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != "application/x-www-form-urlencoded":
        raise InputError.because(expected="a form (application/x-www-form-urlencoded)", got=sent or "nothing")
    body = await request.body()
    if len(body) > MAX_FORM_BYTES:
        raise InputError.because(expected=f"a form of at most {MAX_FORM_BYTES} bytes", got=str(len(body)))
    try:
        fields = parse_qs(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=20,
            encoding="utf-8", errors="strict",
        )  # fmt: skip
    except ValueError as error:
        raise InputError.because(expected="a well-formed form", got="something else") from error
    for name, values in fields.items():
        if len(values) != 1:
            raise InputError.because(expected=f"field {name!r} once", got=f"{len(values)} times")
    return {name: values[0] for name, values in fields.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormGuard:
    """A Litestar guard for every route of the pages: what changes anything must be our own form."""

    cookies: Cookies

    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
    ) -> None:
        if connection.scope.get("method", "") in _SAFE:
            return
        if not isinstance(connection, Request):
            raise ForeignForm("expected a form, got another kind of connection")
        refuse_foreign(connection)
        sent = (await read_form(connection)).get("form_token", "")
        binding = self.cookies.binding(connection)
        if not binding or not hmac.compare_digest(sent.encode(), form_token(binding).encode()):
            raise ForeignForm("expected the token this node put into the form, got another or none")


def refuse_foreign(request: Request[Any, Any, Any]) -> None:
    """Raise `ForeignForm` unless the browser says that a page of this very origin sent the request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise ForeignForm(f"expected a form from this site, got one marked {site!r}")
    origin = request.headers.get("origin")
    own = f"{request.scope.get('scheme', '')}://{request.headers.get('host', '')}"
    if origin is not None and origin.lower() != own.lower():
        raise ForeignForm(f"expected a form from {own}, got one from {origin!r}")
    if site is None and origin is None:
        raise ForeignForm("expected a browser that says where the form came from, got neither mark")


def local_path(wanted: str, *, otherwise: str) -> str:
    """`wanted` if it is a path on this site, else `otherwise`: a sign-in must not lead anywhere else."""
    printable = all("\x21" <= character <= "\x7e" for character in wanted)
    if not printable or not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or "\\" in wanted:
        return otherwise
    return wanted


def _secure(request: Request[Any, Any, Any]) -> bool:
    return request.scope.get("scheme") == "https"
