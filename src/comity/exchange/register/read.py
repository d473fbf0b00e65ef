"""Verify a whole register held in memory and read the compact it states (spec/register.md §5). Pure.

Everything is checked from the trust anchor (root version 1) on, at the moment at which its newest timestamp
was signed. Whether that moment is recent, and whether this version comes after the one held before, is TUF's
client workflow (`backends.register_updates`) and `Compact.tier`. TUF's rules are the library's; what is
refused beyond them is the shape that a compact must have: one key a state, the same threshold of states for
root and targets, one role a state that speaks for its own members and for nobody else's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tuf.api.exceptions import LengthOrHashMismatchError, RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from comity.errors import ComityError, TrustError
from comity.exchange.fields import ID, Fields, Malformed, read_object
from comity.exchange.register.bundle import IncompleteRegister, read_bundle
from comity.exchange.register.compact import Card, Compact, fingerprint_of, refuse_clashes
from comity.exchange.register.layout import (
    BINDING,
    CARD_PATH,
    DESCRIPTION,
    MAX_AHEAD,
    MAX_MEMBERS,
    MAX_METADATA,
    TIMESTAMP_VALID,
    binding_of,
    metadata_path,
    register_key,
    register_key_id,
    role_of,
    target_path,
)
from comity.exchange.register.member import MAX_CARD, Member, read_card
from comity.proofs import signatures

_Kind = TypeVar("_Kind", Root, Targets, Snapshot, Timestamp)


_UNREADABLE = (
    RepositoryError, DeserializationError, ValueError, KeyError, TypeError, AttributeError, OverflowError,
)  # fmt: skip
"""What the library raises for metadata that is signed wrongly, or is none."""


class BrokenRegister(TrustError):
    """A file of the register is missing, altered, or not signed by those who must."""

    code = "register.broken"
    remedy = "Do not use it. Ask another member for its copy, and tell the one who gave you this one."


class ForeignCard(TrustError):
    """A state's role speaks for another state's members."""

    code = "register.foreign-card"
    remedy = "Do not use it, and ask that state why it signed this; no state speaks for another."


class WrongThreshold(TrustError):
    """Fewer states could change this register than must agree."""

    code = "register.threshold"
    remedy = "Do not use it: several states must sign what concerns all of them."


class OtherRegister(TrustError):
    """A file that was signed for another compact."""

    code = "register.other-compact"
    remedy = "Do not use it: somebody mixed the registers of two compacts."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The metadata of a register whose every signature holds. `signed_at` is the timestamp's moment."""

    root: Root
    timestamp: Timestamp
    snapshot: Snapshot
    targets: Targets
    roles: Mapping[str, Targets]
    signed_at: datetime
    timestamp_signers: frozenset[str]
    """TUF key ids of those whose signature under the timestamp holds."""
    snapshot_signers: frozenset[str]


def read_register(
    files: Mapping[str, bytes], *, past: Sequence[Card] = (), fresh_at: datetime | None = None
) -> Compact:
    """Verify `files` and return the compact; a `TrustError` or `InputError` says what is wrong.

    `past` are cards held before that this version no longer lists. `fresh_at` is when another node last said
    that this is the newest; the timestamp's own moment where nothing else is known.
    """
    try:
        return _compact(files, _verify(files), past, fresh_at)
    except _UNREADABLE as error:
        raise BrokenRegister(f"expected a register that verifies: {_said(error)}") from error


def read_compact(document: bytes) -> Compact:
    """Read the compact of a complete bundle; what `read_register` raises, or `IncompleteRegister`."""
    bundle = read_bundle(document)
    if bundle.proposed:
        raise IncompleteRegister("expected a register that enough states have signed, got a proposal")
    return read_register(bundle.files)


def verify_register(files: Mapping[str, bytes]) -> Verified:
    """Only the metadata, for who is about to change it; raises as `read_register`."""
    try:
        return _verify(files)
    except _UNREADABLE as error:
        raise BrokenRegister(f"expected a register that verifies: {_said(error)}") from error


def vouched(files: Mapping[str, bytes], timestamp: bytes) -> tuple[datetime, frozenset[str]] | None:
    """When and by whose TUF key ids a timestamp from elsewhere says that the version in `files` is the newest.

    None if it is no timestamp of this register, or speaks of another version. It may be older than our own:
    what another node says counts, not which of the two came last.
    """
    verified = verify_register(files)
    try:
        offered = load({metadata_path("timestamp"): timestamp}, metadata_path("timestamp"), Timestamp)
        result = verified.root.get_verification_result("timestamp", offered.signed_bytes, offered.signatures)
        signed_at = signing_time(offered.signed)
    except (ComityError, *_UNREADABLE):
        return None
    same = (
        offered.signed.snapshot_meta == verified.timestamp.snapshot_meta
        and offered.signed.unrecognized_fields == verified.timestamp.unrecognized_fields
    )
    return (signed_at, frozenset(result.signed)) if same and result.verified else None


