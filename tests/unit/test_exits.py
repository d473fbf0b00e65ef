"""Every command and page is either an exit that asks for what came from others, or has nothing of theirs.

A new one fails here until somebody says which; and those that ask are run on a case that was taken back.
"""

from dataclasses import replace
from typing import Any

import pytest
import typer
from litestar.testing import TestClient
from scripts.cli_reference import commands
from typer.testing import CliRunner

from comity.backends.sql.attachments import AttachmentState, CarriedAttachment
from comity.backends.sql.consents import ConsentRow
from comity.entrypoints.cli import app
from comity.entrypoints.web import create_app
from comity.exchange.attachment import Attachment
from comity.model import Permission, Role
from comity.node import bootstrap
from comity.node.handling.exits import EXITS, require_disclosure
from comity.node.handling.gate import HandlingForbids
from comity.node.handling.retract import take_back
from comity.node.log.publish import publish_log
from comity.node.notice import tell
from comity.node.pages.desk import NodeDesk
from comity.node.people import add_person
from tests.browser.sample_desk import SampleDesk
from tests.nodes.story import CA, HK, REPORT
from tests.nodes.town import Town
from tests.unit.test_web_app import send, token_in

NOTHING_OF_THEIRS = {
    "comity demo": "runs nodes of its own on a made-up world",
    "comity trace": "reads files that are named to it",
    "comity graph": "reads files that are named to it", "comity recall show": "reads files that are named to it",
    "comity report": "takes in",
    "comity case keep": "our own word on a case", "comity case release": "our own word on a case",
    "comity case erase": "destroys",
    "comity hold place": "our own book", "comity hold order": "our own hold", "comity hold release": "our own hold",
    "comity hold return": "our own hold",
    "comity hold tell-holder": "our own hold: see the docstring of comity.node.handling.exits",
    "comity attachment fetch": "takes in",
    "comity item retract": "what we gave", "comity item shrink": "what we gave",
    "comity item widen": "what we gave",
    "comity consent ask": "asks", "comity consent grant": "what we gave", "comity consent refuse": "what we gave",
    "comity consent withdraw": "what we gave",
    "comity transfers import": "our own book",
    "comity law bases": "law data", "comity law authority": "law data", "comity law offence": "law data",
    "comity law check": "law data, and the facts that are given to it", "comity law calendar": "law data",
    "comity procedure list": "law data", "comity procedure show": "law data",
    "comity deadline list": "which rule runs of what, until when: our own rows",
    "comity deadline sweep": "which rule was fired: our own rows",
    "comity detect": "reads files that are named to it", "comity detect train": "reads files that are named to it",
    "comity deconflict agree": "our own case, and whom to contact",
    "comity operation new": "our own plan", "comity operation go": "our own word",
    "comity operation no-go": "our own word", "comity operation result": "our own result",
    "comity team new": "our own draft", "comity team share": "our own words", "comity team leave": "our own word",
    "comity account mark": "our own book", "comity account unmark": "our own book",
    "comity account list": "our own book",
    "comity log verify": "commitments", "comity log key": "a key", "comity log policy": "a policy",
    "comity log prove": "a commitment's place", "comity log check-proof": "a file that is named to it",
    "comity log check-disclosure": "a file that is named to it", "comity log fsck": "commitments",
    "comity log mirror": "commitments", "comity log misconduct": "signed notes",
    "/procedures": "tables of the program", "/procedures/{name:str}": "tables of the program",
    "/": "figures from events", "/node": "our own peers", "/people": "our own people", "/sign-in": "no content",
    "/sign-out": "no content", "/log/{path:path}": "commitments", "/static/{name:str}": "files of the program",
}  # fmt: skip
GROUPS_WITHOUT = (
    "comity witness ",
    "comity node ",
    "comity compact ",
    "comity peer ",
    "comity person ",
    "comity token ",
    "comity victim ",
)
"""Logs of others, keys, registers, people: what a node knows of members, never of a case. The victims' vault has
walls of its own, which are tried in test_vault_walls."""
SUMMARY = str(REPORT["summary"])
SECRETS = (SUMMARY, "R-1", "T-01", "hk-1", "Canary subject", "Canary text")
"""What CA told HK and the world knows from nowhere else. `hk-1` is in HK's own book too, but here only in holds."""


