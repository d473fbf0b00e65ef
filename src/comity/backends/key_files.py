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
from dataclasses import dataclass, replace
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

from comity.backends.files import write_durably
from comity.backends.node_certificate import certify
from comity.errors import Conflict, InputError, NotFound, StorageError, TrustError
from comity.proofs.canonical import canonical_bytes, parse_strict
from comity.proofs.sealing import SealingKey

_INDEX = "keys.json"
_USE = "use.json"
_CERTIFICATE = "tls.crt"
_FILES = (
    "signing.pem",
    "sealing-mlkem768.pem",
    "sealing-x25519.pem",
    "log.pem",
    "witness.pem",
    "online.pem",
    "tls.pem",
    _CERTIFICATE,
)
_ROOT = "root.pem"
"""Only where the state's key is not kept on a medium of its own."""
ROTATED = ("signing.pem", "sealing-mlkem768.pem", "sealing-x25519.pem", "tls.pem", _CERTIFICATE)
"""What a rotation makes anew; the rest are a node's name in logs and registers, and stay."""
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
class Generation:
    """The keys that a rotation replaces. `number` counts from 1."""

    number: int
    signing: Ed25519PrivateKey
    sealing: SealingKey
    tls: ec.EllipticCurvePrivateKey
    tls_certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """One key a purpose. `tls_certificate` is PEM, self-signed, and pinned by the peers."""

    signing: Ed25519PrivateKey
    sealing: SealingKey
    log: Ed25519PrivateKey
    witness: Ed25519PrivateKey
    root: Ed25519PrivateKey | None
    """Its state's key in the registers; None where it is kept on a medium of its own."""
    online: Ed25519PrivateKey
    """Says that a register is the newest."""
    tls: ec.EllipticCurvePrivateKey
    tls_certificate: str
    generations: tuple[Generation, ...] = ()
    """Every generation there is, the newest first: those in use and those on their way in or out."""

    @property
    def openers(self) -> tuple[SealingKey, ...]:
        """What messages to us may be sealed to, the newest first."""
        return tuple(one.sealing for one in self.generations) or (self.sealing,)

    def signing_for(self, public: bytes) -> Ed25519PrivateKey:
        """The private half of the signing key on a card of ours: each register may be at another one."""
        every = (self.signing, *(one.signing for one in self.generations))
        found = next((key for key in every if key.public_key().public_bytes_raw() == public), None)
        if found is None:
            raise KeysMissing("expected the signing key on this node's card, found others")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Secrets:
    """What the passphrase becomes. Only ever in memory."""

    password: bytes
    mac: bytes


def create_keys(
    folder: Path, *, node_id: str, host: str, passphrase: bytes, now: datetime, with_root: bool = True
) -> NodeKeys:
    """Make new keys in `folder` (0700, files 0600), all or nothing; `KeysExist` if anything is there.

    `host` is the name or IP address that peers reach the node at, besides localhost and 127.0.0.1. Without
    `with_root` the state's key is kept elsewhere (`root_key_file`).
    """
    if not passphrase:
        raise InputError.because(expected="a passphrase for the keys", got="none")
    _refuse_occupied(folder)
    keys = _generate(node_id, host, now, with_root)
    salt = secrets.token_bytes(16)
    files = _encode(keys, secrets_ := _derive(passphrase, salt))
    index = {
        "v": 1,
        "salt": salt.hex(),
        "passphrase_check": _mac(secrets_, "passphrase", b""),
        "files": {name: _mac(secrets_, name, content) for name, content in files.items()},
    }
    write_folder(folder, {**files, _INDEX: canonical_bytes(index)})
    return keys


def load_keys(folder: Path, passphrase: bytes) -> NodeKeys:
    """Open the keys in `folder`, or raise `KeysMissing`, `WrongPassphrase` or `ChangedKeys`."""
    index, secrets_ = _open_index(folder, passphrase)
    names = [*_FILES, *([_ROOT] if _ROOT in index["files"] else [])]
    base = _decode(secrets_, _checked(folder, index, secrets_, names))
    first = Generation(
        number=1,
        signing=base.signing,
        sealing=base.sealing,
        tls=base.tls,
        tls_certificate=base.tls_certificate,
    )
    later = [_generation(folder, number, secrets_) for number in _later(folder)]
    every = sorted([first, *later], key=lambda one: one.number, reverse=True)
    current = next(one for one in every if one.number == _use(folder, secrets_, every).current)
    return replace(
        base, signing=current.signing, sealing=current.sealing, tls=current.tls,
        tls_certificate=current.tls_certificate, generations=tuple(every),
    )  # fmt: skip


def stamp_of(folder: Path) -> int:
    """Changes whenever there are other keys, or others come into use."""
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError as error:
        raise KeysMissing("expected a folder of keys, found none", where=str(folder)) from error


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


