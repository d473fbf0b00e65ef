"""A member that does not keep to anything: it holds its own real keys, and says what it likes with them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from comity.exchange import NO_PREVIOUS, Addressee, Message, Packed, Requester, Result, envelope, pack
from comity.model import ACTIONS, Handling, Permission
from comity.node.bootstrap import Node
from comity.proofs.canonical import canonical_bytes
from tests.nodes.town import Town
from tests.nodes.wires import Carried

RAW = "raw bytes instead of a payload"


@dataclass
class Hostile:
    """`member` is whose keys it has. Keeps the chain to each victim, so that what it says is taken seriously."""

    town: Town
    member: str

    def __post_init__(self) -> None:
        self._sequence: dict[str, int] = {}
        self._previous: dict[str, str] = {}
        self._count = 0

    @property
    def node(self) -> Node:
        return self.town[self.member]

    def start_after(self, victim: str) -> None:
        """Go on where the honest node had come to."""
        with self.node.records.reading() as tx:
            self._sequence[victim], self._previous[victim] = tx.outbox.chain_end(
                self.node.compact().name, victim
            )

    def start_from(self, victim: str, sequence: int, digest: str) -> None:
        self._sequence[victim], self._previous[victim] = sequence, digest

    def packed(self, victim: str, type_: str, payload: Mapping[str, Any] | bytes, **changes: Any) -> Packed:
        """An envelope that verifies. `changes` are fields of the message, or sequence and previous."""
        sequence = changes.pop("sequence", self._sequence.get(victim, 0) + 1)
        previous = changes.pop("previous", self._previous.get(victim, NO_PREVIOUS))
        addressee = changes.pop("addressee", victim)
        compact = self.node.compact()
        self._count += 1
        now = self.town.clock()
        fields: dict[str, Any] = {
            "id": f"hostile-{self.member}-{self._count}", "type": type_, "case_id": "", "purpose": "x",
            "legal_basis": "", "in_reply_to": "", "issued": now, "expires": now + timedelta(hours=1),
            "handling": Handling(
                originators=(self.member,), audience=(victim,), purposes=("x", "trace-and-hold"),
                actions=dict.fromkeys(ACTIONS, Permission.ALLOW),
            ),
            "requester": Requester(id=self.member, actor="policy"),
            "payload": {RAW: payload} if isinstance(payload, bytes) else payload,
        }  # fmt: skip
        with patch.object(envelope, "canonical_bytes", _bytes):
            return pack(
                Message(**{**fields, **changes}), compact=compact.name, sender=compact.member(self.member),
                signing_key=self.node.keys.signing, random=os.urandom,
                addressees=[
                    Addressee(member=compact.member(addressee), sequence=sequence, previous=previous)
                ],
            )  # fmt: skip

    def say(self, victim: str, type_: str, payload: Mapping[str, Any] | bytes, **changes: Any) -> Result:
        """Send it; what was accepted is the new end of the chain."""
        packed = self.packed(victim, type_, payload, **changes)
        done = self.bring(victim, packed.wire)
        if done.status == 202:
            self._sequence[victim] = changes.get("sequence", self._sequence.get(victim, 0) + 1)
            self._previous[victim] = packed.digest
        return done

    def bring(self, victim: str, wire: bytes) -> Result:
        return self.town.wires.bring(Carried(sender=self.member, receiver=victim, wire=wire))


def _bytes(value: Any, **_: int) -> bytes:
    if isinstance(value, dict) and RAW in value:
        return bytes(value[RAW])
    return canonical_bytes(value)
