"""The key of a victims' vault: one file, opened by a passphrase of its own; and what is sealed under it.

`vault.key` is JSON: salt, a check of the passphrase, and the vault's key (256 random bits), sealed with AES-256-GCM
under what Argon2id (as in `keys.sealed_files`) makes of passphrase and salt. Two keys are derived from the vault's with
HKDF (RFC 5869): one wraps data keys, one finds pseudonyms. Each person's record is sealed under a data key of its own:
destroying that one wrapped key destroys the record (NIST SP 800-88 §2.6, cryptographic erase). Format: spec/vault.md.

Protects a vault at rest from whoever has all its files, and the node's, without its passphrase.
"""

import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from comity.backends.files import create_durably
from comity.backends.keys import ChangedKeys, KeysExist, KeysMissing, WrongPassphrase
from comity.backends.keys.sealed_files import Secrets, derive, mac_of, read_file
from comity.errors import InputError, StorageError, TrustError
from comity.proofs.canonical import canonical_bytes, parse_strict

NONCE_BYTES = 12
KEY_BYTES = 32
SALT_BYTES = 16
SHORTEST_PASSPHRASE = 12


class ChangedRecord(TrustError):
    """A sealed record is not the one that this vault wrote there."""

    code = "vault.changed"
    remedy = "Restore the vault from its own backup, and find out who or what changed it."


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VaultKeys:
    """An opened vault. `id` binds whatever is sealed to this vault; only ever in memory."""

    id: str
    wrapping: bytes
    finding: bytes

    def mark_of(self, pseudonym: str) -> bytes:
        """Under what a pseudonym is found: without the key nobody can tell which one it is."""
        return hmac.digest(self.finding, pseudonym.encode(), "sha256")

    def new_data_key(self, person: str) -> tuple[bytes, bytes]:
        """A data key for one person: itself, and wrapped to be kept."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, _seal(self.wrapping, key, f"comity-vault-data-key/1|{self.id}|{person}")

    def open_data_key(self, wrapped: bytes, person: str) -> bytes:
        return _open(self.wrapping, wrapped, f"comity-vault-data-key/1|{self.id}|{person}")

    def seal(self, data_key: bytes, content: bytes, person: str, version: int) -> bytes:
        return _seal(data_key, content, f"comity-vault-record/1|{self.id}|{person}|{version}")

    def open(self, data_key: bytes, sealed: bytes, person: str, version: int) -> bytes:
        """The record's bytes; `ChangedRecord` if they are another person's, another version's, or changed."""
        return _open(data_key, sealed, f"comity-vault-record/1|{self.id}|{person}|{version}")


def create_vault_key(file: Path, passphrase: bytes) -> VaultKeys:
    """Make a new key in `file` (0600); `KeysExist` if there is anything already."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise InputError.because(
            expected=f"a passphrase of the vault's own, of {SHORTEST_PASSPHRASE} characters or more",
            got=f"{len(passphrase)}",
        )
    vault, key, salt = (
        f"vault-{secrets.token_hex(16)}",
        secrets.token_bytes(KEY_BYTES),
        secrets.token_bytes(SALT_BYTES),
    )
    secret = derive(passphrase, salt)
    content = {
        "v": 1, "vault": vault, "salt": salt.hex(), "passphrase_check": mac_of(secret, "vault", vault.encode()),
        "key": _seal(_opening(secret), key, f"comity-vault-key/1|{vault}").hex(),
    }  # fmt: skip
    try:
        create_durably(file, canonical_bytes(content), mode=0o600)
    except FileExistsError as error:
        raise KeysExist.because(expected="no key yet", got=str(file)) from error
    return _derived(vault, key)


def read_vault_key(file: Path, passphrase: bytes) -> VaultKeys:
    """Open the key; `KeysMissing`, `WrongPassphrase` or `ChangedKeys`."""
    try:
        found = parse_strict(read_file(file), max_bytes=4096, where=str(file))
        vault, salt = str(found["vault"]), bytes.fromhex(found["salt"])
        check, sealed, version = str(found["passphrase_check"]), bytes.fromhex(found["key"]), found["v"]
    except (KeysMissing, StorageError):
        raise
    except (InputError, KeyError, TypeError, ValueError) as error:
        raise ChangedKeys("expected the key of a vault as it was written", where=str(file)) from error
    if version != 1 or len(salt) != SALT_BYTES:
        raise ChangedKeys("expected version 1 and a salt of 16 bytes", where=str(file))
    secret = derive(passphrase, salt)
    if not hmac.compare_digest(mac_of(secret, "vault", vault.encode()), check):
        raise WrongPassphrase("expected the passphrase of the victims' vault", where=str(file))
    try:
        key = _open(_opening(secret), sealed, f"comity-vault-key/1|{vault}")
    except ChangedRecord as error:
        raise ChangedKeys("expected the key as it was written, got another", where=str(file)) from error
    return _derived(vault, key)


def _opening(secret: Secrets) -> bytes:
    """The 32 bytes that `derive` gives as a password, in hex."""
    return bytes.fromhex(secret.password.decode())


def _derived(vault: str, key: bytes) -> VaultKeys:
    def part(name: str) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, vault.encode(), f"comity-vault/1 {name}".encode()).derive(key)

    return VaultKeys(id=vault, wrapping=part("wrapping"), finding=part("finding"))


def _seal(key: bytes, content: bytes, bound_to: str) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, bound_to.encode())


def _open(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise ChangedRecord("expected what this vault sealed, got something else") from error
