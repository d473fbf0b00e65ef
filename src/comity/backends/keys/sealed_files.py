"""A folder of encrypted key files: how it is sealed, checked and written, whatever the keys are.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from comity.backends.files import created, sync_folder
from comity.errors import Conflict, InputError, NotFound, StorageError, TrustError
from comity.proofs.canonical import parse_strict

INDEX = "keys.json"
Private = Ed25519PrivateKey | MLKEM768PrivateKey | X25519PrivateKey | ec.EllipticCurvePrivateKey


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
class Secrets:
    """What the passphrase becomes. Only ever in memory."""

    password: bytes
    mac: bytes


@lru_cache(maxsize=4)
def derive(passphrase: bytes, salt: bytes) -> Secrets:
    """Slow on purpose, so done once a process: what it gives stays in memory, as the keys themselves do."""
    raw = hash_secret_raw(
        passphrase, salt, time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=64, type=Type.ID
    )
    return Secrets(password=raw[:32].hex().encode(), mac=raw[32:])


def derive_password(passphrase: bytes, salt: bytes) -> bytes:
    """What opens a PKCS#8 file that was written with this passphrase and salt."""
    return derive(passphrase, salt).password


def mac_of(secret: Secrets, name: str, content: bytes) -> str:
    """HMAC-SHA-256 of a file under its name, in hex: no two files can change places."""
    return hmac.new(secret.mac, name.encode() + b"\0" + content, "sha256").hexdigest()


def sealed_pem(key: Private, secret: Secrets) -> bytes:
    """The key as encrypted PKCS#8."""
    encryption = serialization.BestAvailableEncryption(secret.password)
    return key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def opened_keys(secret: Secrets, files: Mapping[str, bytes]) -> dict[str, object]:
    """The private keys in these files, which were `checked`."""
    return {
        name: serialization.load_pem_private_key(content, secret.password)
        for name, content in files.items()
        if name.endswith(".pem")
    }


def open_index(folder: Path, passphrase: bytes) -> tuple[dict[str, Any], Secrets]:
    """The index of the keys and what the passphrase becomes; `WrongPassphrase` if it is another."""
    index = read_index(folder)
    secret = derive(passphrase, bytes.fromhex(index["salt"]))
    if not hmac.compare_digest(mac_of(secret, "passphrase", b""), index["passphrase_check"]):
        raise WrongPassphrase("expected the passphrase these keys were created with", where=str(folder))
    return index, secret


def checked(
    folder: Path, index: Mapping[str, Any], secret: Secrets, names: Sequence[str]
) -> dict[str, bytes]:
    """These files, each checked against its HMAC before anything in it is parsed."""
    files = {name: read_file(folder / name) for name in names}
    for name, content in files.items():
        if not hmac.compare_digest(mac_of(secret, name, content), str(index["files"].get(name))):
            raise ChangedKeys("expected the file as it was written, got another", where=str(folder / name))
    return files


def read_index(folder: Path) -> dict[str, Any]:
    """`keys.json` in its form, not yet checked; `KeysMissing` or `ChangedKeys`."""
    path = folder / INDEX
    try:
        index = parse_strict(read_file(path), max_bytes=16 * 1024)
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


def read_file(path: Path) -> bytes:
    """The bytes as they are; `KeysMissing` if there are none, `StorageError` if they cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise KeysMissing("expected a key file, found none", where=str(path)) from error
    except OSError as error:
        raise StorageError(f"expected a readable key file: {error.strerror}", where=str(path)) from error


def refuse_occupied(folder: Path) -> None:
    """Raise `KeysExist` if there is anything at all in `folder`."""
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
            with created(partial / name) as file:
                file.write(content)
        sync_folder(partial)
        os.rename(partial, folder)  # replaces an empty folder, and fails on any other
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        refuse_occupied(folder)  # somebody else created keys meanwhile: say that
        raise KeysUnwritable(f"expected to write the keys: {error.strerror}", where=str(folder)) from error
