"""Keys at rest, and that only pinned peers can talk: with real sockets."""

import os
import shutil
import socket
import ssl
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from comity.backends.keys import (
    ChangedKeys,
    KeysExist,
    KeysMissing,
    KeysUnwritable,
    NodeKeys,
    WrongPassphrase,
    client_context,
    create_keys,
    load_keys,
    server_context,
)
from comity.errors import InputError
from comity.exchange.register.certificate import read_certificate

NOW = datetime.now(UTC)
PASSPHRASE = b"correct horse battery staple"


@dataclass(frozen=True)
class Home:
    folder: Path
    keys: NodeKeys

    def serves(self, *peers: "Home") -> ssl.SSLContext:
        return server_context(self.folder, PASSPHRASE, [one.keys.tls_certificate for one in peers])

    def calls(self, peer: "Home") -> ssl.SSLContext:
        return client_context(self.folder, PASSPHRASE, peer.keys.tls_certificate)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Home]:
    base = tmp_path_factory.mktemp("nodes")
    made = {}
    for name in ("canada", "hong-kong", "thailand", "stranger"):
        folder = base / name / "keys"
        keys = create_keys(folder, node_id=name, host="node.example", passphrase=PASSPHRASE, now=NOW)
        made[name] = Home(folder, keys)
    return made


def _raw(keys: NodeKeys) -> list[bytes]:
    return [
        keys.signing.private_bytes_raw(), keys.sealing.mlkem.private_bytes_raw(),
        keys.sealing.x25519.private_bytes_raw(), keys.log.private_bytes_raw(), keys.witness.private_bytes_raw(),
        keys.online.private_bytes_raw(), *([keys.root.private_bytes_raw()] if keys.root else []),
        keys.tls.private_numbers().private_value.to_bytes(32, "big"), keys.tls_certificate.encode(),
    ]  # fmt: skip


def test_what_was_created_is_loaded(homes: dict[str, Home]) -> None:
    home = homes["canada"]
    assert _raw(load_keys(home.folder, PASSPHRASE)) == _raw(home.keys)


def test_every_key_is_another_one(homes: dict[str, Home]) -> None:
    every = [raw for home in homes.values() for raw in _raw(home.keys)]
    assert len(set(every)) == len(every)


def test_nothing_private_is_readable_and_only_by_the_owner(homes: dict[str, Home]) -> None:
    home = homes["canada"]
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    for path in home.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        content = path.read_bytes()
        assert path.suffix != ".pem" or content.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
        assert not any(raw in content for raw in _raw(home.keys)[:-1])
    assert not list(home.folder.parent.glob(".*"))


def test_the_passphrase_itself_opens_no_pem(homes: dict[str, Home]) -> None:
    """PKCS#8's own key derivation is weak; Argon2id stands before it."""
    with pytest.raises(ValueError, match="password"):
        serialization.load_pem_private_key((homes["canada"].folder / "signing.pem").read_bytes(), PASSPHRASE)


@pytest.mark.parametrize("passphrase", [b"", b"wrong", PASSPHRASE + b" ", PASSPHRASE.upper()])
def test_a_wrong_passphrase_is_said_to_be_wrong(homes: dict[str, Home], passphrase: bytes) -> None:
    with pytest.raises(WrongPassphrase):
        load_keys(homes["canada"].folder, passphrase)


@pytest.fixture
def copy(homes: dict[str, Home], tmp_path: Path) -> Path:
    return Path(shutil.copytree(homes["canada"].folder, tmp_path / "keys"))


