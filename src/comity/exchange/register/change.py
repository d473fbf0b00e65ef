"""Propose changes to a register: members in and out, keys replaced and revoked (spec/register.md §8). Pure.

A change of one state's own members needs that state alone; whatever touches another (a state more or less,
the threshold, everybody's expiry) needs the threshold. `register.sign` and `register.complete` do the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tuf.api.metadata import Metadata, Root, Targets

from comity.errors import Conflict, InputError
from comity.exchange.fields import write_instant
from comity.exchange.register.bundle import Bundle
from comity.exchange.register.compact import Card, Compact, refuse_clashes
from comity.exchange.register.layout import (
    BINDING,
    VALID,
    bound,
    card_path,
    metadata_path,
    role_of,
    whole_seconds,
    written,
)
from comity.exchange.register.member import Member, read_card
from comity.exchange.register.read import load, newest_root_version, read_register, verify_register
from comity.exchange.register.write import (
    delegations_of,
    new_root,
    newest_versions,
    put_card,
    renew_snapshot,
)

Change = Callable[[Targets, dict[str, bytes]], None]
LEFT = "left the compact"


def propose_cards(files: Mapping[str, bytes], cards: Sequence[str], *, now: datetime) -> Bundle:
    """Take new members in. Of a state that is in already it needs that state; else the threshold."""
    compact = read_register(files)
    new = {card: read_card(card) for card in cards}
    present = {member.id for member in compact.members}
    for member in new.values():
        if member.id in present:
            raise Conflict.because(
                expected="members that are not in yet", got=member.id,
                remedy="New keys of a member: comity compact rotate DIR.",
            )  # fmt: skip
    members = [*compact.members, *new.values()]
    refuse_clashes(members)
    states = set(compact.states)
    proposed: dict[str, bytes] = {}
    if any(member.state not in states for member in new.values()):
        proposed |= _shared(files, members, now=now)
    for state in sorted({member.state for member in new.values()}):
        of_state = [card for card, member in new.items() if member.state == state]
        proposed |= _role(files, state, _adding(of_state, compact.cards, now), now=now)
    return Bundle(files=dict(files), proposed=proposed)


def propose_removal(files: Mapping[str, bytes], member_id: str, *, now: datetime) -> Bundle:
    """Let a member go: by its state if that has others in, else with its state, by the threshold."""
    compact = read_register(files)
    member = compact.member(member_id)
    rest = [one for one in compact.members if one.id != member_id]
    if any(one.state == member.state for one in rest):
        return propose_revocation(files, member_id, at=now, reason=LEFT)
    if not rest:
        raise InputError.because(expected="a compact that keeps a member", got=f"none without {member_id}")
    return Bundle(files=dict(files), proposed=_shared(files, rest, now=now))


def propose_revocation(files: Mapping[str, bytes], member_id: str, *, at: datetime, reason: str) -> Bundle:
    """Revoke a member's cards from `at` on: what its own state signs, alone and at once."""
    compact = read_register(files)
    member = compact.member(member_id)

    def revoke(role: Targets, _: dict[str, bytes]) -> None:
        for card in _of(compact.cards, member_id):
            if card.revoked_at is None:
                _mark(role, card, revoked_at=write_instant(at), reason=reason)

    proposed = _role(files, member.state, revoke, now=at)
    return Bundle(files=dict(files), proposed=proposed)


def propose_rotation(files: Mapping[str, bytes], card: str, *, now: datetime, retires_at: datetime) -> Bundle:
    """Replace a member's card; the one before it still holds until `retires_at`. Its state signs."""
    compact, member = read_register(files), read_card(card)
    before = compact.member(member.id)
    if (before.state, before.root_key, before.online_key) != (
        member.state,
        member.root_key,
        member.online_key,
    ):
        raise InputError.because(
            expected=f"a card of {member.id} with the register keys it has", got="other register keys",
            remedy="Register keys change with the member: remove it, then add its new card.",
        )  # fmt: skip
    refuse_clashes([*(one for one in compact.members if one.id != member.id), member])

    def rotate(role: Targets, added: dict[str, bytes]) -> None:
        cards = _of(compact.cards, member.id)
        for one in cards:
            if one.current:
                _mark(role, one, retired_at=write_instant(retires_at), reason="replaced")
        put_card(role, added, card, number=cards[-1].number + 1, valid_from=now)

    return Bundle(files=dict(files), proposed=_role(files, member.state, rotate, now=now))


def propose_renewal(files: Mapping[str, bytes], *, now: datetime, threshold: int | None = None) -> Bundle:
    """Everybody's expiry moved on, and another threshold if one is given: every state signs its role too."""
    compact = read_register(files)
    proposed = _shared(files, compact.members, now=now, threshold=threshold)
    for state in compact.states:
        proposed |= _role(files, state, lambda role, _: None, now=now)
    return Bundle(files=dict(files), proposed=proposed)


