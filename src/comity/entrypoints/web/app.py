"""The web pages of a node as one Litestar app. No page needs a script, nothing comes from elsewhere.

Refuses: requests that change anything and are not our own form (guards.py), bodies over the form limit.
TLS, the address it listens on and the files under `/log/` are the caller's.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from litestar import Litestar, Response, Router
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler

from comity.entrypoints.web.assets import Assets
from comity.entrypoints.web.error_pages import answer_error
from comity.entrypoints.web.guards import MAX_FORM_BYTES, Cookies, FormGuard
from comity.entrypoints.web.headers import add_headers
from comity.entrypoints.web.pages import (
    case_pages,
    people_pages,
    procedure_pages,
    public_pages,
    sign_in_pages,
)
from comity.entrypoints.web.rendering import Pages
from comity.entrypoints.web.site import Site, WebRequest
from comity.entrypoints.web.throttle import Throttle
from comity.node.pages.views import Desk


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    desk: Desk,
    *,
    node_name: str,
    extra_handlers: Sequence[ControllerRouterHandler] = (),
    now: Callable[[], datetime] = _utc_now,
    seconds: Callable[[], float] = time.monotonic,
    new_secret: Callable[[], str] = secrets.token_urlsafe,
) -> Litestar:
    """Put the pages on `desk`. `extra_handlers` get the headers and the error pages, not the form guard."""
    assets = Assets()
    cookies = Cookies(node_name=node_name)
    site = Site(
        desk=desk,
        pages=Pages(node_name=node_name, asset=assets.address),
        cookies=cookies,
        throttle=Throttle(seconds),
        now=now,
        new_secret=new_secret,
    )

    def on_error(request: WebRequest, error: Exception) -> Response[str] | Response[bytes]:
        return answer_error(site, request, error)

    pages = Router(
        "/",
        route_handlers=[
            *public_pages(site), *sign_in_pages(site), *case_pages(site), *people_pages(site),
            *procedure_pages(site),
            assets.handler(),
        ],
        guards=[FormGuard(cookies=cookies)],
        request_max_body_size=MAX_FORM_BYTES,
    )  # fmt: skip
    return Litestar(
        route_handlers=[pages, *extra_handlers],
        before_send=[add_headers],
        exception_handlers={HTTPException: on_error, Exception: on_error},
        openapi_config=None,
        debug=False,
        pdb_on_exception=False,
        logging_config=None,
    )
