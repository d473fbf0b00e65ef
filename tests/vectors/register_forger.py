"""Write registers as spec/register.md says, and as it says one must not. Imports nothing of the product, nor TUF.

`Forged` holds the unsigned content of each role; every field can be made wrong before `bundle` signs it.
"""

import datetime
import json
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.forger import (
    CANADA,
    COMPACT,
    MEMBERS,
    NOW,
    Identity,
    encoded,
    instant,
    public_of,
    sha256,
)

FORMED = NOW - datetime.timedelta(days=30)
SIGNED = NOW - datetime.timedelta(hours=1)
"""When the timestamp of the vectors was signed."""
BINDING = f"{COMPACT} {instant(FORMED)}"
DESCRIPTION = {
    "name": COMPACT, "problem": "Stolen payments that cross the Mekong region", "formed_at": instant(FORMED),
}  # fmt: skip


def day(at: datetime.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def key_of(key: Ed25519PrivateKey) -> dict[str, Any]:
    return {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public_of(key).hex()}}


def key_id(key: Ed25519PrivateKey) -> str:
    return sha256(encoded(key_of(key)))


def signed_by(signed: dict[str, Any], keys: Iterable[Ed25519PrivateKey]) -> bytes:
    """A metadata file: the canonical JSON of `signed` is what is signed."""
    signatures = [{"keyid": key_id(key), "sig": key.sign(encoded(signed)).hex()} for key in keys]
    return encoded({"signatures": sorted(signatures, key=lambda one: one["keyid"]), "signed": signed})


@dataclass
class Forged:
    """A register about to be signed. `cards` are (path, card, validity); the rest is metadata by role."""

    members: Sequence[Identity] = MEMBERS
    threshold: int = 3
    signed_at: datetime.datetime = SIGNED
    binding: str = BINDING
    version: int = 1
    cards: dict[str, list[tuple[str, str, dict[str, Any]]]] = field(default_factory=dict)
    targets: dict[str, bytes] = field(default_factory=dict)
    signers: dict[str, list[Ed25519PrivateKey]] = field(default_factory=dict)
    """Role → who signs it, where it is not who should."""
    change: dict[str, Callable[[dict[str, Any]], None]] = field(default_factory=dict)
    """Role → what is done to its content before it is signed."""
    after: Callable[[dict[str, bytes]], None] | None = None
    """What is done to the files at the end."""

    def __post_init__(self) -> None:
        for one in self.members:
            validity = {"valid_from": instant(FORMED), "retired_at": None, "revoked_at": None, "reason": ""}
            path = f"{self.role(one)}/{one.id}/1.card.jws"
            self.cards.setdefault(self.role(one), []).append((path, one.card(), validity))
        self.targets["compact.json"] = encoded(DESCRIPTION)

    @staticmethod
    def role(one: Identity) -> str:
        return one.jurisdiction.lower()

    @property
    def states(self) -> dict[str, Ed25519PrivateKey]:
        return {self.role(one): one.root for one in sorted(self.members, key=lambda one: one.jurisdiction)}

    @property
    def online(self) -> list[Ed25519PrivateKey]:
        return [one.online for one in self.members]

    def files(self) -> dict[str, bytes]:
        states, files = self.states, {}
        for path, content in self.targets.items():
            files[f"targets/{sha256(content)}.{path}"] = content
        written = {"root": self._write("root", self._root(), [*states.values()])}
        files["metadata/1.root.json"] = written["root"]
        roles = {"targets": self._write("targets", self._targets(), [*states.values()])}
        for role, key in states.items():
            listed = {}
            for path, card, validity in self.cards[role]:
                folder, _, name = path.rpartition("/")
                files[f"targets/{folder}/{sha256(card.encode())}.{name}"] = card.encode()
                listed[path] = {**_file(card.encode()), "custom": validity}
            roles[role] = self._write(role, {**self._common("targets", 700), "targets": listed}, [key])
        meta = {f"{role}.json": _meta(content) for role, content in roles.items()}
        for role, content in roles.items():
            files[f"metadata/{_version(content)}.{role}.json"] = content
        stamp = int(self.signed_at.timestamp())
        snapshot = self._write(
            "snapshot", {**self._common("snapshot", 700), "version": stamp, "meta": meta}, self.online
        )
        files[f"metadata/{_version(snapshot)}.snapshot.json"] = snapshot
        timestamp = {
            **self._common("timestamp", 1), "version": stamp, "meta": {"snapshot.json": _meta(snapshot)},
        }  # fmt: skip
        files["metadata/timestamp.json"] = self._write("timestamp", timestamp, self.online)
        if self.after is not None:
            self.after(files)
        return files

    def bundle(self, **more: Any) -> bytes:
        texts = {path: content.decode() for path, content in self.files().items()}
        return encoded({"v": 2, "files": texts, **more})

    def _write(self, role: str, signed: dict[str, Any], keys: list[Ed25519PrivateKey]) -> bytes:
        content = deepcopy(signed)
        if role in self.change:
            self.change[role](content)
        return signed_by(content, self.signers.get(role, keys))

    def _common(self, kind: str, days: int) -> dict[str, Any]:
        return {
            "_type": kind, "version": self.version, "spec_version": "1.0.31", "comity_compact": self.binding,
            "expires": day(self.signed_at + datetime.timedelta(days=days)),
        }  # fmt: skip

    def _root(self) -> dict[str, Any]:
        together = [key_id(key) for key in self.states.values()]
        nodes = sorted(key_id(key) for key in self.online)
        keys = {key_id(key): key_of(key) for key in [*self.states.values(), *self.online]}
        return {
            **self._common("root", 700), "version": 1, "consistent_snapshot": True, "keys": keys,
            "roles": {
                "root": {"keyids": together, "threshold": self.threshold},
                "targets": {"keyids": together, "threshold": self.threshold},
                "snapshot": {"keyids": nodes, "threshold": 1},
                "timestamp": {"keyids": nodes, "threshold": 1},
            },
        }  # fmt: skip

    def _targets(self) -> dict[str, Any]:
        roles = [
            {
                "name": role,
                "keyids": [key_id(key)],
                "threshold": 1,
                "terminating": True,
                "paths": [f"{role}/*/*"],
            }
            for role, key in self.states.items()
        ]
        listed = {path: _file(content) for path, content in self.targets.items()}
        keys = {key_id(key): key_of(key) for key in self.states.values()}
        return {
            **self._common("targets", 700), "targets": listed, "delegations": {"keys": keys, "roles": roles},
        }  # fmt: skip


