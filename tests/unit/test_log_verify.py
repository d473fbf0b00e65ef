"""`comity log verify` and `comity log key`, as a person and as a program see them."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from comity.backends.log_files import FileTileStore
from comity.entrypoints.cli.log_key import log_key
from comity.entrypoints.cli.log_verify import _SETTINGS, log_verify
from comity.errors import InputError, NetworkError, NotFound
from comity.ledger import LogWrong, add_cosignatures, publish
from comity.node.home import Home
from comity.proofs.cosignature import cosign, cosigner_of
from comity.proofs.note import verifier_of
from tests.unit.ledger_stores import NOW, MemoryEvents, key_of

SIGNER = key_of("node.example/log")
KEY = verifier_of(SIGNER)
WITNESS = key_of("witness.example")
WITNESS_KEY = cosigner_of(WITNESS)

app = typer.Typer()
app.command("verify")(log_verify)
app.command("key")(log_key)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    tiles = FileTileStore(tmp_path / "node" / "log")
    tiles.write("key", f"{KEY}\n".encode())
    checkpoint = publish(MemoryEvents(300), tiles, SIGNER, now=NOW)
    assert checkpoint is not None
    line = str(cosign(checkpoint.text, WITNESS, at=NOW))
    add_cosignatures(tiles, line, on=checkpoint, log=KEY, witnesses=[WITNESS_KEY])
    return tmp_path / "node"


@pytest.fixture
def url(node: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(node)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/log"
    server.shutdown()
    thread.join()
    server.server_close()


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def as_json(*arguments: object) -> dict[str, Any]:
    found = json.loads(run("verify", *arguments, "--json"))
    assert isinstance(found, dict)
    return found


def test_a_node_directory_a_log_directory_and_a_url_give_the_same_verdict(node: Path, url: str) -> None:
    verdicts = [as_json(place, "--witness", WITNESS_KEY) for place in (node, node / "log", url, url + "/")]
    assert all(verdict == verdicts[0] for verdict in verdicts)
    assert verdicts[0] == {
        "ok": True, "key": str(KEY), "key_pinned": False, "origin": "node.example/log", "size": 300,
        "root": verdicts[0]["root"], "time": "2025-06-20T09:30:00Z", "entries_checked": 300,
        "cosigned": [{"name": "witness.example", "key": str(WITNESS_KEY), "time": "2025-06-20T09:30:00Z"}],
        "not_cosigned": [], "quorum": None, "hidden": [], "fault": None,
    }  # fmt: skip


def test_a_person_reads_size_root_time_and_witnesses(node: Path) -> None:
    shown = " ".join(run("verify", node, "--witness", WITNESS_KEY).split())
    for part in ("the log holds", "300 entries", "2025-06-20T09:30:00Z", "cosigned witness.example", "--key"):
        assert part in shown
    assert as_json(node)["root"][:32] in shown
    assert "--key" not in run("verify", node, "--key", KEY)


def test_a_pinned_key_is_used_and_said_to_be(node: Path) -> None:
    (node / "log" / "key").unlink()
    assert as_json(node, "--key", KEY)["key_pinned"] is True
    with pytest.raises(NotFound, match="key"):
        run("verify", node)


def test_a_wrong_log_names_the_first_wrong_thing_and_exits_3(node: Path) -> None:
    bundle = node / "log" / "tile" / "entries" / "001.p" / "44"
    bundle.write_bytes(bundle.read_bytes()[:-1])
    with pytest.raises(LogWrong, match=r"tile/entries/001\.p/44") as caught:
        run("verify", node)
    assert caught.value.exit_status == 3
    result = CliRunner().invoke(app, ["verify", str(node), "--json"])
    verdict = json.loads(result.stdout)
    assert (verdict["ok"], verdict["entries_checked"]) == (False, 256)
    assert verdict["fault"]["file"] == "tile/entries/001.p/44"
    assert "entry 43" in verdict["fault"]["problem"]
    assert isinstance(result.exception, LogWrong)


@pytest.mark.parametrize(
    "named", [str(verifier_of(key_of("other.example"))) + "\n", f"{KEY}\n{KEY}\n", f"{KEY}", ""]
)
def test_a_key_file_that_names_another_key_is_the_first_wrong_thing(node: Path, url: str, named: str) -> None:
    (node / "log" / "key").write_text(named)
    (node / "log" / "tile" / "entries" / "000").write_bytes(b"")
    for place in (node, url):
        with pytest.raises(LogWrong, match="it names") as caught:
            run("verify", place, "--key", KEY)
        assert caught.value.fault.file == "key"


def test_hidden_files_that_no_log_has_are_named_and_are_no_fault(node: Path) -> None:
    log = node / "log"
    for name in (".lock", ".key.new", "tile/entries/001.p/.44.new"):
        (log / name).write_bytes(b"")
    assert as_json(node)["hidden"] == []
    (log / ".cache").mkdir()
    strangers = [".cache/tile", ".checkpoint", ".notes.new", "tile/.000", "tile/entries/.lock"]
    for name in strangers:
        (log / name).write_bytes(b"x")
    verdict = as_json(node)
    assert (verdict["ok"], verdict["hidden"]) == (True, strangers)
    assert "hidden" in run("verify", node)
    (log / "notes").write_bytes(b"x")
    with pytest.raises(LogWrong, match="notes: no file of a log"):
        run("verify", node)


def test_a_log_directory_is_checked_from_its_files_alone(node: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(node / "log", tmp_path / "copy")
    said = (
        "import json, sys; from comity.entrypoints.cli import app\n"
        "try: app(['log', 'verify', sys.argv[1], '--json'])\n"
        "finally: print(json.dumps([one for one in ('sqlalchemy', 'litestar') if one in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", said, str(copy)], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["ok"] is True
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_where_a_node_lives_is_said_by_the_same_file(node: Path) -> None:
    assert Home(node).settings_file.name == _SETTINGS


def test_another_key_exits_3(node: Path) -> None:
    with pytest.raises(LogWrong, match=r"other\.example"):
        run("verify", node, "--key", verifier_of(key_of("other.example")))


def test_named_witnesses_must_have_cosigned_unless_fewer_are_asked_for(node: Path) -> None:
    other = cosigner_of(key_of("other.example"))
    both = ("--witness", WITNESS_KEY, "--witness", other)
    with pytest.raises(LogWrong, match=r"not other\.example") as caught:
        run("verify", node, *both)
    assert "The log itself holds" in caught.value.next_step
    shown = CliRunner().invoke(app, ["verify", str(node), *map(str, both)]).stdout
    assert "2025-06-20T09:30:00Z" in shown
    assert "the log holds" not in shown
    verdict = as_json(node, *both, "--quorum", "1")
    assert [one["name"] for one in verdict["not_cosigned"]] == ["other.example"]
    with pytest.raises(InputError, match="witness"):
        run("verify", node, *both, "--quorum", "3")


def test_keys_of_the_wrong_kind_are_input_errors(node: Path) -> None:
    for option, key in (("--key", WITNESS_KEY), ("--witness", KEY), ("--key", "nonsense")):
        with pytest.raises(InputError) as caught:
            run("verify", node, option, key)
        assert caught.value.exit_status == 2


def test_places_that_hold_no_log_are_input_errors(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NotFound) as caught:
            run("verify", place)
        assert caught.value.exit_status == 2


def test_a_node_that_is_down_is_a_network_error() -> None:
    with pytest.raises(NetworkError):
        run("verify", "http://127.0.0.1:9/log", "--key", KEY)


def test_log_key_prints_the_key_and_nothing_else(node: Path) -> None:
    assert run("key", node) == f"{KEY}\n"
    assert json.loads(run("key", node / "log", "--json")) == {"name": "node.example/log", "key": str(KEY)}


def test_help_shows_examples() -> None:
    assert "comity log verify ./node-ca" in run("verify", "--help")
    assert "comity log key ./node-ca" in run("key", "--help")