def show_in(context: ssl.SSLContext, folder: Path, passphrase: bytes) -> None:
    """Let connections that begin from now on see the certificate that is shown now (`show_generation`)."""
    index, secrets_ = _open_index(folder, passphrase)
    home, names = _shown(folder, secrets_)
    shown = index if home == folder else _read_index(home)
    _checked(home, shown, secrets_, names)
    context.load_cert_chain(home / _CERTIFICATE, home / "tls.pem", password=secrets_.password)


def _context(protocol: int, folder: Path, passphrase: bytes, peers: Sequence[str]) -> ssl.SSLContext:
    if not peers:
        raise InputError.because(expected="at least one pinned peer certificate", got="none")
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    show_in(context, folder, passphrase)
    context.load_verify_locations(cadata="".join(peers))
    return context


def _generate(node_id: str, host: str, now: datetime, with_root: bool) -> NodeKeys:
    tls = ec.generate_private_key(ec.SECP256R1())
    return NodeKeys(
        signing=Ed25519PrivateKey.generate(),
        sealing=SealingKey(mlkem=MLKEM768PrivateKey.generate(), x25519=X25519PrivateKey.generate()),
        log=Ed25519PrivateKey.generate(),
        witness=Ed25519PrivateKey.generate(),
        root=Ed25519PrivateKey.generate() if with_root else None,
        online=Ed25519PrivateKey.generate(),
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


def derive_password(passphrase: bytes, salt: bytes) -> bytes:
    """What opens a PKCS#8 file that was written with this passphrase and salt."""
    return _derive(passphrase, salt).password


def _mac(secrets_: _Secrets, name: str, content: bytes) -> str:
    return hmac.new(secrets_.mac, name.encode() + b"\0" + content, "sha256").hexdigest()


def _encode(keys: NodeKeys, secrets_: _Secrets) -> dict[str, bytes]:
    private: dict[str, _Private] = {
        "signing.pem": keys.signing, "sealing-mlkem768.pem": keys.sealing.mlkem,
        "sealing-x25519.pem": keys.sealing.x25519, "log.pem": keys.log, "witness.pem": keys.witness,
        "online.pem": keys.online, "tls.pem": keys.tls,
    }  # fmt: skip
    if keys.root is not None:
        private[_ROOT] = keys.root
    files = {name: _sealed_pem(key, secrets_) for name, key in private.items()}
    return {**files, _CERTIFICATE: keys.tls_certificate.encode("ascii")}


def _sealed_pem(key: _Private, secrets_: _Secrets) -> bytes:
    encryption = serialization.BestAvailableEncryption(secrets_.password)
    return key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _decode(secrets_: _Secrets, files: Mapping[str, bytes]) -> NodeKeys:
    """The HMACs hold, so each file is the key that `_encode` wrote under its name."""
    opened = _opened(secrets_, files)
    return NodeKeys(
        signing=cast("Ed25519PrivateKey", opened["signing.pem"]), sealing=_sealing(opened),
        log=cast("Ed25519PrivateKey", opened["log.pem"]),
        witness=cast("Ed25519PrivateKey", opened["witness.pem"]),
        root=cast("Ed25519PrivateKey | None", opened.get(_ROOT)),
        online=cast("Ed25519PrivateKey", opened["online.pem"]),
        tls=cast("ec.EllipticCurvePrivateKey", opened["tls.pem"]),
        tls_certificate=files[_CERTIFICATE].decode("ascii"),
    )  # fmt: skip


def _opened(secrets_: _Secrets, files: Mapping[str, bytes]) -> dict[str, object]:
    return {
        name: serialization.load_pem_private_key(content, secrets_.password)
        for name, content in files.items()
        if name.endswith(".pem")
    }


def _sealing(opened: Mapping[str, object]) -> SealingKey:
    return SealingKey(
        mlkem=cast("MLKEM768PrivateKey", opened["sealing-mlkem768.pem"]),
        x25519=cast("X25519PrivateKey", opened["sealing-x25519.pem"]),
    )


# Rotation: a later generation is a folder of its own, written whole; `use.json` says which one is in use.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """`current` signs and is on the card; `shown` is the TLS certificate that peers see."""

    current: int
    shown: int


def prepare_generation(
    folder: Path, passphrase: bytes, *, node_id: str, host: str, now: datetime
) -> Generation:
    """Make the next generation of keys beside those in use, all or nothing. Nothing uses it yet.

    One that was prepared before and never came into use is taken again: a rotation may be repeated.
    """
    index, secrets_ = _open_index(folder, passphrase)
    later = _later(folder)
    every = [_generation(folder, number, secrets_) for number in later]
    newest = max([1, *later])
    if newest > _use_numbers(folder, secrets_, [1, *later]).current:
        return next(one for one in every if one.number == newest)
    made = _generate(node_id, host, now, with_root=False)
    files = {name: content for name, content in _encode(made, secrets_).items() if name in ROTATED}
    listed = {**index, "files": {name: _mac(secrets_, name, content) for name, content in files.items()}}
    write_folder(folder / f"{newest + 1}", {**files, _INDEX: canonical_bytes(listed)})
    return _generation(folder, newest + 1, secrets_)


def use_generation(folder: Path, passphrase: bytes, number: int) -> None:
    """From now on these keys sign, and are on the card. What peers see in TLS stays until `show_generation`."""
    _, secrets_ = _open_index(folder, passphrase)
    shown = _use_numbers(folder, secrets_, [1, *_later(folder)]).shown
    _write_use(folder, secrets_, _Use(current=number, shown=shown))


def show_generation(folder: Path, passphrase: bytes) -> bool:
    """From now on peers see the certificate of the keys in use; False if they do already."""
    _, secrets_ = _open_index(folder, passphrase)
    use = _use_numbers(folder, secrets_, [1, *_later(folder)])
    if use.shown == use.current:
        return False
    _write_use(folder, secrets_, _Use(current=use.current, shown=use.current))
    return True


def _later(folder: Path) -> list[int]:
    return sorted(int(path.name) for path in folder.iterdir() if path.is_dir() and path.name.isdigit())


def _generation(folder: Path, number: int, secrets_: _Secrets) -> Generation:
    home = folder / str(number)
    files = _checked(home, _read_index(home), secrets_, ROTATED)
    opened = _opened(secrets_, files)
    return Generation(
        number=number, signing=cast("Ed25519PrivateKey", opened["signing.pem"]), sealing=_sealing(opened),
        tls=cast("ec.EllipticCurvePrivateKey", opened["tls.pem"]),
        tls_certificate=files[_CERTIFICATE].decode("ascii"),
    )  # fmt: skip


def _use(folder: Path, secrets_: _Secrets, every: Sequence[Generation]) -> _Use:
    return _use_numbers(folder, secrets_, [one.number for one in every])


def _use_numbers(folder: Path, secrets_: _Secrets, there: Sequence[int]) -> _Use:
    file = folder / _USE
    if not file.exists():
        return _Use(current=1, shown=1)
    try:
        found = parse_strict(_read(file), max_bytes=1024)
        use = _Use(current=int(found["current"]), shown=int(found["shown"]))
        right = hmac.compare_digest(_use_mac(secrets_, use), str(found["mac"]))
    except (InputError, KeyError, TypeError, ValueError) as error:
        raise ChangedKeys(f"expected which keys are in use: {error}", where=str(file)) from error
    if not right or not {use.current, use.shown} <= set(there):
        raise ChangedKeys("expected the file as it was written, got another", where=str(file))
    return use


def _shown(folder: Path, secrets_: _Secrets) -> tuple[Path, Sequence[str]]:
    """The folder of the certificate that peers see, and the files to check in it."""
    number = _use_numbers(folder, secrets_, [1, *_later(folder)]).shown
    return (folder if number == 1 else folder / str(number)), ("tls.pem", _CERTIFICATE)


def _write_use(folder: Path, secrets_: _Secrets, use: _Use) -> None:
    value = {"current": use.current, "shown": use.shown, "mac": _use_mac(secrets_, use)}
    write_durably(folder / _USE, canonical_bytes(value))


def _use_mac(secrets_: _Secrets, use: _Use) -> str:
    return _mac(secrets_, _USE, f"{use.current} {use.shown}".encode())


def _open_index(folder: Path, passphrase: bytes) -> tuple[dict[str, Any], _Secrets]:
    """The index of the keys and what the passphrase becomes; `WrongPassphrase` if it is another."""
    index = _read_index(folder)
    secrets_ = _derive(passphrase, bytes.fromhex(index["salt"]))
    if not hmac.compare_digest(_mac(secrets_, "passphrase", b""), index["passphrase_check"]):
        raise WrongPassphrase("expected the passphrase these keys were created with", where=str(folder))
    return index, secrets_


def _checked(
    folder: Path, index: Mapping[str, Any], secrets_: _Secrets, names: Sequence[str]
) -> dict[str, bytes]:
    """These files, each checked against its HMAC before anything in it is parsed."""
    files = {name: _read(folder / name) for name in names}
    for name, content in files.items():
        if not hmac.compare_digest(_mac(secrets_, name, content), str(index["files"].get(name))):
            raise ChangedKeys("expected the file as it was written, got another", where=str(folder / name))
    return files


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


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
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