def test_every_command_is_placed() -> None:
    found = {
        f"comity {path}" if not path.startswith("comity") else path
        for path, _ in commands(typer.main.get_command(app))
    }
    unplaced = {
        one for one in found
        if one not in EXITS and one not in NOTHING_OF_THEIRS and not one.startswith(GROUPS_WITHOUT)
    }  # fmt: skip
    assert unplaced == set(), (
        "say in comity.node.handling.exits.EXITS what it asks for, or here why it has nothing"
    )
    assert {one for one in EXITS if one.startswith("comity")} <= found
    assert {one for one in NOTHING_OF_THEIRS if one.startswith("comity")} <= found


def test_every_page_is_placed() -> None:
    site = create_app(SampleDesk(), node_name="Canada")
    found = {route.path for route in site.routes}
    unplaced = found - EXITS.keys() - NOTHING_OF_THEIRS.keys()
    assert unplaced == set()
    assert {one for one in EXITS if one.startswith("/")} <= found


@pytest.fixture
def told(held: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """CA has told HK something more; commands see the town's time."""
    ca = held.person(CA, Role.ANALYST)
    tell(
        held[CA], person=ca, compact=None, peers=[HK], case_id=held.case(CA).id, subject="Canary subject",
        text="Canary text",
    )  # fmt: skip
    held.settle()
    now: Any = lambda: held.clock()  # noqa: E731 - stands in for a function
    monkeypatch.setattr(bootstrap, "utc_now", now)
    return held


def close_all(town: Town) -> None:
    """CA takes back everything that it told HK."""
    with town.looking(HK) as tx:
        theirs = [one for one in tx.items.all() if one.direction == "in"]
    for item in theirs:
        take_back(town[CA], item.id, person=town.person(CA, Role.SUPERVISOR), why="Mistaken.")
    town.settle()


def shown_by(town: Town, command: str, *, as_json: bool) -> str:
    """Everything that a reading command prints about HK's copies."""
    case = town.case(HK)
    with town.looking(HK) as tx:
        request = next(one for one in tx.requests.all() if one.direction == "in")
        notice = next(one for one in tx.items.all() if tx.items.type_of(one) == "notice")
        event = next(one for one, _ in tx.events.of_case(case.id) if one.kind == "hold.placed")
    file = town.folder / "out.json"
    file.unlink(missing_ok=True)
    what = {
        "comity case show": [case.id], "comity request show": [request.id], "comity notice show": [notice.id],
        "comity item show": [notice.id],
        "comity case graph": [case.id, "--out", str(file)],
        "comity hold recall": [event.body["hold"], "--for", CA, "--out", str(file)],
        "comity log disclose": [event.id, "--field", "body.account", "--for", CA, "--out", str(file)],
    }.get(command, [])  # fmt: skip
    words = [*command.split()[1:], str(town.folder / HK), *what, *(["--json"] if as_json else [])]
    done = CliRunner().invoke(app, words)
    return done.output + str(done.exception or "") + (file.read_text() if file.exists() else "")


READING = [
    "comity case list", "comity case show", "comity request list", "comity request show", "comity notice list",
    "comity notice show", "comity item list", "comity item show", "comity log disclose",
    "comity attachment list", "comity consent list", "comity case graph", "comity hold recall",
]  # fmt: skip


def test_no_command_shows_what_was_taken_back(told: Town) -> None:
    """And before that they did: or this test would see nothing whatever they show."""
    publish_log(told[HK])
    before = {command: shown_by(told, command, as_json=True) for command in READING}
    assert any(SUMMARY in text for text in before.values())
    assert "Canary text" in before["comity notice show"]
    assert "R-1" in before["comity case list"]
    assert "hk-1" in before["comity case graph"]
    assert "FRAD" in before["comity hold recall"]
    assert SUMMARY in before["comity request show"]
    close_all(told)
    publish_log(told[HK])
    for command in READING:
        for as_json in (True, False):
            after = shown_by(told, command, as_json=as_json)
            assert after, command
            for secret in SECRETS:
                assert secret not in after, (command, secret)


CAVEAT, FILE = "Caveat: source in danger", "source-name.pdf"


@pytest.mark.parametrize("how", ["asks", "gone"])
def test_no_list_shows_the_words_around_what_may_not_be_read(told: Town, how: str) -> None:
    """What its originator wrote beside an item, called a file, or said about a consent is withheld with it."""
    hk, ask = told[HK], {"read": Permission.ASK, "search": Permission.ASK}
    with hk.records.transaction() as tx:
        item = next(one for one in tx.items.all() if tx.items.type_of(one) == "notice")
        tx.items.put(
            replace(item, handling=replace(item.handling, caveats=(CAVEAT,), codes=("SECRET-CODE",)))
        )
        attached = Attachment(
            id="a" * 64, name=FILE, media_type="application/pdf", size=10, chunk=65_536, digest="b" * 64, key=b"k" * 32
        )  # fmt: skip
        tx.attachments.add(
            CarriedAttachment(
                direction="in", compact=item.compact, peer=CA, message_id=item.id, case_id=item.case_id,
                attachment=attached, state=AttachmentState.WHOLE, reason="", at=told.clock(),
            )
        )  # fmt: skip
        tx.consents.put(
            ConsentRow(
                id="consent-1", direction="out", compact=item.compact, peer=CA, item_digest=item.digest,
                action="read", recipient=HK, purpose="x", state="refused", expires_at=told.clock(),
                document={"word": "Word of the originator"}, at=told.clock(),
            )
        )  # fmt: skip
    secrets = {"comity item list": CAVEAT, "comity item show": CAVEAT, "comity attachment list": FILE}
    if how == "gone":
        secrets["comity consent list"] = "Word of the originator"
    for command, secret in secrets.items():
        assert secret in shown_by(told, command, as_json=True), command
    if how == "asks":
        with hk.records.transaction() as tx:
            item = tx.items.named(item.id)[0]
            actions = {**item.handling.actions, **ask}
            tx.items.put(replace(item, handling=replace(item.handling, actions=actions)))
    else:
        close_all(told)
    for command, secret in secrets.items():
        for as_json in (True, False):
            after = shown_by(told, command, as_json=as_json)
            assert after
            for one in (secret, "SECRET-CODE"):
                assert one not in after, (command, one)


def test_an_event_of_no_case_is_not_disclosed_against_what_it_came_from(told: Town) -> None:
    hk = told[HK]
    with hk.records.transaction() as tx:
        item = next(one for one in tx.items.all() if tx.items.type_of(one) == "notice")
        node_event = {"actor": "node", "peer": CA, "message": item.id, "problem": "Canary text"}
        hk.record(tx, "alarm.message-refused", **node_event)
        hk.record(tx, "book.imported", actor="nadia", file="ours.csv")
    theirs, ours = told.events(HK, "alarm.message-refused")[-1], told.events(HK, "book.imported")[-1]
    ask = {"recipient": "outside", "purpose": "trace-and-hold", "actor": "nadia"}
    with pytest.raises(HandlingForbids):
        require_disclosure(hk, theirs, ["body.problem"], **ask)
    require_disclosure(hk, theirs, ["at", "kind"], **ask)
    require_disclosure(hk, ours, ["body.file"], **ask)


def test_no_page_shows_what_was_taken_back(told: Town) -> None:
    hk, case = told[HK], told.case(HK)
    admin = told.person(HK, Role.ADMINISTRATOR)
    publish_log(hk)
    password = add_person(hk, "mei", Role.ANALYST, actor=admin.id)
    with told.looking(HK) as tx:
        event = next(one for one, _ in tx.events.of_case(case.id) if one.kind == "hold.placed")
    pages = (
        "/cases", f"/cases/{case.id}", f"/cases/{case.id}/events/{event.id}",
        f"/cases/{case.id}/events/{event.id}/proof.json",
    )  # fmt: skip
    now: Any = lambda: told.clock()  # noqa: E731 - stands in for a function
    with TestClient(
        create_app(NodeDesk(hk), node_name="HK", now=now), base_url="https://node.test"
    ) as client:
        own = {"form_token": token_in(client.get("/sign-in").text), "name": "mei", "password": password}
        assert send(client, "/sign-in", own).status_code == 303
        before = [client.get(page) for page in pages]
        assert [one.status_code for one in before] == [200] * 4
        assert "R-1" in before[0].text
        close_all(told)
        after = [client.get(page) for page in pages]
    assert [one.status_code for one in after] == [200, 403, 403, 403]
    for one in after:
        assert not [secret for secret in SECRETS if secret in one.text]
    assert f"Retracted by {CA}" in after[0].text
