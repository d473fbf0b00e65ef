"""A program outside, over HTTP, at two nodes that run as processes of their own: procedures from both ends, a retry
after a kill, a token that is revoked by another process.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from comity.entrypoints.api import BASE
from comity.law import procedure
from comity.law.procedures import Transition
from comity.model import Role
from comity.node.bootstrap import Node, open_node
from comity.node.tokens import revoke
from tests.nodes.programs import ADMINISTRATOR, bearing, token_of
from tests.nodes.story import CA, TH
from tests.nodes.town import Town
from tests.nodes.ways import facts_at, fields_for, way_to
from tests.unit.test_serve import run, wait_for

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
SIDES = {"requesting": CA, "requested": TH}
READER = ("supervisor", "supervisor-reading")
WAYS = [("police_information", "closed"), ("mla", "closed"), ("preservation", "released")]


class Program:
    """One HTTP client with the tokens of a node's people; it knows the node's address and nothing else of it."""

    def __init__(self, node: Node) -> None:
        self.node, self.tokens = node, dict[str, str]()
        self.http = httpx.Client(base_url=f"{node.settings.public_url}{BASE}", trust_env=False, timeout=60)

    def call(
        self, method: str, path: str, role: str, name: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        if name not in self.tokens:
            self.tokens[name] = token_of(self.node, Role(role), name=name)
        return self.http.request(method, path, json=body, headers=bearing(self.tokens[name], **headers))


@contextmanager
def running(node: Node) -> Iterator["subprocess.Popen[bytes]"]:
    process = run(node.home.path)
    try:
        wait_for(f"{node.settings.public_url}{BASE}/health", process)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def programs(town: Town) -> Iterator[dict[str, Program]]:
    """At Canada and Thailand, on the real clock."""
    nodes = {side: open_node(town[node_id].home.path) for side, node_id in SIDES.items()}
    found = {side: Program(node) for side, node in nodes.items()}
    yield found
    for program in found.values():
        program.http.close()
        program.node.records.close()


def heard_of(program: Program, matter: str, number: int) -> None:
    """Wait until its node has this step of the matter."""
    until = time.monotonic() + 60
    while True:
        answer = program.call("GET", f"/matters/{matter}", *READER)
        if answer.status_code == 200 and answer.json()["matter"]["number"] == number:
            return
        assert time.monotonic() < until, f"step {number} has not come in 60 s: {answer.text}"
        time.sleep(0.05)


def drive(programs: dict[str, Program], name: str, way: Sequence[Transition]) -> str:
    """Take a matter its way, each event said at the end whose it is, once both ends know of the one before."""
    one = procedure(name)
    fields = fields_for(one, way)
    body = {"procedure": name, "peer": TH, "fields": fields}
    opened = programs["requesting"].call("POST", "/matters", way[0].roles[0], "p-opens", body)
    assert opened.status_code == 201, opened.text
    matter, known = str(opened.json()["matter"]["id"]), dict(fields)
    for index, move in enumerate(way):
        side = "requesting" if move.side == "either" else move.side
        who = f"p{index}-{move.roles[0]}"
        given = facts_at(one, way, index, name=who, known=known)
        known |= given
        said = programs[side].call(
            "POST", f"/matters/{matter}/events", move.roles[0], who, {"event": move.event, "facts": given}
        )
        assert said.status_code == 200, f"{move.event}: {said.text}"
        ends = (
            programs.values()
            if any(one.event == "send" for one in way[: index + 1])
            else [programs["requesting"]]
        )
        for program in ends:
            heard_of(program, matter, index + 1)
    return matter


def test_procedures_from_both_ends(programs: dict[str, Program]) -> None:
    with running(programs["requesting"].node), running(programs["requested"].node):
        for name, end in WAYS:
            matter = drive(programs, name, way_to(procedure(name), end))
            halves = [one.call("GET", f"/matters/{matter}", *READER).json() for one in programs.values()]
            assert [half["matter"]["state"] for half in halves] == [end, end]
            assert halves[0]["chain"] == halves[1]["chain"]
            assert halves[0]["steps"] == halves[1]["steps"]
            assert not halves[0]["matter"]["problem"] + halves[1]["matter"]["problem"]


def test_a_call_that_is_tried_again_after_a_kill_opens_one_matter(programs: dict[str, Program]) -> None:
    canada = programs["requesting"]
    way = way_to(procedure("police_information"), "closed")
    body = {
        "procedure": "police_information",
        "peer": TH,
        "fields": fields_for(procedure("police_information"), way),
    }
    key, made = {"Idempotency-Key": "open-this-one-matter"}, set()
    for _ in range(3):
        with running(canada.node) as process:
            answer = canada.call("POST", "/matters", "analyst", "mei", body, **key)
            assert answer.status_code == 201, answer.text
            made.add(answer.json()["matter"]["id"])
            os.kill(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
    with running(canada.node):
        rows = canada.call("GET", "/matters", "analyst", "mei").json()
        other = canada.call("POST", "/matters", "analyst", "mei", {**body, "fields": {}}, **key)
    assert {one["id"] for one in rows} == made
    assert len(made) == 1
    assert (other.status_code, other.json()["code"]) == (422, "call.key-used")


def test_a_token_that_another_process_revokes_is_good_for_nothing_at_once(
    programs: dict[str, Program],
) -> None:
    canada = programs["requesting"]
    with running(canada.node):
        assert canada.call("GET", "/matters", "analyst", "mei").status_code == 200
        revoke(canada.node, canada.tokens["mei"].partition(".")[0], by=ADMINISTRATOR)
        assert canada.call("GET", "/matters", "analyst", "mei").status_code == 401
