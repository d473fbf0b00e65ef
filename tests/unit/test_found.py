"""Founding a node: all there or nothing, secrets where they belong, and settings that are checked."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comity.backends.log_reader import FileLogReader
from comity.errors import Conflict, InputError, NotFound, StorageError
from comity.exchange import read_card
from comity.ledger import verify_log
from comity.model import Role
from comity.node import found as founding
from comity.node.bootstrap import PASSPHRASE, open_node, passphrase
from comity.node.found import found
from comity.node.home import Home, read_settings, write_settings
from comity.node.log.prove import log_signer
from comity.node.people import check_password
from comity.proofs.note import VerifierKey, verifier_of
from tests.nodes.story import CA
from tests.nodes.town import WATCH, Town, settings_of

SETTINGS = settings_of(CA, (7443, 7080))


def test_a_new_node_is_complete(tmp_path: Path) -> None:
    done = found(tmp_path / "ca", SETTINGS)
    node = done.node
    card = read_card(node.home.card.read_text().strip())
    assert (card.id, card.covers, card.endpoint) == (CA, ("CA",), "https://127.0.0.1:7443")
    assert VerifierKey.parse((node.home.log / "key").read_text().strip()) == verifier_of(log_signer(node))
    person = check_password(node, done.administrator, done.password)
    assert person is not None
    assert person.role is Role.ADMINISTRATOR
    verdict = verify_log(FileLogReader(node.home.log), verifier_of(log_signer(node)))
    assert (verdict.fault, verdict.entries_checked) == (None, 2)
    assert [child.name for child in tmp_path.iterdir()] == ["ca"]
    node.records.close()


def test_only_its_owner_reads_a_node(tmp_path: Path) -> None:
    done = found(tmp_path / "ca", SETTINGS)
    assert stat.S_IMODE(done.node.home.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(done.node.home.passphrase.stat().st_mode) == 0o600
    assert done.password not in json.dumps([one.name for one in done.node.home.path.rglob("*")])
    done.node.records.close()


def test_a_passphrase_of_the_environment_is_written_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE, "said aloud once")
    node = found(tmp_path / "ca", SETTINGS, passphrase_given="said aloud once").node
    assert not node.home.passphrase.exists()
    node.records.close()
    assert all(b"said aloud once" not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    monkeypatch.delenv(PASSPHRASE)
    with pytest.raises(InputError, match=PASSPHRASE):
        passphrase(node.home)


def test_a_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "mine.txt").write_text("mine")
    with pytest.raises(Conflict):
        found(tmp_path / "ca", SETTINGS)
    assert [file.name for file in tmp_path.rglob("*")] == ["ca", "mine.txt"]


def test_an_empty_directory_may_be_used_also_as_a_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca").mkdir()
    monkeypatch.chdir(tmp_path / "ca")
    found(Path(), SETTINGS).node.records.close()
    assert (tmp_path / "ca" / "node.toml").is_file()


@pytest.mark.parametrize("step", ["create_keys", "make_card", "publish_log", "add_person"])
def test_a_failure_on_the_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(founding, step, fail)
    with pytest.raises(StorageError, match="No space left"):
        found(tmp_path / "ca", SETTINGS)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_made_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        found(tmp_path / "file" / "ca", SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hold_hours": 0}, {"hold_hours": 24 * 31}, {"rule": "poison"}, {"rule": ""}, {"covers": ("Canada",)},
        {"covers": ("ca",)}, {"host": "no host"}, {"jurisdiction": "XX"}, {"id": "A B"}, {"name": ""},
        {"name": "a\nb"},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_run_found_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    authority = {key: value for key, value in wrong.items() if key in ("id", "name", "jurisdiction")}
    rest = {key: value for key, value in wrong.items() if key not in authority}
    settings = replace(SETTINGS, authority=replace(SETTINGS.authority, **authority), **rest)
    with pytest.raises(InputError):
        found(tmp_path / "ca", settings)
    assert list(tmp_path.iterdir()) == []


def test_an_oversight_body_has_no_book(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without a book"):
        found(tmp_path / "eye", replace(settings_of(WATCH, (1, 2)), covers=("SG",)))


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    strange = replace(SETTINGS, authority=replace(SETTINGS.authority, name='A "quoted" \\ name, 香港 é'))
    write_settings(Home(tmp_path), strange)
    assert read_settings(Home(tmp_path)) == strange


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("hold_hours = 72", 'hold_hours = "long"'), ('rule = "fifo"', ""), ('covers = ["CA"]', 'covers = "CA"'),
        ("peer_port = 7443", "peer_port = ["), ('host = "127.0.0.1"', "host = \udcff"),
    ],
)  # fmt: skip
def test_settings_that_were_broken_by_hand_are_named(tmp_path: Path, line: str, instead: str) -> None:
    home = Home(tmp_path)
    write_settings(home, SETTINGS)
    text = home.settings_file.read_text()
    assert line in text
    home.settings_file.write_bytes(text.replace(line, instead).encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=r"node\.toml"):
        read_settings(home)


def test_what_is_no_node_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"node\.toml"):
        open_node(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_cannot_be_read_stops_the_node_from_opening(town: Town) -> None:
    (town.folder / CA / "policy" / "mine.cedar").write_text("permit (everything);")
    with pytest.raises(InputError, match=r"mine\.cedar"):
        open_node(town.folder / CA)
