"""The directory of a stand-alone witness: its sealed key, what it has seen, what it found wrong.

witness.json   name, public key and sealed private key      witness.db    logs, newest checkpoints, evidence
passphrase     what opens the key when the environment does not say so (better kept elsewhere)
misconduct/    proofs that a log told two stories, one file each (`comity log misconduct FILE` checks them)

The private key is sealed with ChaCha20-Poly1305 under Argon2id (RFC 9106 §4, second choice) of the passphrase, bound
to name and public key. A witness that lost `witness.db` must not run again under the same key: it could cosign a
second tree of a size it has cosigned. So only `create` makes that file.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from comity.backends.files import create_durably, write_durably
from comity.backends.witness_store import WitnessRecords, create_records
from comity.errors import Conflict, InputError, NotFound, StorageError, TrustError
from comity.proofs.canonical import canonical_bytes, parse_strict
from comity.proofs.cosignature import cosigner_of
from comity.proofs.note import KeySigner, VerifierKey

_KEY = "witness.json"
_RECORDS = "witness.db"
_PASSPHRASE = "passphrase"  # noqa: S105 - the name of the file
_MISCONDUCT = "misconduct"
_LOST = (
    "Restore the directory from a backup that is not older than its last cosignature. If there is none, retire this "
    "witness: tell the logs, and make a new one under a new name."
)


class NoWitness(NotFound):
    """This is not a witness's directory, or not a whole one."""

    code = "witness.missing"
    remedy = "Create a witness: comity witness init DIR --name NAME"


class SealedKey(TrustError):
    """The witness's key does not open."""

    code = "witness.key"
    remedy = "Give the passphrase the witness was created with, or restore witness.json from a backup."


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessFolder:
    """An opened witness."""

    path: Path
    name: str
    key: VerifierKey
    records: WitnessRecords

    def signer(self, passphrase: bytes | None) -> KeySigner:
        """Unseal the key, with `passphrase` or with the file beside it; `SealedKey` if it does not open."""
        index = _read_index(self.path)
        secret = passphrase or _stored_passphrase(self.path)
        key = ChaCha20Poly1305(_stretch(secret, bytes.fromhex(index["salt"])))
        try:
            raw = key.decrypt(
                bytes.fromhex(index["nonce"]), bytes.fromhex(index["sealed"]), _bound(self.name, self.key)
            )
        except (InvalidTag, ValueError) as error:
            raise SealedKey(
                "expected the passphrase and the file this witness was created with",
                where=str(self.path / _KEY),
            ) from error
        signer = KeySigner(self.name, Ed25519PrivateKey.from_private_bytes(raw))
        if cosigner_of(signer) != self.key:
            raise SealedKey("expected the key that is named beside it", where=str(self.path / _KEY))
        return signer

    def keep_misconduct(self, name: str, content: bytes) -> Path:
        """Lay down a proof under `misconduct/`, durably; one that is there stays."""
        folder = self.path / _MISCONDUCT
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageError(f"the disk refused: {error}", where=str(folder)) from error
        file = folder / name
        if not file.exists():
            write_durably(file, content)
        return file


def create_witness(folder: Path, name: str, passphrase: bytes | None) -> WitnessFolder:
    """Make a new witness in a new or empty directory; a passphrase is made and kept there if none is given."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict.because(expected="a directory that is new or empty", got=str(folder))
    private = Ed25519PrivateKey.generate()
    key = cosigner_of(KeySigner(name, private))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StorageError(f"the disk refused: {error}", where=str(folder)) from error
    secret = passphrase
    if secret is None:
        secret = secrets.token_urlsafe(24).encode()
        _write_private(folder / _PASSPHRASE, secret + b"\n")
    create_records(folder / _RECORDS)
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = ChaCha20Poly1305(_stretch(secret, salt)).encrypt(
        nonce, private.private_bytes_raw(), _bound(name, key)
    )
    index = {
        "v": 1, "name": name, "key": str(key), "salt": salt.hex(), "nonce": nonce.hex(), "sealed": sealed.hex(),
    }  # fmt: skip
    _write_private(folder / _KEY, canonical_bytes(index) + b"\n")  # last: only now is it a witness
    return open_witness(folder)


def open_witness(folder: Path) -> WitnessFolder:
    """Open a witness without its private key; `NoWitness` if anything of it is missing."""
    index = _read_index(folder)
    if not (folder / _RECORDS).is_file():
        raise NoWitness(
            "expected what this witness has seen (witness.db), found none", where=str(folder), remedy=_LOST
        )
    key = VerifierKey.parse(index["key"])
    return WitnessFolder(path=folder, name=index["name"], key=key, records=WitnessRecords(folder / _RECORDS))


def _read_index(folder: Path) -> dict[str, Any]:
    file = folder / _KEY
    try:
        found = parse_strict(file.read_bytes(), max_bytes=16 * 1024)
    except FileNotFoundError as error:
        raise NoWitness.because(expected="the directory of a witness", got=str(folder)) from error
    except OSError as error:
        raise StorageError(f"it could not be read: {error.strerror}", where=str(file)) from error
    if (
        not isinstance(found, dict)
        or found.get("v") != 1
        or not all(isinstance(found.get(name), str) for name in ("name", "key", "salt", "nonce", "sealed"))
    ):
        raise InputError.because(
            expected="what `comity witness init` wrote", got="something else", where=str(file)
        )
    return found


def _stored_passphrase(folder: Path) -> bytes:
    try:
        return (folder / _PASSPHRASE).read_bytes().strip()
    except OSError as error:
        raise SealedKey("expected a passphrase in COMITY_PASSPHRASE, got none", where=str(folder)) from error


def _stretch(passphrase: bytes, salt: bytes) -> bytes:
    return hash_secret_raw(
        passphrase, salt, time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, type=Type.ID
    )


def _bound(name: str, key: VerifierKey) -> bytes:
    return canonical_bytes({"name": name, "key": str(key)})


def _write_private(file: Path, content: bytes) -> None:
    """0600 from the first byte on, and never over another's: two may be making a witness here at once."""
    try:
        create_durably(file, content, mode=0o600)
    except FileExistsError as error:
        raise Conflict.because(expected="a directory that nobody else writes to", got=str(file)) from error
