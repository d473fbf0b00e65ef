"""Take news of a register over: from a file, a mirror or a pushed notice; verified, stored whole, recorded.

Whoever brings the news is trusted for nothing. Files go through TUF's client workflow against what is held;
where two states published at the same moment, each file is taken by the signatures of those whose word it is
(`exchange.register.change.merge`). Killed at any point, the node holds the version before or the one after.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from comity.backends.register_files import Joined, changing, load_joined, save_joined
from comity.backends.register_updates import Fetch, FrozenRegister, RegisterRollback, take_over
from comity.backends.sql import Transaction
from comity.errors import Conflict, NetworkError, TrustError
from comity.exchange import Compact, Member
from comity.exchange.fields import Fields
from comity.exchange.register.bundle import read_files
from comity.exchange.register.change import Difference, cards_gone, difference, merge
from comity.exchange.register.layout import MAX_AHEAD, metadata_path, register_key_id
from comity.exchange.register.read import timestamp_moment, verify_register, vouched
from comity.node.bootstrap import Node

CHANGED = "register.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """`difference` says what people should know; `newer` whether anything changed at all."""

    compact: Compact
    difference: Difference
    newer: bool


def update(node: Node, name: str, fetch: Fetch, *, actor: str, source: str) -> Updated:
    """Take over what `fetch` offers for the compact of that name, if it comes after what is held.

    Raises `RegisterRollback` if it is older, and what `take_over` raises if it does not verify. `source` says
    in the event where it came from.
    """
    folder, now = node.home.compacts / name, node.clock()
    offered = _fetched(node, load_joined(folder), fetch, now)
    with changing(folder):
        held = load_joined(folder)
        before = held.compact()
        try:
            joined = successor(node, held, _newer(node, held, offered, now))
        except RegisterRollback:
            joined = _confirmed(node, held, offered.timestamp, now)
            if joined == held:
                raise
        joined = _confirmed(node, joined, offered.timestamp, now)
        refuse_spoofed(node, joined.compact())
        return _store(node, name, joined, before, actor=actor, source=source)


FETCH_SECONDS = 120.0
"""For a whole register, however many files it has: a mirror cannot hold us by answering slowly."""


@dataclass(slots=True)
class _Offered:
    """Where the news comes from, what came, and the timestamp that was among it. Each file is asked for once."""

    ask: Fetch
    ends: float = field(default_factory=lambda: time.monotonic() + FETCH_SECONDS)
    came: dict[str, bytes | None] = field(default_factory=dict)

    @property
    def timestamp(self) -> bytes:
        return self.came.get(metadata_path("timestamp")) or b""

    def fetch(self, path: str) -> bytes | None:
        if path not in self.came:
            if time.monotonic() > self.ends:
                raise NetworkError(f"the register had not come whole after {FETCH_SECONDS:.0f} s")
            self.came[path] = self.ask(path)
        return self.came[path]


def _fetched(node: Node, held: Joined, fetch: Fetch, now: datetime) -> _Offered:
    """Ask for all that comes into question before the lock is taken. What it is worth is judged under the lock.

    Should that want another file, since the register held changed meanwhile, it is for the next time.
    """
    offered = _Offered(fetch)
    with suppress(TrustError, Conflict):
        _newer(node, held, offered, now)
    offered.ask = _not_asked
    return offered


def _not_asked(path: str) -> bytes | None:
    raise NetworkError(f"the register held has changed meanwhile: {path} was not asked for")


def _confirmed(node: Node, joined: Joined, timestamp: bytes, now: datetime) -> Joined:
    """As fresh as another member's node says that it is, though its timestamp be older than ours."""
    word = vouched(joined.files, timestamp)
    if word is None or word[0] > now + MAX_AHEAD or not word[1] & _others(node, joined.compact()):
        return joined
    return replace(joined, fresh_at=max(joined.fresh_at, word[0]))


def _others(node: Node, compact: Compact) -> frozenset[str]:
    """TUF key ids of the other members' nodes."""
    return frozenset(register_key_id(member.online_key) for member in compact.members if member.id != node.id)


class MemberElsewhere(TrustError):
    """Two compacts of this node name different authorities with one id."""

    code = "compact.member-elsewhere"
    remedy = "Ask that member, over another channel, which card is its own; join neither until it is clear."


