"""Programs that call a node's API: their tokens, and an HTTP client that carries one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient

from comity.entrypoints.api import BASE, create_api
from comity.entrypoints.api.guards import Door
from comity.model import Person, Role
from comity.node.bootstrap import Node
from comity.node.people import add_person
from comity.node.tokens import issue

ADMINISTRATOR = Person(id="administrator", role=Role.ADMINISTRATOR)
MANY = 10_000_000
"""Calls a minute: tests are in a hurry."""


def token_of(node: Node, role: Role, *, name: str = "", only: str = "") -> str:
    """A token of somebody in that role, who is added if they are not there."""
    name = name or f"{role.value}-{node.id}"
    with node.records.reading() as tx:
        known = tx.people.find(name)
    if known is None:
        add_person(node, name, role, actor="test")
    return issue(node, name, node.clock() + timedelta(days=30), by=ADMINISTRATOR, only=only)[1]


def bearing(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


@contextmanager
def api_of(node: Node, *, a_minute: int = MANY, **client: Any) -> Iterator[TestClient[Litestar]]:
    """The API of a node in this process, at paths relative to its base."""
    app = create_api(node, door=Door(node=node, a_minute=a_minute))
    with TestClient(
        app, base_url=f"http://node.test{BASE}", **{"raise_server_exceptions": False, **client}
    ) as opened:
        yield opened


class Office:
    """The programs of one node: one for each person that is asked for, with a token of their own."""

    def __init__(self, node: Node, client: TestClient[Litestar]) -> None:
        self.node, self.client, self._tokens = node, client, dict[tuple[str, str], str]()

    def headers(self, role: Role, name: str) -> dict[str, str]:
        if (role.value, name) not in self._tokens:
            self._tokens[role.value, name] = token_of(self.node, role, name=name)
        return bearing(self._tokens[role.value, name])

    def get(self, path: str, role: Role, name: str) -> Any:
        return self.client.get(path, headers=self.headers(role, name))

    def post(self, path: str, body: Any, role: Role, name: str, **more: str) -> Any:
        return self.client.post(path, json=body, headers={**self.headers(role, name), **more})
