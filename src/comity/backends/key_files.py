"""A node's keys as encrypted files: create once, load, and make pinned TLS contexts of them.

`keys.json` holds a salt and an HMAC of every other file. Argon2id (RFC 9106 §4, second choice: 64 MiB, 3
passes, 4 lanes) turns passphrase and salt into the password of the PKCS#8 files (whose own PBKDF2 is weak)
and the HMAC key, so a wrong passphrase and a changed file are told apart and nothing is parsed before it is
known to be ours.

Protects keys at rest: somebody with the files alone must guess the passphrase. It does not protect against
somebody who can read this process's memory or environment.
"""

import hmac
import os
import secrets
import shutil
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from comity.backends.node_certificate import certify
from comity.errors import Conflict, InputError, NotFound, StorageError, TrustError
from comity.proofs.canonical import canonical_bytes, parse_strict
from comity.proofs.sealing import SealingKey

_INDEX = "keys.json"
_CERTIFICATE = "tls.crt"
_FILES = (
    "signing.pem",
    "sealing-mlkem768.pem",
    "sealing-x25519.pem",
    "log.pem",
    "witness.pem",
    "tls.pem",
    _CERTIFICATE,
)
_Private = Ed25519PrivateKey | MLKEM768PrivateKey | X25519PrivateKey | ec.EllipticCurvePrivateKey


class WrongPassphrase(InputError):
    """The passphrase does not open these keys."""

    code = "keys.passphrase"
    remedy = "Give the passphrase that was set when the keys were created; there is no way around it."


class KeysExist(Conflict):
    """There are keys already, and overwriting keys loses every message sealed to them."""

    code = "keys.exist"
    remedy = "Use the keys that are there, or choose another folder."


class KeysMissing(NotFound):
    """A key file is not where it should be."""

    code = "keys.missing"
    remedy = "Restore the folder from a backup; a node without its keys cannot read what was sealed to it."


class ChangedKeys(TrustError):
    """A key file is not as this node wrote it."""

    code = "keys.changed"
    remedy = "Restore the folder from a backup, and find out who or what changed it."


class KeysUnwritable(StorageError):
    """The keys could not be stored; nothing of them was left behind."""

    code = "keys.unwritable"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """One key a purpose. `tls_certificate` is PEM, self-signed, and pinned by the peers."""

    signing: Ed25519PrivateKey
    sealing: SealingKey
    log: Ed25519PrivateKey
    witness: Ed25519PrivateKey
    tls: ec.EllipticCurvePrivateKey
    tls_certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Secrets:
    """What the passphrase becomes. Only ever in memory."""

    password: bytes
    mac: bytes


def create_keys(folder: Path, *, node_id: str, host: str, passphrase: bytes, now: datetime) -> NodeKeys:
    """Make new keys in `folder` (0700, files 0600), all or nothing; `KeysExist` if anything is there.

    `host` is the name or IP address that peers reach the node at, besides localhost and 127.0.0.1.
    """
    if not passphrase:
        raise InputError.because(expected="a passphrase for the keys", got="none")
    _refuse_occupied(folder)
    keys = _generate(node_id, host, now)
    salt = secrets.token_bytes(16)
    files = _encode(keys, secrets_ := _derive(passphrase, salt))
    index = {
        "v": 1,
        "salt": salt.hex(),
        "passphrase_check": _mac(secrets_, "passphrase", b""),
        "files": {name: _mac(secrets_, name, content) for name, content in files.items()},
    }
    _write_all(folder, {**files, _INDEX: canonical_bytes(index)})
    return keys


def load_keys(folder: Path, passphrase: bytes) -> NodeKeys:
    """Open the keys in `folder`, or raise `KeysMissing`, `WrongPassphrase` or `ChangedKeys`."""
    return _decode(*_read_all(folder, passphrase))