def merge(
    held: Mapping[str, bytes], offered: Mapping[str, bytes], online_key: Ed25519PrivateKey, *, now: datetime
) -> dict[str, bytes] | None:
    """Take what is newer in `offered` into `held`, each file by the signatures of those whose word it is.

    For two states that published at the same moment: neither one's snapshot has the other's change. None if
    nothing in `offered` is newer; raises as `read_register` if something in it does not verify.
    """
    read_register(offered)
    _refuse_other_history(held, offered)
    union = dict(held)
    for version in range(newest_root_version(held) + 1, newest_root_version(offered) + 1):
        union[metadata_path("root", version)] = offered[metadata_path("root", version)]
    ours, theirs = newest_versions(held), newest_versions(offered)
    newer = {role: version for role, version in theirs.items() if version > ours.get(role, 0)}
    if not newer and len(union) == len(held):
        return None
    union |= {
        metadata_path(role, version): offered[metadata_path(role, version)] for role, version in newer.items()
    }
    union |= {path: content for path, content in offered.items() if path.startswith("targets/")}
    merged = renew_snapshot(union, [online_key], now=now)
    read_register(merged)
    return merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a later version of a register changes, for people and for the event log."""

    joined: tuple[str, ...]
    left: tuple[str, ...]
    rekeyed: tuple[str, ...]
    revoked: tuple[tuple[str, str], ...]
    """Member and reason."""

    def __bool__(self) -> bool:
        return bool(self.joined or self.left or self.rekeyed or self.revoked)


def difference(before: Compact, after: Compact) -> Difference:
    old, new = ({one.id: one for one in compact.members} for compact in (before, after))
    revoked = {card.member.id: card.reason for card in after.cards if card.revoked_at is not None}
    gone = [member_id for member_id in old if member_id not in new]
    return Difference(
        joined=tuple(sorted(set(new) - set(old))),
        left=tuple(sorted(one for one in gone if one not in revoked)),
        rekeyed=tuple(
            sorted(one for one in new if one in old and new[one].signing_key != old[one].signing_key)
        ),
        revoked=tuple(sorted((one, revoked[one]) for one in gone if one in revoked)),
    )


def cards_gone(before: Compact, after: Compact, *, at: datetime) -> tuple[Card, ...]:
    """Cards that `after` no longer lists: ended at `at`, so that old signatures can still be judged."""
    listed = {(card.member.id, card.text) for card in after.cards}
    return tuple(
        card if card.revoked_at is not None else replace(card, revoked_at=at, reason=card.reason or LEFT)
        for card in before.cards
        if (card.member.id, card.text) not in listed
    )


def _shared(
    files: Mapping[str, bytes], members: Sequence[Member], *, now: datetime, threshold: int | None = None
) -> dict[str, bytes]:
    """The next root and targets, for these members. The threshold stays where that is possible."""
    before = verify_register(files)
    binding = str(before.root.unrecognized_fields[BINDING])
    keys = {member.state: member.root_key for member in members}
    least, most = (2 if len(keys) > 1 else 1), len(keys)
    kept = min(max(before.root.roles["root"].threshold, least), most)
    root = new_root(keys, [member.online_key for member in members], kept if threshold is None else threshold)
    root.version, root.expires = before.root.version + 1, whole_seconds(now) + VALID
    targets = Targets(
        version=before.targets.version + 1, expires=whole_seconds(now) + VALID,
        targets=dict(before.targets.targets), delegations=delegations_of(keys),
    )  # fmt: skip
    return {
        metadata_path("root", root.version): written(bound(root, binding)),
        metadata_path("targets", targets.version): written(bound(targets, binding)),
    }


def _role(files: Mapping[str, bytes], state: str, change: Change, *, now: datetime) -> dict[str, bytes]:
    """The next version of a state's role after `change`, and the files it adds."""
    name = role_of(state)
    before = verify_register(files)
    held = before.roles.get(name)
    meta = before.snapshot.meta.get(f"{name}.json")
    version = (meta.version if meta is not None else 0) + 1
    role = Targets(
        version=version, expires=whole_seconds(now) + VALID, targets=dict(held.targets) if held else {}
    )
    added: dict[str, bytes] = {}
    change(role, added)
    metadata: Metadata[Any] = bound(role, str(before.root.unrecognized_fields[BINDING]))
    return {**added, metadata_path(name, version): written(metadata)}


def _adding(cards: Sequence[str], known: Sequence[Card], now: datetime) -> Change:
    def add(role: Targets, added: dict[str, bytes]) -> None:
        for card in cards:
            before = _of(known, read_card(card).id)
            put_card(role, added, card, number=before[-1].number + 1 if before else 1, valid_from=now)

    return add


def _of(cards: Sequence[Card], member_id: str) -> list[Card]:
    return sorted((card for card in cards if card.member.id == member_id), key=lambda card: card.number)


def _mark(role: Targets, card: Card, **changes: str) -> None:
    """Change the validity of a card that is listed already; the card itself stays as it was signed."""
    target = role.targets[card_path(card.member.state, card.member.id, card.number)]
    target.unrecognized_fields = {"custom": {**target.unrecognized_fields["custom"], **changes}}


def _refuse_other_history(held: Mapping[str, bytes], offered: Mapping[str, bytes]) -> None:
    """Two registers can be joined only if they have the same anchor and the same roots so far."""
    for version in range(1, min(newest_root_version(held), newest_root_version(offered)) + 1):
        path = metadata_path("root", version)
        ours, theirs = (load(files, path, Root).signed for files in (held, offered))
        if ours != theirs or (version == 1 and held[path] != offered[path]):
            raise Conflict.because(
                expected=f"root version {version} as this node has it", got="another", where=path,
                remedy="Compare fingerprints with the other members before anything else.",
            )  # fmt: skip
