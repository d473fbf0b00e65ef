"""Keep the registers fresh while the node runs: ask other members, sign that ours is the newest, end rotations.

There is no central server: every member serves the register as a mirror, and every state's node signs
timestamps. What a node signs itself does not make its own register fresh (`exchange.freshness`).
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from comity.backends.keys import show_generation, use_generation
from comity.backends.register_files import STAMP, changing, load_joined, save_joined
from comity.backends.register_updates import RegisterRollback
from comity.errors import ComityError, NetworkError
from comity.exchange import Compact, Member, Tier
from comity.exchange.register.layout import is_file, register_key_id
from comity.exchange.register.read import verify_register
from comity.exchange.register.write import renew_timestamp
from comity.node.bootstrap import Node, passphrase
from comity.node.registers.update import update

log = structlog.get_logger()
ASK_EVERY = timedelta(minutes=15)
ASK_WHEN_STALE = timedelta(seconds=30)
SIGN_EVERY = timedelta(hours=6)
Mirror = Callable[[Member, str], bytes | None]
"""Ask a member's peer surface for a path (`/peer/register/…`): its content, None for 404, or `NetworkError`."""


def mirror_path(compact: str, path: str) -> str:
    return f"/peer/register/{compact}/{path}"


def register_file(node: Node, compact: str, path: str) -> bytes | None:
    """A file of a register this node has joined, for its members; None if there is no such file."""
    if not is_file(path) or compact not in node.compacts():
        return None
    return _served(node.home.compacts / compact).get(path)


@dataclass(slots=True)
class Keeping:
    """What one running node remembers of when it last asked and signed; nothing that a restart would miss."""

    _asked: dict[str, datetime] = field(default_factory=dict)
    _signed: dict[str, datetime] = field(default_factory=dict)

    def step(self, node: Node, mirror: Mirror) -> bool:
        """One look at every register; True if one changed."""
        changed = False
        for name, compact in node.compacts().items():
            changed |= self._ask(node, compact, mirror)
            changed |= self._sign(node, name)
            finish_rotation(node)
        return changed

    def _ask(self, node: Node, compact: Compact, mirror: Mirror) -> bool:
        now = node.clock()
        stale = compact.tier(now) is not Tier.FULL
        wait = ASK_WHEN_STALE if stale else ASK_EVERY
        last = self._asked.get(compact.name)
        if last is not None and timedelta(0) <= now - last < wait:
            return False
        self._asked[compact.name] = now
        others = [member for member in compact.members if member.id != node.id]
        random.shuffle(others)
        changed = False
        for member in others:
            try:
                changed |= ask(node, compact.name, member, mirror)
                if node.registers()[compact.name].tier(node.clock()) is Tier.FULL:
                    break
            except NetworkError:
                continue
            except ComityError as error:
                log.warning("register not taken over", peer=member.id, code=error.code, problem=str(error))
        return changed

    def _sign(self, node: Node, name: str) -> bool:
        now = node.clock()
        last = self._signed.get(name)
        if last is not None and timedelta(0) <= now - last < SIGN_EVERY:
            return False
        self._signed[name] = now
        return sign_timestamp(node, name)


def ask(node: Node, name: str, member: Member, mirror: Mirror) -> bool:
    """Take over what `member` serves; True if the register changed or became fresher."""
    before = (node.home.compacts / name / STAMP).stat().st_mtime_ns
    try:
        update(
            node, name, lambda path: mirror(member, mirror_path(name, path)), actor="node",
            source=f"mirror of {member.id}",
        )  # fmt: skip
    except RegisterRollback:
        return False  # it has not heard what we know: it will ask us
    return (node.home.compacts / name / STAMP).stat().st_mtime_ns != before


def sign_timestamp(node: Node, name: str) -> bool:
    """Say that the register held here is the newest this node knows; False if it has no say in it."""
    folder, now = node.home.compacts / name, node.clock()
    with changing(folder):
        held = load_joined(folder)
        verified = verify_register(held.files)
        own = register_key_id(node.keys.online.public_key().public_bytes_raw())
        members = {member.id for member in held.compact().members}
        if own not in verified.root.roles["timestamp"].keyids or node.id not in members:
            return False
        if now <= verified.signed_at:
            return False  # another's clock is ahead of ours, within what is allowed: its word is the newer
        joined = replace(held, files=renew_timestamp(held.files, [node.keys.online], now=now))
        joined.compact()
        save_joined(folder, joined)
    return True


def finish_rotation(node: Node) -> None:
    """Use the keys that the registers say are on our card, and show their certificate once the old has retired."""
    cards = [
        card for compact in node.compacts().values() for card in compact.cards if card.member.id == node.id
    ]
    newest = next(iter(node.keys.generations), None)
    if newest is None or newest.number == 1:
        return
    home, secret, now = node.home.keys, passphrase(node.home), node.clock()
    public = newest.signing.public_key().public_bytes_raw()
    mine = [card for card in cards if card.current]
    if node.keys.signing.public_key().public_bytes_raw() != public and all(
        card.member.signing_key == public for card in mine
    ):
        use_generation(home, secret, newest.number)
    if not any(card.retired_at is not None and card.held_at(now) for card in cards):
        show_generation(home, secret)


_SERVED: dict[str, tuple[int, Mapping[str, bytes]]] = {}
"""Files of each register with its stamp, by folder: a mirror reads them once a version."""


def _served(folder: Path) -> Mapping[str, bytes]:
    stamp = (folder / STAMP).stat().st_mtime_ns
    known = _SERVED.get(str(folder))
    if known is None or known[0] != stamp:
        known = _SERVED[str(folder)] = (stamp, load_joined(folder).files)
    return known[1]
