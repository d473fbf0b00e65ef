"""Reading is an event: every command and page that shows a case, request, matter, hold, notice, item, consent, deadline
or person records that it was read, and by whom. A new one fails here until somebody says which event that is.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from litestar.testing import TestClient
from scripts.cli_reference import commands
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.entrypoints.web import create_app
from comity.law import procedure
from comity.model import Person, Role
from comity.node import bootstrap
from comity.node.log.publish import publish_log
from comity.node.matters import open_matter
from comity.node.notice import tell
from comity.node.pages.desk import NodeDesk
from comity.node.people import add_person
from tests.browser.sample_desk import SampleDesk
from tests.nodes.joint import plan_document
from tests.nodes.matters import fields_of
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.unit.test_team import document as agreement
from tests.unit.test_web_app import send, token_in

PASSWORD = "COMITY_PASSWORD"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """HK after a case of CA's, a notice of CA's and a matter of HK's own; what commands are to show at HK."""

    town: Town
    case: str
    request: str
    notice: str
    event: str
    hold: str
    matter: str
    words: dict[str, str]

    @property
    def out(self) -> list[str]:
        return ["--out", str(self.town.folder / "out.json")]


def _nothing(_: Scene) -> list[str]:
    return []


def _opened(scene: Scene, what: str, document: object) -> str:
    """Joint work that HK proposes."""
    file = scene.town.folder / f"{what}.yaml"
    file.write_text(json.dumps(document))
    line = [what, "new", str(scene.town.folder / HK), str(file), "--as", "nadia", "--json"]
    done = CliRunner().invoke(app, line, env={PASSWORD: scene.words["nadia"]})
    assert done.exit_code == 0, done.output + str(done.exception)
    return str(json.loads(done.stdout)[what])


READS: dict[str, tuple[Callable[[Scene], list[str]], str]] = {
    "case list": (_nothing, "cases.listed"),
    "case show": (lambda scene: [scene.case], "case.read"),
    "case graph": (lambda scene: [scene.case, *scene.out], "case.read"),
    "request list": (_nothing, "requests.listed"),
    "request list --as nadia": (_nothing, "matter.listed"),
    "request show": (lambda scene: [scene.request], "request.read"),
    "request show --as nadia": (lambda scene: [scene.matter], "matter.read"),
    "request letter --as nadia": (
        lambda scene: [scene.matter, "--document", "request", "-o", str(scene.town.folder / "letter.pdf")],
        "matter.read",
    ),
    "hold list": (_nothing, "holds.listed"),
    "hold recall": (lambda scene: [scene.hold, "--for", CA, *scene.out], "hold.recall-written"),
    "deadline list": (_nothing, "deadlines.listed"),
    "notice list": (_nothing, "notices.listed"),
    "notice show": (lambda scene: [scene.notice], "notice.read"),
    "attachment list": (_nothing, "attachments.listed"),
    "item list": (_nothing, "items.listed"),
    "item show": (lambda scene: [scene.notice], "item.read"),
    "consent list": (_nothing, "consents.listed"),
    "deconflict list": (_nothing, "deconflict.read"),
    "operation list": (_nothing, "joint.listed"),
    "operation show": (
        lambda scene: [_opened(scene, "operation", plan_document(scene.town.clock()))],
        "joint.read",
    ),
    "team list": (_nothing, "joint.listed"),
    "team show": (lambda scene: [_opened(scene, "team", agreement())], "joint.read"),
    "log disclose": (lambda scene: [scene.event, "--field", "at", *scene.out], "event.disclosed"),
    "person list": (_nothing, "people.listed"),
    "token list --as ada": (_nothing, "tokens.listed"),
}
"""Commands with what they are told to show, and the event that says so; who is in the command."""
ELSEWHERE = {
    "attachment save": "tests/unit/test_notice.py", "victim list": "tests/unit/test_vault.py",
    "victim show": "tests/unit/test_vault.py",
}  # fmt: skip
"""Where it is tested that these record it."""
SHOWS_NOTHING = {
    "demo", "trace", "detect", "detect train", "graph", "report",  # files that are named to it
    "recall show", "witness show",
    "account list", "compact show", "peer list", "node policies", "node init", "node run", "node move",
    "transfers import", "deadline sweep",
}  # fmt: skip
"""They show no case and nobody of a node: files named to them, the book's accounts, members, policies."""
GROUPS = {"law", "procedure", "log", "witness", "compact", "peer"}
"""Groups of commands that show none either, but for those in `READS`."""
ACTS = {
    "keep", "release", "erase", "approve", "answer", "refuse", "new", "amend", "send", "decide", "extend", "settle",
    "mark", "unmark", "place", "tell-holder", "order", "return", "fetch", "retract", "shrink", "widen", "ask", "grant",
    "withdraw", "check", "agree", "init", "admit", "correct", "indicators", "screen", "state", "pseudonym", "consent",
    "go", "no-go", "result", "share", "sign", "leave",
    "disclose", "reflect", "protection", "add", "deputise", "end-deputy", "remove", "revoke",
}  # fmt: skip
"""What changes something records that, and shows what it did."""


