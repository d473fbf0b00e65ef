"""A state's register key in a file of its own: whole, encrypted, and opened by its passphrase only."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from comity.backends import root_key_file
from comity.backends.keys import KeysExist, KeysMissing, WrongPassphrase, derive_password
from comity.backends.root_key_file import create_root_key, read_root_key
from comity.errors import InputError
from comity.exchange import read_card
from comity.node.bootstrap import ROOT_PASSPHRASE
from comity.node.found import found
from comity.node.registers.publish import root_key
from tests.nodes.story import CA
from tests.nodes.town import settings_of

SETTINGS = settings_of(CA, (7443, 7080))


def test_the_key_comes_back_with_its_passphrase_and_with_no_other(tmp_path: Path) -> None:
    file = tmp_path / "root.json"
    key = create_root_key(file, b"said aloud")
    assert read_root_key(file, b"said aloud").private_bytes_raw() == key.private_bytes_raw()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key.private_bytes_raw() not in file.read_bytes()
    for wrong in (b"", b"other", b"said aloud "):
        with pytest.raises(WrongPassphrase):
            read_root_key(file, wrong)
    with pytest.raises(KeysExist):
        create_root_key(file, b"again")
    with pytest.raises(InputError):
        create_root_key(tmp_path / "other.json", b"")
    with pytest.raises(KeysMissing):
        read_root_key(tmp_path / "nowhere", b"x")


def test_a_key_that_appears_while_another_is_made_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real = tmp_path / "root.json", derive_password

    def others_first(passphrase: bytes, salt: bytes) -> bytes:
        file.write_bytes(b"theirs")
        return real(passphrase, salt)

    monkeypatch.setattr(root_key_file, "derive_password", others_first)
    with pytest.raises(KeysExist):
        create_root_key(file, b"said aloud")
    assert file.read_bytes() == b"theirs"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"v":1}', b'{"v":1,"salt":"zz","key":"x"}', b'{"v":2}', b"\xff"]
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "root.json").write_bytes(content)
    with pytest.raises(InputError):
        read_root_key(tmp_path / "root.json", b"x")


def test_two_nodes_of_a_state_share_a_key_that_neither_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_PASSPHRASE, "known to the state's officers")
    file, keys = tmp_path / "root.json", []
    for number, name in enumerate((CA, "ca-second")):
        authority = replace(SETTINGS.authority, id=name)
        settings = replace(SETTINGS, authority=authority, peer_port=7443 + number)
        node = found(tmp_path / name, settings, root_key=file).node
        keys.append(read_card(node.home.card.read_text().strip()).root_key)
        assert node.keys.root is None
        with pytest.raises(InputError, match="register key"):
            root_key(node, None)
        assert root_key(node, file).public_key().public_bytes_raw() == keys[-1]
        node.records.close()
    assert keys[0] == keys[1]


def test_a_states_key_is_never_under_a_passphrase_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=ROOT_PASSPHRASE):
        found(tmp_path / "ca", SETTINGS, root_key=tmp_path / "root.json")
    assert list(tmp_path.iterdir()) == []


def test_no_draft_of_the_key_is_ever_readable_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    link = os.link

    def watching(draft: Path, to: Path) -> None:
        seen.append(stat.S_IMODE(draft.stat().st_mode))
        link(draft, to)

    monkeypatch.setattr(os, "link", watching)
    create_root_key(tmp_path / "root.json", b"said aloud")
    assert seen == [0o600]
