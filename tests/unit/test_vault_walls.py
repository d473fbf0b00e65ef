"""Attempts to get round the victims' vault: with the node's keys, in other roles, over commands, pages and files."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner, Result

from comity.backends.keys import WrongPassphrase
from comity.backends.sql.schema import metadata
from comity.backends.vault_keys import ChangedRecord
from comity.casework.victim import Purpose
from comity.entrypoints.cli import app
from comity.entrypoints.cli.arguments import PASSWORD
from comity.entrypoints.cli.commands import GROUPS
from comity.entrypoints.cli.victim_arguments import VAULT_PASSPHRASE
from comity.entrypoints.web import create_app
from comity.errors import ComityError, Forbidden
from comity.law import Action
from comity.model import Person, Role
from comity.node.bootstrap import Node, passphrase
from comity.node.log.publish import publish_log
from comity.node.pages.desk import NodeDesk
from comity.node.people import add_person
from comity.node.vault.acts import PASSPHRASE, require_victim, vault_folder
from comity.node.vault.consents import consent, disclose
from comity.node.vault.people import show
from tests.nodes import vaults
from tests.nodes.story import TH
from tests.nodes.town import Town
from tests.nodes.vaults import (
    NAME,
    RECORD,
    SECRETS,
    admitted,
    found_vault,
    leaks,
    officer,
    screened,
    vault_of,
)
from tests.unit.test_web_app import send, token_in

OTHERS = [role for role in Role if role is not Role.VICTIM_SUPPORT]
PERMIT_ALL = '@id("all") @reason("everything") permit (principal, action, resource);'


@pytest.fixture
def node(town: Town) -> Node:
    """In use: somebody admitted, screened, with a consent and a disclosure."""
    node = town[TH]
    found_vault(node)
    victim = admitted(node)
    screened(node, victim, {"violence": "yes"})
    with vault_of(node) as vault:
        consent(
            vault,
            victim,
            purpose=Purpose.SHELTER,
            recipient="refuge-1",
            fields=tuple(RECORD),
            days=9,
            how="signed",
        )
        assert disclose(vault, victim, purpose=Purpose.SHELTER, recipient="refuge-1").record["name"] == NAME
    return node


def victim_in(node: Node) -> str:
    with node.records.reading() as tx:
        return str(next(tx.events.of_kinds(["victim.admitted"])).body["victim"])


def run(node: Node, *words: str, password: str = "", secret: str = "", given: str = "") -> Result:
    env = {PASSWORD: password, VAULT_PASSPHRASE: secret}
    return CliRunner().invoke(app, list(words), env=env, input=given)


def said(result: Result) -> str:
    return result.output + str(result.exception or "")


def status(result: Result) -> int:
    """What the command ends with, as `comity` does: by the error it raised."""
    return result.exception.exit_status if isinstance(result.exception, ComityError) else result.exit_code


# --- the node's own keys and database ---


def test_the_nodes_passphrase_does_not_open_the_vault(node: Node) -> None:
    with pytest.raises(WrongPassphrase), vault_of(node, passphrase=passphrase(node.home)):
        pass


def test_an_investigator_with_everything_but_the_passphrase_finds_nothing(node: Node) -> None:
    """The whole directory is theirs, and the database opened: no table, no key, no file says who it is."""
    publish_log(node)
    for file in (node.home.path / "node.db", vault_folder(node) / "vault.db"):
        with sqlite3.connect(file) as base:
            dump = "\n".join(base.iterdump())
        base.close()
        assert not [secret for secret in SECRETS if secret in dump]
        assert not [secret for secret in SECRETS if secret.encode().hex() in dump.lower()]
    assert leaks(node.home.path) == []
    kept = json.loads((vault_folder(node) / "vault.key").read_text())
    assert set(kept) == {"v", "vault", "salt", "passphrase_check", "key"}


def test_making_oneself_a_victim_support_officer_is_not_enough(node: Node) -> None:
    """Whoever holds the directory can add people; the vault asks for its passphrase all the same."""
    password = add_person(node, "intruder", Role.VICTIM_SUPPORT, actor="console:root")
    victim, secret = victim_in(node), passphrase(node.home).decode()
    done = run(
        node,
        "victim",
        "show",
        str(node.home.path),
        victim,
        "--as",
        "intruder",
        password=password,
        secret=secret,
    )
    assert isinstance(done.exception, WrongPassphrase)
    assert not [one for one in SECRETS if one in said(done)]


def test_another_persons_record_put_in_place_is_noticed(node: Node) -> None:
    victim, other = victim_in(node), admitted(node, {"name": "Somebody else"})
    with sqlite3.connect(vault_folder(node) / "vault.db") as base:
        rows = base.execute("SELECT id, wrapped, sealed FROM people").fetchall()
        base.execute("UPDATE people SET wrapped = ?, sealed = ? WHERE id = ?", [*rows[1][1:], rows[0][0]])
        base.execute("UPDATE people SET wrapped = ?, sealed = ? WHERE id = ?", [*rows[0][1:], rows[1][0]])
    base.close()
    for one in (victim, other):
        with vault_of(node) as vault, pytest.raises(ChangedRecord):
            show(vault, one)


# --- other roles ---


def command_lines(node: Node, victim: str, name: str) -> dict[str, list[str]]:
    """Every command of `comity victim` that opens the vault, asked for as one that would go through."""
    folder, record = str(node.home.path), node.home.path.parent / "record.json"
    record.write_text(json.dumps({"name": "X"}))
    lines = {
        "init": [folder], "admit": [folder, "--case", "file-2", "--record", str(record)], "list": [folder, "--names"],
        "show": [folder, victim], "correct": [folder, victim, "--record", str(record)],
        "screen": [folder, victim, "--by", "IOM"], "state": [folder, victim, "--recipient", "cn-mps"],
        "pseudonym": [folder, victim, "--recipient", "cn-mps"],
        "consent": [folder, victim, "--purpose", "shelter", "--recipient", "me", "--days", "3", "--how", "signed"],
        "withdraw": [folder, victim, "consent-1"],
        "disclose": [folder, victim, "--purpose", "shelter", "--recipient", "refuge-1"],
        "reflect": [folder, victim], "protection": [folder, victim],
        "return": [folder, victim, "--by", "IOM", "--assessment", str(record)],
        "erase": [folder, victim, "--ground", "retention-ended"], "settle": [folder],
    }  # fmt: skip
    return {command: [*words, "--as", name, "--json"] for command, words in lines.items()}


def test_the_list_of_attempts_names_every_command(node: Node) -> None:
    (group,) = [one for one in GROUPS if one.name == "victim"]
    tried = command_lines(node, "victim-1", "mei").keys() | {"indicators"}
    assert {one.name for one in group.commands} == tried
    assert VAULT_PASSPHRASE == PASSPHRASE


@pytest.mark.parametrize("role", OTHERS)
def test_no_other_role_gets_through_any_command_even_with_the_passphrase(node: Node, role: Role) -> None:
    password = add_person(node, "mei", role, actor="test")
    before = (vault_folder(node) / "vault.db").read_bytes()
    for command, words in command_lines(node, victim_in(node), "mei").items():
        done = run(node, "victim", command, *words, password=password, secret=vaults.PASSPHRASE.decode())
        assert status(done) == 4, (command, said(done))
        assert not [one for one in SECRETS if one in said(done)], command
    assert (vault_folder(node) / "vault.db").read_bytes() == before
    with node.records.reading() as tx:
        denied = list(tx.events.of_kinds(["victim.denied"]))
    assert len(denied) == len(command_lines(node, "", "mei"))
    assert {one.actor for one in denied} == {"mei"}


@pytest.mark.parametrize("role", OTHERS)
def test_a_nodes_own_law_cannot_let_another_role_in(town: Town, node: Node, role: Role) -> None:
    town.law(TH, PERMIT_ALL)
    for action in (Action.READ_VICTIM, Action.WRITE_VICTIM, Action.DISCLOSE_VICTIM, Action.ERASE_VICTIM):
        with pytest.raises(Forbidden, match="floor-victims-vault"):
            require_victim(town[TH], action, officer("mei", role))


def test_nobody_gets_in_as_a_deputy_or_with_a_second_account(node: Node) -> None:
    deputy = Person(id="mei for anong", role=Role.VICTIM_SUPPORT, human="P-7", stands_for="P-1")
    with pytest.raises(Forbidden, match="deputy"), vault_of(node, deputy):
        pass
    add_person(node, "lau", Role.ANALYST, actor="test", human="P-9")
    add_person(node, "lau-support", Role.VICTIM_SUPPORT, actor="test", human="P-9")
    twice = Person(id="lau-support", role=Role.VICTIM_SUPPORT, human="P-9")
    with pytest.raises(Forbidden, match="another role"), vault_of(node, twice):
        pass


# --- pages, other commands, files ---


@pytest.mark.parametrize("role", Role)
def test_no_page_shows_anything_of_the_vault(town: Town, node: Node, role: Role) -> None:
    publish_log(node)
    password = add_person(node, "mei", role, actor="test")
    site = create_app(NodeDesk(node), node_name="TH", now=lambda: town.clock())
    paths = sorted(
        {route.path for route in site.routes if "{" not in route.path} | {"/cases", "/node", "/people", "/"}
    )
    with TestClient(site, base_url="https://node.test") as client:
        own = {"form_token": token_in(client.get("/sign-in").text), "name": "mei", "password": password}
        assert send(client, "/sign-in", own).status_code == 303
        seen = "\n".join(client.get(path).text for path in paths)
    assert len(seen) > 1000
    assert not [one for one in (*SECRETS, "refuge-1", "our-file-12") if one in seen]


def test_no_other_command_shows_anything_of_the_vault(node: Node) -> None:
    password = add_person(node, "mei", Role.SUPERVISOR, actor="test")
    tried = 0
    for group in GROUPS:
        for command in group.commands:
            if group.name != "victim" and command.name in (
                "list",
                "show",
                "verify",
                "fsck",
                "key",
                "policy",
                "sweep",
            ):
                for more in ([], ["--as", "mei"]):
                    done = run(node, group.name, command.name, str(node.home.path), *more, password=password)
                    tried += done.exit_code == 0
                    assert not [one for one in (*SECRETS, "refuge-1", "our-file-12") if one in said(done)]
    assert tried >= 10


def test_nothing_of_the_record_is_found_outside_the_vault_nor_in_it(town: Town, node: Node) -> None:
    """With the write-ahead logs still there, after the log was published, and after everything was closed."""
    publish_log(node)
    assert leaks(town.folder) == []
    town.settle()
    town.close()
    assert leaks(town.folder) == []
    assert (vault_folder(node) / "vault.db").stat().st_size > 4096


def test_the_search_for_leaks_finds_one(node: Node) -> None:
    (node.home.path / "notes.txt").write_text(f"Told by {NAME}")
    assert leaks(node.home.path, within=False) == [("notes.txt", "Quaggaphan")]


def test_no_table_of_the_node_is_one_of_the_vaults_so_no_move_takes_it_along(node: Node) -> None:
    with sqlite3.connect(vault_folder(node) / "vault.db") as base:
        ours = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    base.close()
    assert ours == {"vault", "people", "marks", "acts"}
    assert ours & metadata.tables.keys() <= {"people"}  # the node's own people: who signs in
    source = (Path(__file__).parents[2] / "src/comity/backends/sql/copy.py").read_text()
    assert "vault" not in source


def test_what_is_copied_with_a_node_is_not_its_vault() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/back-up-a-node.md").read_text()
    first = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[0]
    assert "vault" not in first
    assert "vault" in page


# --- an officer's commands ---


def test_an_officer_does_it_all_by_command(town: Town, tmp_path: Path) -> None:
    node = town[TH]
    password = add_person(node, "anong", Role.VICTIM_SUPPORT, actor="test")
    secret, folder, who = "a passphrase of its own", str(node.home.path), ["--as", "anong", "--json"]

    def do(*words: str, given: str = "", ends: int = 0) -> str:
        done = run(node, "victim", *words, *who, password=password, secret=secret, given=given)
        assert status(done) == ends, said(done)
        return said(done)

    do("init", folder)
    wrong = do("admit", folder, "--case", "file-1", "--record", "-", given=f'{{"name": "{NAME}"', ends=2)
    assert "Quaggaphan" not in wrong
    person = json.loads(do("admit", folder, "--case", "file-1", "--record", "-", given=json.dumps(RECORD)))[
        "victim"
    ]
    assert json.loads(do("list", folder, "--names"))[0]["name"] == NAME
    assert "name" not in json.loads(do("list", folder))[0]
    found = json.loads(do("screen", folder, person, "--by", "IOM", "--answer", "violence=yes"))
    assert found["assessment"]["finding"] == "presumed"
    assert json.loads(do("reflect", folder, person))["ends_at"]
    assert json.loads(do("protection", folder, person))["removal"]["may"] == "no"
    ask = ("--purpose", "shelter", "--recipient", "refuge-1")
    do("disclose", folder, person, *ask, ends=4)
    given = json.loads(
        do("consent", folder, person, *ask, "--field", "name", "--days", "3", "--how", "signed")
    )
    out = tmp_path / "out.json"
    do("disclose", folder, person, *ask, "--out", str(out))
    assert json.loads(out.read_text())["record"] == {"name": NAME}
    do("disclose", folder, person, *ask, "--out", str(out), ends=2)
    do("disclose", folder, person, *ask, "--out", str(node.home.path / "out.json"), ends=2)
    do("withdraw", folder, person, given["id"])
    do("disclose", folder, person, *ask, ends=4)
    text = json.loads(
        do(
            "return",
            folder,
            person,
            "--by",
            "IOM",
            "--assessment",
            "-",
            "--assessed",
            "yes",
            given="Debts remain",
        )
    )
    assert text["outcome"] == "unknown"
    do("erase", folder, person, "--ground", "entered-by-mistake", ends=2)
    assert json.loads(do("erase", folder, person, "--ground", "person-asked"))["told"] == ["refuge-1"]
    do("show", folder, person, ends=2)
    assert json.loads(do("settle", folder)) == {"missing": []}
    assert leaks(node.home.path) == []
    assert json.loads(run(node, "victim", "indicators", "--json").output)["rule"]["weak"] == 3