def refuse_spoofed(node: Node, compact: Compact) -> None:
    """One id is one authority in all compacts of a node: another state or key under it is a spoof."""
    for other in node.registers().values():
        if other.name == compact.name:
            continue
        for member in compact.members:
            known = next((one for one in other.members if one.id == member.id), None)
            if known is not None and not _same_authority(known, member, (compact, other)):
                raise MemberElsewhere(
                    f"expected {member.id} with the keys it has in compact {other.name}, got others"
                )


def _same_authority(one: Member, other: Member, compacts: Sequence[Compact]) -> bool:
    """The same state and register key, and a signing key that either register has had for it."""
    if (one.state, one.root_key) != (other.state, other.root_key):
        return False
    first, second = (
        {card.member.signing_key for card in compact.cards if card.member.id == one.id}
        for compact in compacts
    )
    return bool(first & second)


def successor(node: Node, held: Joined, files: Mapping[str, bytes]) -> Joined:
    """What is held after `held`: with the cards that are gone, and when another node last vouched for it."""
    joined = replace(held, files=files)
    before, after = held.compact(), joined.compact()
    verified = verify_register(files)
    heard = verified.signed_at if verified.timestamp_signers & _others(node, after) else held.fresh_at
    return replace(
        joined, fresh_at=max(held.fresh_at, heard),
        past=(*held.past, *cards_gone(before, after, at=node.clock())),
    )  # fmt: skip


def take_changed(node: Node, name: str, payload: Mapping[str, Any], *, peer: str) -> Updated:
    """Take over the files that a member pushed (`register.changed`): those it did not send are as held."""
    sent = read_files(Fields(payload, CHANGED), "files")
    held = load_joined(node.home.compacts / name).files
    return update(
        node, name, lambda path: sent.get(path, held.get(path)), actor="node", source=f"notice of {peer}"
    )


def files_changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, str]:
    """What a notice carries: files that are new or other than before."""
    return {path: text.decode("utf-8") for path, text in sorted(after.items()) if before.get(path) != text}


def _newer(node: Node, held: Joined, offered: _Offered, now: datetime) -> Mapping[str, bytes]:
    try:
        return take_over(held.anchor, held.files, offered.fetch, now=now)
    except (RegisterRollback, FrozenRegister):
        merged = _merged(node, held, offered, now)
        if merged is None:
            raise
        return merged


def _merged(node: Node, held: Joined, offered: _Offered, now: datetime) -> Mapping[str, bytes] | None:
    """Both versions in one, if the other has something newer and this node may sign a snapshot.

    The other may be one that nobody vouches for any more: a state's word on its own members does not age.
    """
    root = verify_register(held.files).root
    if register_key_id(node.keys.online.public_key().public_bytes_raw()) not in root.roles["snapshot"].keyids:
        return None
    signed_at = timestamp_moment(offered.timestamp)
    if signed_at is None:
        return None
    files = take_over(held.anchor, {}, offered.fetch, now=min(now, signed_at))
    return merge(held.files, files, node.keys.online, now=now)


def _store(node: Node, name: str, joined: Joined, before: Compact, *, actor: str, source: str) -> Updated:
    after = joined.compact()
    updated = Updated(
        compact=after, difference=difference(before, after), newer=after.digest != before.digest
    )
    with node.records.transaction() as tx:
        record(node, tx, updated, actor=actor, source=source)
        save_joined(node.home.compacts / name, joined)
    return updated


def record(node: Node, tx: Transaction, updated: Updated, *, actor: str, source: str) -> None:
    """The event of a later version, if it is one; cases look again for whom to ask when members changed."""
    if not updated.newer:
        return
    after, changes = updated.compact, updated.difference
    node.record(
        tx, "register.updated", actor=actor, compact=after.name, digest=after.digest, source=source,
        joined=list(changes.joined), left=list(changes.left), rekeyed=list(changes.rekeyed),
        revoked=[{"member": member, "reason": reason} for member, reason in changes.revoked],
    )  # fmt: skip
    if changes.joined or changes.left or changes.revoked:
        pursue_again(node, tx, after.name)


def pursue_again(node: Node, tx: Transaction, compact: str) -> None:
    """Let our own cases of that compact look again for whom to ask."""
    for case in tx.cases.all():
        if case.origin == node.id and case.compact == compact:
            tx.cases.want_pursuit(case.id)