def test_every_command_is_placed() -> None:
    found = {path.removeprefix("comity ") for path, _ in commands(typer.main.get_command(app))}
    reading = {command.partition(" --")[0] for command in READS}
    unplaced = {
        one for one in found - reading - ELSEWHERE.keys() - SHOWS_NOTHING
        if one.split()[0] not in GROUPS and one.split()[-1] not in ACTS - {"list", "show", "graph", "letter"}
    }  # fmt: skip
    assert unplaced == set(), "say in READS which event says that it was read, or that it shows nothing"
    assert reading | ELSEWHERE.keys() | SHOWS_NOTHING <= found


@pytest.fixture
def scene(held: Town, monkeypatch: pytest.MonkeyPatch) -> Scene:
    now: Any = lambda: held.clock()  # noqa: E731 - stands in for a function
    monkeypatch.setattr(bootstrap, "utc_now", now)
    case, hk = held.case(HK).id, held[HK]
    nadia = held.person(HK, Role.PROSECUTOR, name="nadia")
    teller = held.person(CA, Role.PROSECUTOR)
    told = held.case(CA).id
    tell(held[CA], person=teller, compact=None, peers=[HK], case_id=told, subject="About it", text="Words")
    mla = procedure("mla")
    matter = open_matter(hk, procedure_name="mla", peer=CA, person=nadia, fields=fields_of(mla))
    held.settle()
    publish_log(hk)
    words = {
        name: add_person(hk, name, role, actor="test")
        for name, role in (("nadia", Role.PROSECUTOR), ("ada", Role.ADMINISTRATOR))
    }
    with held.looking(HK) as tx:
        notice = next(one for one in tx.items.all() if tx.items.type_of(one) == "notice")
        placed = next(one for one, _ in tx.events.of_case(case) if one.kind == "hold.placed")
        request = next(one for one in tx.requests.all() if one.direction == "in")
    return Scene(
        town=held, case=case, request=request.id, notice=notice.id, event=placed.id, hold=placed.body["hold"],
        matter=matter.id, words=words,
    )  # fmt: skip


def newest(scene: Scene, kind: str) -> int:
    return len(scene.town.events(HK, kind))


@pytest.mark.parametrize("command", READS)
def test_a_command_that_shows_something_records_it(scene: Scene, command: str) -> None:
    arguments, kind = READS[command]
    words, _, who = command.partition(" --as ")
    before = newest(scene, kind)
    line = [*words.split(), str(scene.town.folder / HK), *arguments(scene), *(["--as", who] if who else [])]
    done = CliRunner().invoke(app, line, env={PASSWORD: scene.words[who]} if who else {})
    assert done.exit_code == 0, done.output + str(done.exception)
    assert newest(scene, kind) == before + 1
    actor = scene.town.events(HK, kind)[-1].actor
    assert actor == who if who else actor.startswith("console:")


PAGES = {
    "/cases": "cases.listed", "/cases/{case_id:str}": "case.read",
    "/cases/{case_id:str}/events/{event_id:str}": "event.read",
    "/cases/{case_id:str}/events/{event_id:str}/proof.json": "event.read", "/people": "people.listed",
}  # fmt: skip
SHOW_NOBODY = {
    "/procedures",
    "/procedures/{name:str}",
    "/",
    "/node",
    "/sign-in",
    "/sign-out",
    "/log/{path:path}",
    "/static/{name:str}",
}


def test_every_page_is_placed() -> None:
    found = {route.path for route in create_app(SampleDesk(), node_name="Canada").routes}
    unplaced = {path for path in found - PAGES.keys() - SHOW_NOBODY if not path.startswith("/api/")}
    assert unplaced == set()
    assert PAGES.keys() <= found


def test_a_page_that_shows_something_records_it(scene: Scene) -> None:
    now: Any = lambda: scene.town.clock()  # noqa: E731 - stands in for a function
    site = create_app(NodeDesk(scene.town[HK]), node_name="CA", now=now)
    for path, kind in PAGES.items():
        who = "ada" if path == "/people" else "nadia"
        with TestClient(site, base_url="https://node.test") as client:
            own = {
                "form_token": token_in(client.get("/sign-in").text),
                "name": who,
                "password": scene.words[who],
            }
            assert send(client, "/sign-in", own).status_code == 303
            before = newest(scene, kind)
            named = path.replace("{case_id:str}", scene.case).replace("{event_id:str}", scene.event)
            assert client.get(named).status_code == 200, named
        assert newest(scene, kind) == before + 1, path
        assert scene.town.events(HK, kind)[-1].actor == who


def test_where_it_is_tested_elsewhere() -> None:
    for file in ELSEWHERE.values():
        text = Path(file).read_text(encoding="utf-8")
        assert "attachment.saved" in text or "victim.read" in text


def test_whoever_may_not_read_leaves_no_reading(scene: Scene) -> None:
    """Nobody is said to have read what they were refused."""
    desk = NodeDesk(scene.town[HK])
    before = newest(scene, "case.read")
    with pytest.raises(Exception, match="floor-administrator-sees-no-case"):
        desk.case(Person(id="ada", role=Role.ADMINISTRATOR), scene.case)
    assert newest(scene, "case.read") == before
