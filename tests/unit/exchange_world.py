"""The members of the test vectors as the product sees them, and messages between them."""

import hashlib
import json
import random
from base64 import urlsafe_b64decode
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from comity.exchange import NO_PREVIOUS, Addressee, Compact, Message, Packed, Requester, pack, read_compact
from comity.exchange.envelope import Opened, unpack
from comity.model import Handling, Permission
from comity.proofs.sealing import Randomness, SealingKey
from tests.vectors.forger import CANADA, HONG_KONG, NOW, Identity
from tests.vectors.register_forger import compact_document

VECTORS = Path(__file__).parents[2] / "spec" / "vectors"


@cache
def compact() -> Compact:
    return read_compact(compact_document())


def sealing_key(identity: Identity) -> SealingKey:
    return SealingKey(mlkem=identity.mlkem, x25519=identity.x25519)


def seeded(seed: int) -> Randomness:
    return random.Random(seed).randbytes


def message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "id": "message-0001", "type": "trace_and_hold.request", "case_id": "case-77",
        "purpose": "tracing stolen money", "legal_basis": "UNTOC art. 18",
        "handling": Handling(
            originators=(CANADA.id,), audience=(HONG_KONG.id,), purposes=("tracing stolen money",),
            actions={"read": Permission.ALLOW, "contact_subject": Permission.DENY},
        ),
        "issued": NOW, "expires": NOW + timedelta(hours=72), "in_reply_to": "",
        "requester": Requester(id=CANADA.id, actor="policy"),
        "payload": {"transfers": ["T-1"], "amount_minor": 230_000_000},
    }  # fmt: skip
    return Message(**{**fields, **changes})


def addressed(*recipients: Identity, sequence: int = 1, previous: str = NO_PREVIOUS) -> list[Addressee]:
    return [
        Addressee(member=compact().member(one.id), sequence=sequence, previous=previous) for one in recipients
    ]


def packed(
    said: Message | None = None, *recipients: Identity, sender: Identity = CANADA, **more: Any
) -> Packed:
    to = addressed(
        *(recipients or (HONG_KONG,)), **{k: more.pop(k) for k in ("sequence", "previous") if k in more}
    )
    return pack(
        said or message(requester=Requester(id=sender.id, actor="policy")),
        compact=compact().name,
        sender=compact().member(sender.id),
        signing_key=sender.signing,
        addressees=to,
        random=more.pop("random", seeded(1)),
        **more,
    )


def opened_by(reader: Identity, wire: bytes, **more: Any) -> Opened:
    arguments: dict[str, Any] = {
        "compacts": {compact().name: compact()}, "own_id": reader.id, "sealing_keys": [sealing_key(reader)],
        "now": NOW,
    }  # fmt: skip
    return unpack(wire, **{**arguments, **more})


def vectors(group: str) -> list[Any]:
    """(name, expected code, wire) of every vector file of a format."""
    found = []
    for path in sorted((VECTORS / group).glob("*.json")):
        vector = json.loads(path.read_text(encoding="utf-8"))
        wire = urlsafe_b64decode(vector["wire"] + "=" * (-len(vector["wire"]) % 4))
        found.append(pytest.param(vector["expect"], wire, id=path.stem))
    assert found, f"no vectors in {VECTORS / group}"
    return found


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