FILES = [
    "signing.pem",
    "sealing-mlkem768.pem",
    "sealing-x25519.pem",
    "log.pem",
    "witness.pem",
    "online.pem",
    "root.pem",
    "tls.pem",
    "tls.crt",
]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(KeysMissing, match=name):
        load_keys(copy, PASSPHRASE)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "change", [lambda raw: raw[:-30], lambda raw: raw[:90] + bytes([raw[90] ^ 1]) + raw[91:], lambda raw: b""]
)
def test_a_changed_file_is_named(copy: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    (copy / name).write_bytes(change((copy / name).read_bytes()))
    with pytest.raises(ChangedKeys, match=name):
        load_keys(copy, PASSPHRASE)


def test_two_keys_cannot_change_places(copy: Path) -> None:
    log, witness = (copy / "log.pem").read_bytes(), (copy / "witness.pem").read_bytes()
    (copy / "log.pem").write_bytes(witness)
    (copy / "witness.pem").write_bytes(log)
    with pytest.raises(ChangedKeys):
        load_keys(copy, PASSPHRASE)


@pytest.mark.parametrize(
    "index",
    [
        b"", b"[]", b"{}", b'{"v":1}', b"\xff", b'{"v":1,"salt":"zz","passphrase_check":"","files":{}}',
        b'{"v":1,"salt":7,"passphrase_check":"","files":{}}', b'{"v":1,"salt":"00","passphrase_check":"","files":{}}',
        b'{"v":2,"salt":"' + b"00" * 16 + b'","passphrase_check":"","files":{}}',
        b'{"v":1,"salt":"' + b"00" * 16 + b'","passphrase_check":7,"files":{}}',
    ],
)  # fmt: skip
def test_a_broken_index_is_named(copy: Path, index: bytes) -> None:
    (copy / "keys.json").write_bytes(index)
    with pytest.raises(ChangedKeys, match=r"keys\.json"):
        load_keys(copy, PASSPHRASE)


def test_a_folder_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing):
        load_keys(tmp_path / "nowhere", PASSPHRASE)


