"""Who cosigns this node's log: the members of its compacts, and the witnesses of its policy that have an address.

A member is asked over the peers' mutual TLS; a stand-alone witness at its address in the policy, over ordinary
HTTPS. A witness that is both is asked at its address.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from comity.backends.courier import PeerCourier
from comity.backends.witness_client import HttpWitness
from comity.errors import InputError
from comity.exchange import Member
from comity.ledger import Policy
from comity.node.bootstrap import Node
from comity.proofs.note import VerifierKey

log = structlog.get_logger()


class CosigningWitness(Protocol):
    """One who may cosign. Both methods raise `NetworkError` if no answer came."""

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> VerifierKey: ...

    def add_checkpoint(self, request: bytes) -> tuple[int, str, bytes]: ...

    def newest_checkpoint(self, origin: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class MemberWitness:
    """A member of a compact of ours."""

    member: Member
    courier: PeerCourier

    @property
    def name(self) -> str:
        return self.member.id

    @property
    def key(self) -> VerifierKey:
        return witness_key(self.member)

    def add_checkpoint(self, request: bytes) -> tuple[int, str, bytes]:
        return self.courier.add_checkpoint(self.member, request)

    def newest_checkpoint(self, origin: str) -> bytes | None:
        return self.courier.newest_checkpoint(self.member, origin)


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness on its own, at its address in the policy."""

    name: str
    key: VerifierKey
    client: HttpWitness

    def add_checkpoint(self, request: bytes) -> tuple[int, str, bytes]:
        return self.client.add_checkpoint(request)

    def newest_checkpoint(self, origin: str) -> bytes | None:
        return self.client.newest_checkpoint(origin)


def witness_key(member: Member) -> VerifierKey:
    return VerifierKey.parse(member.witness_key)


def witnesses_of(
    node: Node, courier: PeerCourier, policy: Policy | None, clients: MutableMapping[str, HttpWitness]
) -> list[CosigningWitness]:
    """Everybody to be asked, each key once. `clients` are kept open from one call to the next, by address."""
    found: list[CosigningWitness] = []
    for witness in policy.witnesses if policy else ():
        if not witness.url:
            continue
        try:
            client = clients.get(witness.url) or HttpWitness(witness.url)
        except InputError as error:
            log.warning("witness without a usable address", witness=witness.name, problem=str(error))
            continue
        clients[witness.url] = client
        found.append(PolicyWitness(witness.name, witness.key, client))
    known = {one.key for one in found}
    members = (MemberWitness(one, courier) for one in node.peers().values() if not one.pull)
    return [*found, *(one for one in members if one.key not in known)]