def timestamp_moment(timestamp: bytes) -> datetime | None:
    """When a timestamp says that it was signed; None if it is none. Nothing of it is verified."""
    path = metadata_path("timestamp")
    try:
        return signing_time(load({path: timestamp}, path, Timestamp).signed)
    except (ComityError, *_UNREADABLE):
        return None


def load(files: Mapping[str, bytes], path: str, kind: type[_Kind]) -> Metadata[_Kind]:
    """One metadata file, strictly parsed; nothing of it is verified."""
    content = files.get(path)
    if content is None:
        raise BrokenRegister("expected this file, got none", where=path)
    read_object(content, where=path, max_bytes=MAX_METADATA)
    metadata: Metadata[_Kind] = Metadata.from_bytes(content)
    if not isinstance(metadata.signed, kind):
        raise BrokenRegister(f"expected {kind.type} metadata, got {metadata.signed.type}", where=path)
    return metadata


def newest_root_version(files: Mapping[str, bytes]) -> int:
    version = 1
    while metadata_path("root", version + 1) in files:
        version += 1
    return version


def _verify(files: Mapping[str, bytes]) -> Verified:
    root = _root(files)
    stamp = load(files, metadata_path("timestamp"), Timestamp)
    timestamp = stamp.signed
    signers = _signed_by(root, "timestamp", stamp)
    signed_at = signing_time(timestamp)
    shot = load(files, metadata_path("snapshot", timestamp.snapshot_meta.version), Snapshot)
    _refuse_altered(files, "snapshot", timestamp.snapshot_meta)
    snapshot = shot.signed
    if snapshot.version is True or snapshot.version != timestamp.snapshot_meta.version:
        raise BrokenRegister(f"expected snapshot {timestamp.snapshot_meta.version}, got {snapshot.version}")
    if _moment(snapshot.version) > signed_at + MAX_AHEAD:
        raise BrokenRegister(
            f"expected a snapshot of {signed_at.isoformat()} or before, got {snapshot.version}"
        )
    shot_signers = _signed_by(root, "snapshot", shot)
    targets = _delegated(files, "targets", root, snapshot)
    names = [] if targets.delegations is None else sorted(targets.delegations.roles or {})
    roles = {name: _delegated(files, name, targets, snapshot) for name in names}
    verified = Verified(
        root=root, timestamp=timestamp, snapshot=snapshot, targets=targets, roles=roles, signed_at=signed_at,
        timestamp_signers=signers, snapshot_signers=shot_signers,
    )  # fmt: skip
    _refuse_expired(verified)
    _refuse_other_compact(verified)
    _refuse_shape(verified)
    return verified


def _root(files: Mapping[str, bytes]) -> Root:
    """The newest root: each signed by the threshold of the one before it and by its own."""
    trusted: Root | None = None
    for version in range(1, newest_root_version(files) + 1):
        path = metadata_path("root", version)
        metadata = load(files, path, Root)
        root = metadata.signed
        if root.version != version:
            raise BrokenRegister(f"expected root version {version}, got {root.version}", where=path)
        if trusted is not None:
            trusted.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
            if root.unrecognized_fields.get(BINDING) != trusted.unrecognized_fields.get(BINDING):
                raise OtherRegister("expected the next root of the same compact", where=path)
        root.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
        refuse_weak_root(root)
        trusted = root
    if trusted is None:
        raise BrokenRegister("expected the trust anchor, root version 1", where=metadata_path("root", 1))
    return trusted


def refuse_weak_root(root: Root) -> None:
    """Refuse keys under false names (one key twice would meet a threshold alone) and too low thresholds."""
    for key_id, key in root.keys.items():
        _refuse_misnamed(key_id, key.to_dict(), "root")
    states, threshold = root.roles["root"].keyids, root.roles["root"].threshold
    same = root.roles["targets"]
    if set(same.keyids) != set(states) or same.threshold != threshold:
        raise WrongThreshold("expected root and targets signed by the same threshold of states")
    least = 2 if len(states) > 1 else 1
    if not least <= threshold <= len(states):
        raise WrongThreshold(f"expected {least} to {len(states)} states to sign together, got {threshold}")
    if not root.consistent_snapshot:
        raise BrokenRegister("expected consistent snapshots")


def signing_time(timestamp: Timestamp) -> datetime:
    """When it was signed: its version in seconds since 1970, and its expiry a day later at most."""
    signed_at = _moment(timestamp.version)
    if not timedelta(0) < timestamp.expires - signed_at <= TIMESTAMP_VALID:
        raise BrokenRegister(
            f"expected a timestamp for at most {TIMESTAMP_VALID} from {signed_at.isoformat()}, "
            f"got one until {timestamp.expires.isoformat()}"
        )
    return signed_at