def server_context(folder: Path, passphrase: bytes, peer_certificates: Sequence[str]) -> ssl.SSLContext:
    """TLS 1.3 for the peer surface: only holders of one of `peer_certificates` (PEM) come in.

    Which of them it was must be asked with `Compact.by_certificate`; sessions are not resumed, so a peer that
    is taken off the list is out with its next connection to a context made without it.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, folder, passphrase, peer_certificates)
    context.num_tickets = 0
    return context


def client_context(folder: Path, passphrase: bytes, peer_certificate: str) -> ssl.SSLContext:
    """TLS 1.3 towards one peer: its pinned certificate is the only one accepted, and ours is shown."""
    return _context(ssl.PROTOCOL_TLS_CLIENT, folder, passphrase, [peer_certificate])


def _context(protocol: int, folder: Path, passphrase: bytes, peers: Sequence[str]) -> ssl.SSLContext:
    if not peers:
        raise InputError.because(expected="at least one pinned peer certificate", got="none")
    secrets_, _ = _read_all(folder, passphrase)
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.load_cert_chain(folder / _CERTIFICATE, folder / "tls.pem", password=secrets_.password)
    context.load_verify_locations(cadata="".join(peers))
    return context


def _generate(node_id: str, host: str, now: datetime) -> NodeKeys:
    tls = ec.generate_private_key(ec.SECP256R1())
    return NodeKeys(
        signing=Ed25519PrivateKey.generate(),
        sealing=SealingKey(mlkem=MLKEM768PrivateKey.generate(), x25519=X25519PrivateKey.generate()),
        log=Ed25519PrivateKey.generate(),
        witness=Ed25519PrivateKey.generate(),
        tls=tls,
        tls_certificate=certify(tls, node_id=node_id, host=host, now=now),
    )


@lru_cache(maxsize=4)
def _derive(passphrase: bytes, salt: bytes) -> _Secrets:
    """Slow on purpose, so done once a process: what it gives stays in memory, as the keys themselves do."""
    raw = hash_secret_raw(
        passphrase, salt, time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=64, type=Type.ID
    )
    return _Secrets(password=raw[:32].hex().encode(), mac=raw[32:])


def _mac(secrets_: _Secrets, name: str, content: bytes) -> str:
    return hmac.new(secrets_.mac, name.encode() + b"\0" + content, "sha256").hexdigest()


def _encode(keys: NodeKeys, secrets_: _Secrets) -> dict[str, bytes]:
    private: tuple[_Private, ...] = (
        keys.signing, keys.sealing.mlkem, keys.sealing.x25519, keys.log, keys.witness, keys.tls,
    )  # fmt: skip
    encryption = serialization.BestAvailableEncryption(secrets_.password)
    pems = [key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption) for key in private]
    return dict(zip(_FILES, [*pems, keys.tls_certificate.encode("ascii")], strict=True))


def _decode(secrets_: _Secrets, files: Mapping[str, bytes]) -> NodeKeys:
    """The HMACs hold, so each file is the key that `_encode` wrote under its name."""
    signing, mlkem, x25519, log, witness, tls = (
        serialization.load_pem_private_key(files[name], secrets_.password) for name in _FILES[:-1]
    )
    return NodeKeys(
        signing=cast("Ed25519PrivateKey", signing),
        sealing=SealingKey(mlkem=cast("MLKEM768PrivateKey", mlkem), x25519=cast("X25519PrivateKey", x25519)),
        log=cast("Ed25519PrivateKey", log),
        witness=cast("Ed25519PrivateKey", witness),
        tls=cast("ec.EllipticCurvePrivateKey", tls),
        tls_certificate=files[_CERTIFICATE].decode("ascii"),
    )


def _read_all(folder: Path, passphrase: bytes) -> tuple[_Secrets, dict[str, bytes]]:
    """Every file, each checked against its HMAC before anything in it is parsed."""
    index = _read_index(folder)
    secrets_ = _derive(passphrase, bytes.fromhex(index["salt"]))
    if not hmac.compare_digest(_mac(secrets_, "passphrase", b""), index["passphrase_check"]):
        raise WrongPassphrase("expected the passphrase these keys were created with", where=str(folder))
    files = {name: _read(folder / name) for name in _FILES}
    for name, content in files.items():
        if not hmac.compare_digest(_mac(secrets_, name, content), str(index["files"].get(name))):
            raise ChangedKeys("expected the file as it was written, got another", where=str(folder / name))
    return secrets_, files


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / _INDEX
    try:
        index = parse_strict(_read(path), max_bytes=16 * 1024)
        well_formed = (
            index["v"] == 1
            and len(bytes.fromhex(index["salt"])) == 16
            and index["passphrase_check"].isascii()
            and isinstance(index["files"], dict)
        )
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, KeysMissing):
            raise
        raise ChangedKeys(f"expected the index of the keys: {error}", where=str(path)) from error
    if not well_formed:
        raise ChangedKeys("expected version 1 and a salt of 16 bytes", where=str(path))
    return dict(index)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise KeysMissing("expected a key file, found none", where=str(path)) from error
    except OSError as error:
        raise StorageError(f"expected a readable key file: {error.strerror}", where=str(path)) from error


def _refuse_occupied(folder: Path) -> None:
    try:
        occupied = any(folder.iterdir())
    except FileNotFoundError:
        return
    except NotADirectoryError:
        occupied = True
    if occupied:
        raise KeysExist.because(expected="a folder that is new or empty", got=str(folder))


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Into a neighbour first, synced, then renamed: at no moment is there half a folder of keys."""
    partial = folder.parent / f".{folder.name}.partial-{secrets.token_hex(4)}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        for name, content in files.items():
            _write(partial / name, content)
        _sync(partial)
        os.rename(partial, folder)  # replaces an empty folder, and fails on any other
        _sync(folder.parent)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        _refuse_occupied(folder)  # somebody else created keys meanwhile: say that
        raise KeysUnwritable(f"expected to write the keys: {error.strerror}", where=str(folder)) from error


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
