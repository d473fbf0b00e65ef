"""Both HTTP surfaces against their OpenAPI documents (schemathesis): any request gets a documented status in a
documented form, and never 5xx. `spec/peer.openapi.json` is what peers reach, `spec/public.openapi.json` pages and log.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from comity.backends.log_files import FileTileStore
from comity.entrypoints.peer import app as peer_app
from comity.entrypoints.peer import create_peer_app
from comity.entrypoints.peer.tls import CERTIFICATE
from comity.entrypoints.public_log import log_handler
from comity.entrypoints.web import create_app
from comity.exchange.batch import ENVELOPES, RESULTS
from comity.exchange.register.certificate import read_certificate
from tests.browser.sample_case import NOW
from tests.browser.sample_desk import ADMINISTRATOR, ANALYST, PASSWORDS, SampleDesk
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.unit.test_web_app import ORIGIN, sign_in

SPEC = Path(__file__).parents[2] / "spec"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FEW = settings(
    max_examples=12, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


for kind in (ENVELOPES, RESULTS):
    schemathesis.serializer.alias(kind, "application/octet-stream")


def document(name: str) -> dict[str, Any]:
    return dict(json.loads((SPEC / f"{name}.openapi.json").read_text(encoding="utf-8")))


def routes_of(app: Litestar) -> set[tuple[str, str]]:
    """(method, path) of every route, as OpenAPI writes paths."""
    return {
        (method.lower(), re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path))
        for route in app.routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }


def documented(name: str) -> set[tuple[str, str]]:
    return {(method, path) for path, item in document(name)["paths"].items() for method in item}


def check(case: "Case[Any]", client: TestClient[Any], **headers: str) -> int:
    """Send it as it is, and hold the answer against the document; its status."""
    sent = case.as_transport_kwargs(base_url=str(client.base_url).rstrip("/"))
    given = {
        name: value for name, value in sent.items() if name in ("method", "url", "params", "json", "files")
    }
    if sent.get("data") is not None:
        given["content" if isinstance(sent["data"], bytes | str) else "data"] = sent["data"]
    answer = client.request(
        **given, headers={**dict(sent.get("headers") or {}), **headers}, follow_redirects=False
    )
    case.validate_response(answer, checks=CHECKS)
    return answer.status_code


# --- what peers reach ----------------------------------------------------------------------------------

peer = schemathesis.openapi.from_dict(document("peer"))


@pytest.fixture
def caller(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient[Any]]:
    """Hong Kong on the peer surface of Canada, without the TLS that says so; nothing is waited for."""
    monkeypatch.setattr(peer_app, "POLL_SECONDS", 0.0)
    certificate = town[CA].compact().member(HK).tls_certificate
    der = read_certificate(certificate, where="test").der
    app = create_peer_app(town[CA])

    async def seen(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["state"] = {**scope.get("state", {}), CERTIFICATE: der}
        await app(scope, receive, send)

    with TestClient(cast(Any, seen), raise_server_exceptions=False) as client:
        yield client


def test_the_document_of_the_peer_surface_names_every_route(town: Town) -> None:
    assert documented("peer") == routes_of(create_peer_app(town[CA]))


@peer.parametrize()
@FEW
def test_any_request_of_a_peer(case: "Case[Any]", caller: TestClient[Any]) -> None:
    check(case, caller)


@peer.parametrize()
@FEW
def test_no_request_of_a_stranger_gets_further_than_the_door(case: "Case[Any]", town: Town) -> None:
    """204 is what OPTIONS gets, which names the methods and asks nobody who they are."""
    with TestClient(create_peer_app(town[CA]), raise_server_exceptions=False) as client:
        assert check(case, client) in (204, 400, 401, 404, 405, 413)


# --- the pages and the log -----------------------------------------------------------------------------

public = schemathesis.openapi.from_dict(document("public"))


def public_app(folder: Path) -> Litestar:
    log = FileTileStore(folder)
    log.write("key", b"some key\n")
    return create_app(SampleDesk(), node_name="Canada", now=lambda: NOW, extra_handlers=[log_handler(log)])


@pytest.fixture(params=["", ANALYST, ADMINISTRATOR], ids=["nobody", "analyst", "administrator"])
def visitor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    with TestClient(public_app(tmp_path), base_url=ORIGIN, raise_server_exceptions=False) as client:
        if request.param:
            assert sign_in(client, request.param, password=PASSWORDS[request.param]).status_code == 303
        yield client


def test_the_document_of_the_pages_names_every_route(tmp_path: Path) -> None:
    assert documented("public") == routes_of(public_app(tmp_path))


@public.parametrize()
@FEW
def test_any_request_to_the_pages(case: "Case[Any]", visitor: TestClient[Litestar]) -> None:
    """Forms come as if our own page had sent them: what is in them is anything."""
    if isinstance(case.body, dict):
        case.body = {**case.body, "form_token": token_of(visitor)}
    check(case, visitor, accept="application/json", origin=ORIGIN, **{"sec-fetch-site": "same-origin"})


def token_of(client: TestClient[Litestar]) -> str:
    """The token of this session's forms, or of the visitor's if nobody is signed in."""
    for page in ("/cases", "/people", "/sign-in"):
        found = re.search('name="form_token" value="([0-9a-f]{64})"', client.get(page).text)
        if found is not None:
            return found[1]
    raise AssertionError("no page has a form")