def _moment(version: int) -> datetime:
    try:
        return datetime.fromtimestamp(version, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BrokenRegister(f"expected a version that is a time, got {version}") from error


def _refuse_misnamed(key_id: str, key: Mapping[str, Any], where: str) -> None:
    try:
        public = bytes.fromhex(key["keyval"]["public"])
        signatures.refuse_weak(public)
        right = register_key(public)
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenRegister("expected Ed25519 keys", where=where) from error
    if right.keyid != key_id or dict(key) != right.to_dict():
        raise BrokenRegister(f"expected the key under its own name {right.keyid}, got {key_id}", where=where)


def _signed_by(delegator: Root | Targets, role: str, metadata: Metadata[Any]) -> frozenset[str]:
    result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    if not result.verified:
        need = f"{result.threshold} of {len(result.signed) + len(result.unsigned)} keys"
        raise BrokenRegister(f"expected {role} signed by {need}, got {len(result.signed)}")
    return frozenset(result.signed)


def _delegated(
    files: Mapping[str, bytes], role: str, delegator: Root | Targets, snapshot: Snapshot
) -> Targets:
    meta = snapshot.meta.get(f"{role}.json")
    if meta is None:
        raise BrokenRegister("expected the role in the snapshot, got none", where=role)
    _refuse_altered(files, role, meta)
    metadata = load(files, metadata_path(role, meta.version), Targets)
    if metadata.signed.version != meta.version:
        raise BrokenRegister(f"expected version {meta.version}, got {metadata.signed.version}", where=role)
    _signed_by(delegator, role, metadata)
    return metadata.signed


def _refuse_altered(files: Mapping[str, bytes], role: str, meta: MetaFile) -> None:
    """Length and digest as the file above it states; both must be stated."""
    path = metadata_path(role, meta.version)
    if path not in files:
        raise BrokenRegister("expected this file, got none", where=path)
    if not meta.hashes or meta.length is None:
        raise BrokenRegister("expected length and digest of the file", where=path)
    meta.verify_length_and_hashes(files[path])


def _refuse_expired(found: Verified) -> None:
    for signed in (found.root, found.snapshot, found.targets, *found.roles.values()):
        if signed.is_expired(found.signed_at):
            raise BrokenRegister(f"expected {signed.type} metadata that still held, got one that had expired")


def _refuse_other_compact(found: Verified) -> None:
    binding = found.root.unrecognized_fields.get(BINDING)
    everything = (found.timestamp, found.snapshot, found.targets, *found.roles.values())
    if not isinstance(binding, str) or any(
        signed.unrecognized_fields.get(BINDING) != binding for signed in everything
    ):
        raise OtherRegister(f"expected every file to be of {binding!r:.80}, got one of another compact")


def _refuse_shape(found: Verified) -> None:
    """One terminating role a state, under its own two letters, its one key also a key of root and targets."""
    delegations = found.targets.delegations
    if delegations is None or delegations.roles is None or not delegations.roles:
        raise BrokenRegister("expected one role a state")
    for key_id, key in delegations.keys.items():
        _refuse_misnamed(key_id, key.to_dict(), "targets")
    for name, role in delegations.roles.items():
        shape = (role.threshold, len(role.keyids), role.terminating, role.paths)
        if (
            shape != (1, 1, True, [f"{name}/*/*"])
            or len(name) != 2
            or not name.isalpha()
            or not name.islower()
        ):
            raise BrokenRegister(f"expected a role for {name}/*/* with the state's key alone", where=name)
    keys = [role.keyids[0] for role in delegations.roles.values()]
    if sorted(keys) != sorted(found.root.roles["root"].keyids):
        raise WrongThreshold("expected exactly the states' keys to sign root and targets")
    if any(role.delegations is not None for role in found.roles.values()):
        raise BrokenRegister("expected states' roles that delegate to nobody")
    if set(found.targets.targets) != {DESCRIPTION}:
        raise BrokenRegister(f"expected {DESCRIPTION} alone in the top-level targets")


def _compact(
    files: Mapping[str, bytes], found: Verified, past: Sequence[Card], fresh_at: datetime | None
) -> Compact:
    described = _description(files, found)
    name, formed_at = described.text("name", form=ID), described.instant("formed_at")
    if found.root.unrecognized_fields.get(BINDING) != binding_of(name, formed_at):
        raise OtherRegister(f"expected the description of this compact, got that of {name}")
    cards = [card for role in sorted(found.roles) for card in _cards(files, role, found)]
    members = _members(cards)
    _refuse_gone_signers(found, cards)
    anchor = hashlib.sha256(files[metadata_path("root", 1)]).hexdigest()
    snapshot = files[metadata_path("snapshot", found.snapshot.version)]
    lasting = (found.root, found.targets, *found.roles.values())
    return Compact(
        name=name, problem=described.text("problem", longest=500), members=members, formed_at=formed_at,
        fingerprint=fingerprint_of(anchor), digest=hashlib.sha256(snapshot).hexdigest(),
        threshold=found.root.roles["root"].threshold,
        states=tuple(role.upper() for role in sorted(found.roles)), versions=_versions(found),
        expires=min(one.expires for one in lasting), fresh_at=fresh_at or found.signed_at,
        as_of=found.signed_at, cards=(*cards, *past),
    )  # fmt: skip


def _versions(found: Verified) -> dict[str, int]:
    return {
        "root": found.root.version, "targets": found.targets.version, "snapshot": found.snapshot.version,
        "timestamp": found.timestamp.version, **{name: role.version for name, role in found.roles.items()},
    }  # fmt: skip


def _description(files: Mapping[str, bytes], found: Verified) -> Fields:
    target = found.targets.targets[DESCRIPTION]
    return read_object(_content(files, target), where=DESCRIPTION, max_bytes=MAX_CARD)


def _content(files: Mapping[str, bytes], target: TargetFile) -> bytes:
    digest = target.hashes.get("sha256", "")
    content = files.get(target_path(target.path, digest))
    if content is None:
        raise BrokenRegister("expected this file, got none", where=target.path)
    try:
        target.verify_length_and_hashes(content)
    except LengthOrHashMismatchError as error:
        raise BrokenRegister(f"expected the file that was signed: {error}", where=target.path) from error
    return content


def _cards(files: Mapping[str, bytes], role: str, found: Verified) -> list[Card]:
    """The cards of one state's members, each under its own path and with the state's own key on it."""
    key_id = found.targets.delegations.roles[role].keyids[0]  # type: ignore[union-attr,index] # _refuse_shape
    cards = [_card(files, role, target) for target in found.roles[role].targets.values()]
    for card in cards:
        if register_key_id(card.member.root_key) != key_id and card.current:
            raise ForeignCard(f"expected the register key of {role.upper()} on the card of {card.member.id}")
    return sorted(cards, key=lambda card: (card.member.id, card.number))


def _card(files: Mapping[str, bytes], role: str, target: TargetFile) -> Card:
    shape = CARD_PATH.fullmatch(target.path)
    if shape is None or shape[1] != role:
        raise ForeignCard(f"expected cards under {role}/<member>/, got {target.path:.120}", where=role)
    text = _content(files, target).decode("utf-8", errors="replace")
    member = read_card(text)
    if (role_of(member.state), member.id) != (shape[1], shape[2]):
        raise ForeignCard(
            f"expected a card of {shape[2]} of {role.upper()}, got one of {member.id} of {member.state}",
            where=target.path,
        )
    return _dated(member, int(shape[3]), text, target)


def _dated(member: Member, number: int, text: str, target: TargetFile) -> Card:
    custom = target.unrecognized_fields.get("custom")
    if not isinstance(custom, dict):
        raise Malformed("expected from when to when it holds", where=target.path)
    fields = Fields(custom, target.path)
    return Card(
        member=member, number=number, text=text, valid_from=fields.instant("valid_from"),
        retired_at=None if custom.get("retired_at") is None else fields.instant("retired_at"),
        revoked_at=None if custom.get("revoked_at") is None else fields.instant("revoked_at"),
        reason=fields.text_or_empty("reason"),
    )  # fmt: skip


def _members(cards: Sequence[Card]) -> tuple[Member, ...]:
    """The one present card of each member, in order of ids."""
    members = tuple(sorted((card.member for card in cards if card.current), key=lambda member: member.id))
    if not 1 <= len(members) <= MAX_MEMBERS:
        raise Malformed(f"expected 1 to {MAX_MEMBERS} members, got {len(members)}", where="register")
    refuse_clashes(members)
    return members


def _refuse_gone_signers(found: Verified, cards: Sequence[Card]) -> None:
    """A node that has left, or was revoked, no longer says what is newest, even while root lists its key.

    Up to the moment of its revocation it does, so that a state can revoke its only node from that node.
    """
    shot_at = _moment(found.snapshot.version)
    for what, signers, at in (
        ("timestamp", found.timestamp_signers, found.signed_at),
        ("snapshot", found.snapshot_signers, shot_at),
    ):
        present = {
            register_key_id(card.member.online_key)
            for card in cards
            if card.revoked_at is None or at <= card.revoked_at + MAX_AHEAD
        }
        if not signers & present:
            raise BrokenRegister(f"expected a {what} signed by a node of a present member", where=what)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
