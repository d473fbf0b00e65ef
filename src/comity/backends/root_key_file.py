"""A state's register key in a file of its own, for an offline medium: encrypted, and whole or not there.

The file needs nothing else: Argon2id (as in `keys.sealed_files`) makes the password of the PKCS#8 from the passphrase
and the salt beside it. Several nodes of one state are founded with the same file.
"""

import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from comity.backends.files import create_durably
from comity.backends.keys import KeysExist, KeysMissing, WrongPassphrase, derive_password
from comity.errors import InputError
from comity.exchange.fields import read_object
from comity.proofs.canonical import canonical_bytes


def create_root_key(file: Path, passphrase: bytes) -> Ed25519PrivateKey:
    """Make a new key in `file` (0600); `KeysExist` if there is anything already."""
    if not passphrase:
        raise InputError.because(expected="a passphrase for the state's key", got="none")
    if file.exists():
        raise KeysExist.because(expected="a file that does not exist", got=str(file))
    key, salt = Ed25519PrivateKey.generate(), secrets.token_bytes(16)
    encryption = serialization.BestAvailableEncryption(derive_password(passphrase, salt))
    pem = key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    content = canonical_bytes({"v": 1, "salt": salt.hex(), "key": pem.decode("ascii")})
    try:
        create_durably(file, content, mode=0o600)
    except FileExistsError as error:
        raise KeysExist.because(expected="a file that does not exist", got=str(file)) from error
    return key


def read_root_key(file: Path, passphrase: bytes) -> Ed25519PrivateKey:
    """Open the key in `file`, or raise `KeysMissing`, `WrongPassphrase` or `Malformed`."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise KeysMissing(f"expected the state's key: {error.strerror}", where=str(file)) from error
    fields = read_object(content, where=str(file), max_bytes=16 * 1024)
    fields.integer("v", least=1, most=1)
    try:
        password = derive_password(passphrase, bytes.fromhex(str(fields.values["salt"])))
        key = serialization.load_pem_private_key(str(fields.values["key"]).encode(), password)
    except (KeyError, ValueError, TypeError) as error:
        raise WrongPassphrase(
            "expected the passphrase this key was created with, and the file unchanged", where=str(file)
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError.because(expected="an Ed25519 key", got=type(key).__name__, where=str(file))
    return key
