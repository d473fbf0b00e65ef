"""The trust register: the file as it came, and each role's metadata changed and signed anew by who may sign it."""

import json
from typing import Any

from comity.exchange.register.bundle import read_bundle
from comity.exchange.register.read import read_compact, verify_register
from tests.fuzz.engine import Target
from tests.vectors.forger import encoded
from tests.vectors.register_forger import Forged, signed_by


def register_targets() -> list[Target]:
    whole = Forged().bundle()
    return [
        Target(name="register bundle", samples=[whole], read=read_bundle, weight=0.2),
        Target(name="register", samples=[whole], read=read_compact, weight=0.15),
        *(_role(role) for role in ("root", "targets", "ca", "snapshot", "timestamp")),
        Target(
            name="register description", samples=[Forged().targets["compact.json"]], weight=0.1,
            read=lambda raw: read_compact(described(raw)),
        ),
    ]  # fmt: skip


def described(raw: bytes) -> bytes:
    """A bundle is text: other bytes never get that far."""
    forged = Forged()
    forged.targets["compact.json"] = raw.decode("utf-8", "replace").encode()
    return forged.bundle()


def _role(role: str) -> Target:
    sample = json.loads(
        next(content for path, content in Forged().files().items() if path.endswith(_file(role)))
    )

    def read(raw: bytes) -> object:
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            return "no JSON"
        return verify_register(_files(role, value)) if isinstance(value, dict) else "no object"

    return Target(name=f"register {role}", samples=[encoded(sample["signed"])], read=read, weight=0.1)


def _file(role: str) -> str:
    return "timestamp.json" if role == "timestamp" else f".{role}.json"


def _files(role: str, value: dict[str, Any]) -> dict[str, bytes]:
    """The register with this content for `role`, signed by who should, and told by whoever tells of it."""

    def replaced(content: dict[str, Any]) -> None:
        content.clear()
        content.update(value)

    try:
        return Forged(change={role: replaced}).files()
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        files = Forged().files()
        path = next(path for path in files if path.endswith(_file(role)))
        return {**files, path: signed_by({}, [])}