def compact_document(cards: dict[str, str] | None = None, **changes: Any) -> bytes:
    """The bundle of the vectors' compact; `cards` replaces members' cards by id."""
    forged = Forged(**changes)
    for listed in forged.cards.values():
        listed[:] = [
            (path, (cards or {}).get(path.split("/")[1], card), validity) for path, card, validity in listed
        ]
    return forged.bundle()


def canada_rotates(overlap: datetime.timedelta, **changes: Any) -> Forged:
    """Canada's first card retires after `overlap`; its second one has another signing key."""
    forged = Forged(**changes)
    path, card, validity = forged.cards["ca"][0]
    retiring = {**validity, "retired_at": instant(SIGNED + overlap)}
    forged.cards["ca"] = [(path, card, retiring), (path.replace("/1.", "/2."), second_card(), validity)]
    return forged


def second(one: Identity = CANADA) -> Identity:
    """The same member with new keys."""
    return Identity(
        id=one.id, name=one.name, jurisdiction=one.jurisdiction, covers=one.covers, port=one.port,
        oversight=one.oversight, seed=f"{one.id} second",
    )  # fmt: skip


def second_card(one: Identity = CANADA) -> str:
    return second(one).card()


def _file(content: bytes) -> dict[str, Any]:
    return {"length": len(content), "hashes": {"sha256": sha256(content)}}


def _meta(content: bytes) -> dict[str, Any]:
    return {"version": _version(content), **_file(content)}


def _version(content: bytes) -> int:
    return int(json.loads(content)["signed"]["version"])
