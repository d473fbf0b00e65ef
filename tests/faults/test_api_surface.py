"""The API against its OpenAPI document (schemathesis): any request gets a documented status in a documented form, and
never 5xx; also of those who name what there is, in a role that may.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis import Case

from comity.model import Role
from tests.faults.test_http_surfaces import FEW, check, document
from tests.nodes.programs import api_of, bearing, token_of
from tests.nodes.story import HK
from tests.nodes.town import Town

FEWER = settings(FEW, max_examples=3)
api = schemathesis.openapi.from_dict(document("node-api"))


@pytest.fixture(scope="module")
def surface(settled_town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Surface"]:
    """One node for all of it: whatever a request does to it, the next one gets a proper answer."""
    town = Town.copied(settled_town.folder, tmp_path_factory.mktemp("api"), after=settled_town)
    with api_of(town[HK]) as client:
        yield Surface(town, client)
    town.close()


class Surface:
    """The API of Hong Kong, the tokens that it is asked with, and what there is to name."""

    def __init__(self, town: Town, client: TestClient[Litestar]) -> None:
        self.client = client
        node = town[HK]
        client.base_url = "http://node.test"  # the document's paths are whole
        self.tokens = [
            token_of(node, role) for role in (Role.SUPERVISOR, Role.PROSECUTOR, Role.ADMINISTRATOR)
        ]
        self.real = {
            "case_id": town.case(HK).id, "request_id": town.requests(HK)[0].id, "hold_id": town.holds(HK)[0].id,
            "name": "urgent_freeze", "party": "TH", "offence_id": "fraud",
        }  # fmt: skip


@api.parametrize()
@FEWER
def test_any_request_of_a_program(case: "Case[Any]", surface: Surface) -> None:
    check(case, surface.client, **bearing(surface.tokens[0]))


@api.parametrize()
@FEWER
def test_any_request_about_what_there_is(case: "Case[Any]", surface: Surface) -> None:
    for name in case.path_parameters or {}:
        case.path_parameters[name] = surface.real.get(name, "x")
    for token in surface.tokens:
        check(case, surface.client, **bearing(token))


@api.parametrize()
@FEWER
def test_no_request_of_a_stranger_gets_further_than_the_door(case: "Case[Any]", surface: Surface) -> None:
    opened = case.path.endswith(("/health", "/openapi.json"))
    status = check(case, surface.client)
    assert opened or status in (204, 401, 404, 405, 429)  # 204: OPTIONS names the methods, to anybody
