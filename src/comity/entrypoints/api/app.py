"""The API of a node for programs, under `/api/v1`: a Litestar app of its own, served beside the pages.

It holds no rule: who may do what is the policies' to say, what may happen the procedures'. Errors are problem+json.
"""

import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

from litestar import Litestar, Response
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Scope, Send

from comity.entrypoints.api.about import about_routes
from comity.entrypoints.api.casework import casework_routes
from comity.entrypoints.api.document import config, document
from comity.entrypoints.api.guards import Door, strict_input
from comity.entrypoints.api.law import law_routes
from comity.entrypoints.api.matters import matter_routes
from comity.entrypoints.api.problems import ApiRequest, answer_error
from comity.entrypoints.web.headers import add_headers
from comity.node.bootstrap import Node

BASE = "/api/v1"


def create_api(
    node: Node, *, door: Door | None = None, new_secret: Callable[[], str] = secrets.token_urlsafe
) -> Litestar:
    """The API on `node`."""
    api: Litestar

    @cache
    def described() -> dict[str, Any]:
        """Made once: whoever asks needs no token, and it takes its time."""
        return document(api)

    def on_error(request: ApiRequest, error: Exception) -> Response[bytes]:
        return answer_error(request, error, reference=new_secret()[:8])

    api = Litestar(
        path=BASE,
        route_handlers=[
            *about_routes(node, described), *law_routes(), *casework_routes(node), *matter_routes(node),
        ],
        guards=[door or Door(node=node), strict_input],
        before_send=[add_headers],
        exception_handlers={HTTPException: on_error, Exception: on_error},
        openapi_config=config(),
        debug=False,
        pdb_on_exception=False,
        logging_config=None,
    )  # fmt: skip
    return api


def beside(pages: ASGIApp, api: ASGIApp) -> ASGIApp:
    """One application: what is under `/api` goes to the API, all else to the pages. They share nothing."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await (api if _is_for_programs(scope) else pages)(scope, receive, send)

    return app


def _is_for_programs(scope: Scope) -> bool:
    path = scope.get("path", "")
    return path == "/api" or path.startswith("/api/")