def test_keys_are_never_overwritten(copy: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    (tmp_path / "file").write_text("x")
    for folder in (copy, tmp_path, tmp_path / "file"):
        with pytest.raises(KeysExist):
            create_keys(folder, node_id="canada", host="localhost", passphrase=PASSPHRASE, now=NOW)
    assert before == {path.name: path.read_bytes() for path in copy.iterdir()}


def test_two_creators_at_once_leave_one_whole_set(tmp_path: Path) -> None:
    outcomes: list[object] = []

    def create() -> None:
        try:
            outcomes.append(
                create_keys(
                    tmp_path / "keys", node_id="x-x", host="localhost", passphrase=PASSPHRASE, now=NOW
                )
            )
        except KeysExist as error:
            outcomes.append(error)

    threads = [threading.Thread(target=create) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [one for one in outcomes if isinstance(one, NodeKeys)]
    assert len(won) == 1
    assert len(outcomes) == 3
    assert _raw(load_keys(tmp_path / "keys", PASSPHRASE)) == _raw(won[0])
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync
    calls = iter(range(100))

    def full_disk(descriptor: int) -> None:
        if next(calls) == 4:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(KeysUnwritable, match="No space left"):
        create_keys(tmp_path / "keys", node_id="x-x", host="localhost", passphrase=PASSPHRASE, now=NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["", "two words", "a\nb", "h\u00f6st", "-x", "x" * 300, "user@host"])
def test_a_host_that_is_none_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(InputError):
        create_keys(tmp_path / "keys", node_id="x-x", host=host, passphrase=PASSPHRASE, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        create_keys(tmp_path / "keys", node_id="x-x", host="localhost", passphrase=b"", now=NOW)


def test_the_certificate_is_what_a_card_needs(homes: dict[str, Home]) -> None:
    pem = homes["canada"].keys.tls_certificate
    read = read_certificate(pem, where="test")
    assert read.common_name == "canada"
    assert set(read.hosts) == {"localhost", "node.example", "127.0.0.1"}
    certificate = x509.load_pem_x509_certificate(pem.encode())
    assert timedelta(days=3650) < certificate.not_valid_after_utc - NOW < timedelta(days=3654)
    assert certificate.not_valid_before_utc < NOW


# TLS


def _talk(server: ssl.SSLContext, client: ssl.SSLContext, *, host: str = "localhost") -> tuple[bytes, str]:
    """One echo over a real socket; what the client heard, or the first TLS error of either side."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_echo_once, args=(listener, server))
        thread.start()
        try:
            raw = socket.create_connection(listener.getsockname(), timeout=5)
            with raw, client.wrap_socket(raw, server_hostname=host) as secured:
                secured.sendall(b"hello")
                return secured.recv(100), str(secured.version())
        finally:
            thread.join(5)


def _echo_once(listener: socket.socket, context: ssl.SSLContext) -> None:
    raw, _ = listener.accept()
    raw.settimeout(5)
    try:
        with raw, context.wrap_socket(raw, server_side=True) as secured:
            shown = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
            secured.sendall(secured.recv(100) + b" from " + str(shown.subject.rfc4514_string()).encode())
    except OSError:
        return  # the client's side of the test sees the refusal


REFUSED = (ssl.SSLError, ConnectionError)


def test_two_peers_talk_and_each_knows_the_other(homes: dict[str, Home]) -> None:
    canada, hong_kong, thailand = homes["canada"], homes["hong-kong"], homes["thailand"]
    for host in ("localhost", "127.0.0.1", "node.example"):
        heard = _talk(hong_kong.serves(canada, thailand), canada.calls(hong_kong), host=host)
        assert heard == (b"hello from CN=canada", "TLSv1.3")
    assert (
        _talk(hong_kong.serves(canada, thailand), thailand.calls(hong_kong))[0] == b"hello from CN=thailand"
    )


def test_a_stranger_does_not_get_in(homes: dict[str, Home]) -> None:
    canada, hong_kong, stranger = homes["canada"], homes["hong-kong"], homes["stranger"]
    with pytest.raises(REFUSED):
        _talk(hong_kong.serves(canada), stranger.calls(hong_kong))


def test_without_a_certificate_nobody_gets_in(homes: dict[str, Home]) -> None:
    naked = ssl.create_default_context(cadata=homes["hong-kong"].keys.tls_certificate)
    with pytest.raises(REFUSED):
        _talk(homes["hong-kong"].serves(homes["canada"]), naked)


def test_another_member_cannot_pose_as_the_one_called(homes: dict[str, Home]) -> None:
    """Thailand is a genuine member, at Hong Kong's address: its certificate is not the pinned one."""
    canada, hong_kong, thailand = homes["canada"], homes["hong-kong"], homes["thailand"]
    with pytest.raises(ssl.SSLCertVerificationError):
        _talk(thailand.serves(canada), canada.calls(hong_kong))


def test_a_stranger_with_the_members_name_is_refused(homes: dict[str, Home], tmp_path: Path) -> None:
    """Same subject, other key: the name alone finds the pinned certificate, the signature does not fit."""
    folder = tmp_path / "keys"
    posing = Home(
        folder, create_keys(folder, node_id="canada", host="localhost", passphrase=PASSPHRASE, now=NOW)
    )
    with pytest.raises(REFUSED):
        _talk(homes["hong-kong"].serves(homes["canada"]), posing.calls(homes["hong-kong"]))
    with pytest.raises(ssl.SSLCertVerificationError):
        _talk(posing.serves(homes["hong-kong"]), homes["hong-kong"].calls(homes["canada"]))


def test_a_name_that_the_certificate_does_not_cover_is_refused(homes: dict[str, Home]) -> None:
    canada, hong_kong = homes["canada"], homes["hong-kong"]
    with pytest.raises(ssl.SSLCertVerificationError):
        _talk(hong_kong.serves(canada), canada.calls(hong_kong), host="other.example")


def test_a_member_cannot_let_others_in(homes: dict[str, Home], tmp_path: Path) -> None:
    """A certificate that a member issued with its own TLS key is no way in: it may not sign certificates."""
    canada, hong_kong = homes["canada"], homes["hong-kong"]
    key = ec.generate_private_key(ec.SECP256R1())
    canadas = x509.AuthorityKeyIdentifier.from_issuer_public_key(canada.keys.tls.public_key())
    issued = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "guest")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "canada")]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(canadas, critical=False)
        .sign(canada.keys.tls, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "guest.pem").write_bytes(pem + issued.public_bytes(serialization.Encoding.PEM))
    guest = ssl.create_default_context(cadata=hong_kong.keys.tls_certificate)
    guest.load_cert_chain(tmp_path / "guest.pem")
    with pytest.raises(REFUSED):
        _talk(hong_kong.serves(canada), guest)


def test_older_tls_is_refused(homes: dict[str, Home]) -> None:
    canada, hong_kong = homes["canada"], homes["hong-kong"]
    old = canada.calls(hong_kong)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(REFUSED):
        _talk(hong_kong.serves(canada), old)


def test_a_server_without_peers_is_refused(homes: dict[str, Home]) -> None:
    with pytest.raises(InputError):
        homes["canada"].serves()
