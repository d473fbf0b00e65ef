"""A node's keys, one a purpose: made, written once, and read back from their files."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from comity.backends.keys.sealed_files import (
    INDEX,
    KeysMissing,
    Private,
    Secrets,
    derive,
    mac_of,
    opened_keys,
    refuse_occupied,
    sealed_pem,
    write_folder,
)
from comity.backends.node_certificate import certify
from comity.errors import InputError
from comity.proofs.canonical import canonical_bytes
from comity.proofs.sealing import SealingKey
from comity.proofs.signatures import public_bytes

CERTIFICATE = "tls.crt"
FILES = (
    "signing.pem",
    "sealing-mlkem768.pem",
    "sealing-x25519.pem",
    "log.pem",
    "witness.pem",
    "online.pem",
    "tls.pem",
    CERTIFICATE,
)
ROOT = "root.pem"
"""Only where the state's key is not kept on a medium of its own."""
ROTATED = ("signing.pem", "sealing-mlkem768.pem", "sealing-x25519.pem", "tls.pem", CERTIFICATE)
"""What a rotation makes anew; the rest are a node's name in logs and registers, and stay."""


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
        found = next((key for key in every if public_bytes(key) == public), None)
        if found is None:
            raise KeysMissing("expected the signing key on this node's card, found others")
        return found


def create_keys(
    folder: Path, *, node_id: str, host: str, passphrase: bytes, now: datetime, with_root: bool = True
) -> NodeKeys:
    """Make new keys in `folder` (0700, files 0600), all or nothing; `KeysExist` if anything is there.

    `host` is the name or IP address that peers reach the node at, besides localhost and 127.0.0.1. Without
    `with_root` the state's key is kept elsewhere (`root_key_file`).
    """
    if not passphrase:
        raise InputError.because(expected="a passphrase for the keys", got="none")
    refuse_occupied(folder)
    keys = make_keys(node_id, host, now, with_root)
    salt = secrets.token_bytes(16)
    files = encode(keys, secret := derive(passphrase, salt))
    index = {
        "v": 1,
        "salt": salt.hex(),
        "passphrase_check": mac_of(secret, "passphrase", b""),
        "files": {name: mac_of(secret, name, content) for name, content in files.items()},
    }
    write_folder(folder, {**files, INDEX: canonical_bytes(index)})
    return keys


def make_keys(node_id: str, host: str, now: datetime, with_root: bool) -> NodeKeys:
    """New keys, in memory only."""
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


def encode(keys: NodeKeys, secret: Secrets) -> dict[str, bytes]:
    """The files of these keys by name: private ones sealed."""
    private: dict[str, Private] = {
        "signing.pem": keys.signing, "sealing-mlkem768.pem": keys.sealing.mlkem,
        "sealing-x25519.pem": keys.sealing.x25519, "log.pem": keys.log, "witness.pem": keys.witness,
        "online.pem": keys.online, "tls.pem": keys.tls,
    }  # fmt: skip
    if keys.root is not None:
        private[ROOT] = keys.root
    files = {name: sealed_pem(key, secret) for name, key in private.items()}
    return {**files, CERTIFICATE: keys.tls_certificate.encode("ascii")}


def decode(secret: Secrets, files: Mapping[str, bytes]) -> NodeKeys:
    """The HMACs hold, so each file is the key that `encode` wrote under its name."""
    opened = opened_keys(secret, files)
    return NodeKeys(
        signing=cast("Ed25519PrivateKey", opened["signing.pem"]), sealing=sealing_key(opened),
        log=cast("Ed25519PrivateKey", opened["log.pem"]),
        witness=cast("Ed25519PrivateKey", opened["witness.pem"]),
        root=cast("Ed25519PrivateKey | None", opened.get(ROOT)),
        online=cast("Ed25519PrivateKey", opened["online.pem"]),
        tls=cast("ec.EllipticCurvePrivateKey", opened["tls.pem"]),
        tls_certificate=files[CERTIFICATE].decode("ascii"),
    )  # fmt: skip


def sealing_key(opened: Mapping[str, object]) -> SealingKey:
    """The two halves of the hybrid key, of files whose HMACs hold."""
    return SealingKey(
        mlkem=cast("MLKEM768PrivateKey", opened["sealing-mlkem768.pem"]),
        x25519=cast("X25519PrivateKey", opened["sealing-x25519.pem"]),
    )
