"""Write a register: propose, let states sign, complete (spec/register.md §8). Pure: keys and times are given.

A change is a `Bundle` whose `proposed` files lack signatures. Each state signs what its own key is for; once
every file has enough, a node completes it: it signs the snapshot and the timestamp, and the bundle is what
everybody joins or takes over. Nothing that is published lacks a signature, and nobody can sign for another.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from comity.errors import InputError
from comity.exchange.fields import write_instant
from comity.exchange.register.bundle import Bundle, IncompleteRegister, write_bundle
from comity.exchange.register.compact import refuse_clashes
from comity.exchange.register.layout import (
    DESCRIPTION,
    TIMESTAMP_VALID,
    VALID,
    add_signature,
    binding_of,
    bound,
    card_path,
    metadata_path,
    raw_public,
    register_key,
    register_key_id,
    role_of,
    seconds_of,
    target_path,
    whole_seconds,
    written,
)
from comity.exchange.register.member import read_card
from comity.exchange.register.read import load, newest_root_version, read_register
from comity.proofs.canonical import canonical_bytes


def form(
    cards: Sequence[str],
    *,
    name: str,
    problem: str,
    formed_at: datetime,
    root_keys: Iterable[Ed25519PrivateKey],
    online_keys: Iterable[Ed25519PrivateKey],
    threshold: int | None = None,
) -> bytes:
    """Propose, sign and complete at once: the document of a new compact, for who holds every key."""
    bundle = propose(cards, name=name, problem=problem, formed_at=formed_at, threshold=threshold)
    for key in root_keys:
        bundle = sign(bundle, key)
    return write_bundle(complete(bundle, online_keys, now=formed_at))


def propose(
    cards: Sequence[str], *, name: str, problem: str, formed_at: datetime, threshold: int | None = None
) -> Bundle:
    """A new register of `cards` that every state must still sign.

    `threshold` is how many states must sign together: without it the majority, and at least two.
    """
    members = {card: read_card(card) for card in cards}
    refuse_clashes(list(members.values()))
    if len(members) < 2:
        raise InputError.because(expected="the cards of at least two members", got=str(len(members)))
    binding = binding_of(name, formed_at)
    keys = {member.state: member.root_key for member in members.values()}
    online = [member.online_key for member in members.values()]
    proposed: dict[str, bytes] = {}
    root = new_root(keys, online, default_threshold(len(keys)) if threshold is None else threshold)
    root.expires = whole_seconds(formed_at) + VALID
    proposed[metadata_path("root", 1)] = written(bound(root, binding))
    described = canonical_bytes({"name": name, "problem": problem, "formed_at": write_instant(formed_at)})
    targets = Targets(version=1, expires=whole_seconds(formed_at) + VALID, delegations=delegations_of(keys))
    targets.targets[DESCRIPTION] = add_target(proposed, DESCRIPTION, described)
    proposed[metadata_path("targets", 1)] = written(bound(targets, binding))
    for state in keys:
        role = Targets(version=1, expires=whole_seconds(formed_at) + VALID)
        for card, member in members.items():
            if member.state == state:
                put_card(role, proposed, card, number=1, valid_from=formed_at)
        proposed[metadata_path(role_of(state), 1)] = written(bound(role, binding))
    return Bundle(files={}, proposed=proposed)


def default_threshold(states: int) -> int:
    """The majority of states, and at least two where there are two."""
    return 1 if states == 1 else max(2, states // 2 + 1)


def new_root(keys: Mapping[str, bytes], online: Iterable[bytes], threshold: int) -> Root:
    """A root in which `threshold` of the states sign for all, and any node says what is newest."""
    states = [register_key(key) for _, key in sorted(keys.items())]
    nodes = sorted((register_key(key) for key in online), key=lambda key: str(key.keyid))
    least = 2 if len(states) > 1 else 1
    if not least <= threshold <= len(states):
        raise InputError.because(
            expected=f"a threshold of {least} to {len(states)} states", got=str(threshold), where="threshold"
        )
    together = [str(key.keyid) for key in states]
    one = [str(key.keyid) for key in nodes]
    roles = {
        "root": Role(together, threshold),
        "targets": Role(list(together), threshold),
        "snapshot": Role(one, 1),
        "timestamp": Role(list(one), 1),
    }
    return Root(version=1, keys={str(key.keyid): key for key in (*states, *nodes)}, roles=roles)


def delegations_of(keys: Mapping[str, bytes]) -> Delegations:
    """One terminating role a state, for its own path and with its own key."""
    roles = {
        role_of(state): DelegatedRole(
            role_of(state), [register_key_id(key)], 1, terminating=True, paths=[f"{role_of(state)}/*/*"]
        )
        for state, key in sorted(keys.items())
    }
    return Delegations({register_key_id(key): register_key(key) for key in keys.values()}, roles)


def put_card(
    role: Targets,
    files: dict[str, bytes],
    card: str,
    *,
    number: int,
    valid_from: datetime,
    validity: Mapping[str, Any] | None = None,
) -> None:
    """List a card in its state's role, and add its file."""
    member = read_card(card)
    path = card_path(member.state, member.id, number)
    target = add_target(files, path, card.encode("ascii"))
    target.unrecognized_fields["custom"] = {
        "valid_from": write_instant(valid_from), "retired_at": None, "revoked_at": None, "reason": "",
        **(validity or {}),
    }  # fmt: skip
    role.targets[path] = target


def add_target(files: dict[str, bytes], path: str, content: bytes) -> TargetFile:
    digest = hashlib.sha256(content).hexdigest()
    files[target_path(path, digest)] = content
    return TargetFile(length=len(content), hashes={"sha256": digest}, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A proposed file that lacks `wanted` more signatures, of these states."""

    path: str
    wanted: int
    states: tuple[str, ...]


def missing(bundle: Bundle) -> list[Missing]:
    """What is still to be signed, and by whom. A root also by the threshold of the one before it."""
    delegators = _delegators(bundle)
    found = []
    for path, metadata in _proposed(bundle):
        role = _role_name(path)
        for delegator in delegators[role]:
            result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
            if not result.verified:
                lacking = _states_of(bundle, result.unsigned)
                wanted = result.threshold - len(result.signed)
                found.append(Missing(path=path, wanted=wanted, states=lacking))
    return found


def sign(bundle: Bundle, key: Ed25519PrivateKey) -> Bundle:
    """Add this state's signature to every proposed file that its key is for; `InputError` if there is none."""
    key_id = register_key_id(raw_public(key))
    delegators, proposed, signed = _delegators(bundle), dict(bundle.proposed), 0
    for path, metadata in _proposed(bundle):
        role = _role_name(path)
        if any(key_id in one.get_delegated_role(role).keyids for one in delegators[role]):
            add_signature(metadata, key)
            proposed[path] = written(metadata)
            signed += 1
    if not signed:
        raise InputError.because(expected="a proposal that this state's key can sign", got="none for it")
    return Bundle(files=bundle.files, proposed=proposed)


def complete(bundle: Bundle, online_keys: Iterable[Ed25519PrivateKey], *, now: datetime) -> Bundle:
    """Publish what enough states have signed: a new snapshot and timestamp, signed by `online_keys`.

    Raises `IncompleteRegister` that names who must still sign.
    """
    lacking = missing(bundle)
    if lacking:
        each = "; ".join(
            f"{one.path.partition('/')[2]}: {one.wanted} of {', '.join(one.states)}" for one in lacking
        )
        raise IncompleteRegister(f"expected the signatures of enough states, still wanted: {each}")
    files = {**bundle.files, **bundle.proposed}
    published = renew_snapshot(files, list(online_keys), now=now)
    read_register(published)
    return Bundle(files=published)


def renew_snapshot(
    files: Mapping[str, bytes], online_keys: Sequence[Ed25519PrivateKey], *, now: datetime
) -> dict[str, bytes]:
    """Sign a snapshot of the newest version of every role in `files`, and its timestamp; older ones go."""
    root = load(files, metadata_path("root", newest_root_version(files)), Root).signed
    newest = newest_versions(files)
    before = _snapshot_before(files)
    meta = dict(before.meta) if before is not None else {}
    for role, version in newest.items():
        content = files[metadata_path(role, version)]
        meta[f"{role}.json"] = MetaFile.from_data(version, content, ["sha256"])
    version = max(seconds_of(now), before.version + 1 if before is not None else 1)
    expires = min(whole_seconds(now) + VALID, root.expires)
    snapshot = bound(Snapshot(version=version, expires=expires, meta=meta), _binding(root))
    for key in online_keys:
        add_signature(snapshot, key)
    kept = _without_older(files, newest)
    kept[metadata_path("snapshot", version)] = written(snapshot)
    return renew_timestamp(kept, online_keys, now=now)


def renew_timestamp(
    files: Mapping[str, bytes], online_keys: Sequence[Ed25519PrivateKey], *, now: datetime
) -> dict[str, bytes]:
    """Sign that the snapshot in `files` is the newest at `now`."""
    root = load(files, metadata_path("root", newest_root_version(files)), Root).signed
    version = max(_version(path) for path in files if _role_name(path) == "snapshot")
    content = files[metadata_path("snapshot", version)]
    timestamp = Timestamp(
        version=seconds_of(now),
        expires=whole_seconds(now) + TIMESTAMP_VALID,
        snapshot_meta=MetaFile.from_data(version, content, ["sha256"]),
    )
    metadata = bound(timestamp, _binding(root))
    for key in online_keys:
        add_signature(metadata, key)
    return {**files, metadata_path("timestamp"): written(metadata)}


def newest_versions(files: Mapping[str, bytes]) -> dict[str, int]:
    """Role → newest version in `files`, of the top-level targets and of each state it delegates to."""
    found: dict[str, int] = {}
    for path in files:
        role = _role_name(path)
        if role not in {"", "root", "snapshot", "timestamp"}:
            found[role] = max(found.get(role, 0), _version(path))
    targets = load(files, metadata_path("targets", found.get("targets", 0)), Targets).signed
    roles = targets.delegations.roles if targets.delegations is not None else None
    return {role: version for role, version in found.items() if role == "targets" or role in (roles or {})}


def _without_older(files: Mapping[str, bytes], newest: Mapping[str, int]) -> dict[str, bytes]:
    """Every root, the newest of each role, and only targets that these list."""
    kept = {path: content for path, content in files.items() if _role_name(path) == "root"}
    for role, version in newest.items():
        path = metadata_path(role, version)
        kept[path] = files[path]
        for target in load(files, path, Targets).signed.targets.values():
            place = target_path(target.path, target.hashes["sha256"])
            if place in files:
                kept[place] = files[place]
    return kept


def _snapshot_before(files: Mapping[str, bytes]) -> Snapshot | None:
    versions = [_version(path) for path in files if _role_name(path) == "snapshot"]
    return load(files, metadata_path("snapshot", max(versions)), Snapshot).signed if versions else None


def _proposed(bundle: Bundle) -> list[tuple[str, Metadata[Any]]]:
    every = {**bundle.files, **bundle.proposed}
    kinds: dict[str, type[Any]] = {"root": Root}
    return [
        (path, load(every, path, kinds.get(_role_name(path), Targets)))
        for path in sorted(bundle.proposed)
        if _role_name(path)
    ]


def _delegators(bundle: Bundle) -> dict[str, list[Root | Targets]]:
    """Role → whose thresholds a proposed file of it must meet."""
    files = {**bundle.files, **bundle.proposed}
    version = newest_root_version(files)
    root = load(files, metadata_path("root", version), Root).signed
    path = metadata_path("targets", newest_versions(files)["targets"])
    targets = load(files, path, Targets).signed
    before = load(files, metadata_path("root", version - 1), Root).signed if version > 1 else None
    states = targets.delegations.roles if targets.delegations is not None else None
    return {
        "root": [root] if before is None else [before, root],
        "targets": [root],
        **{role: [targets] for role in states or {}},
    }


def _states_of(bundle: Bundle, keys: Iterable[str]) -> tuple[str, ...]:
    """The states whose register keys these are, as the targets (present and proposed) say."""
    files, found = {**bundle.files, **bundle.proposed}, {}
    for path in files:
        if _role_name(path) == "targets":
            delegations = load(files, path, Targets).signed.delegations
            roles = delegations.roles if delegations is not None else None
            found.update({role.keyids[0]: name.upper() for name, role in (roles or {}).items()})
    return tuple(sorted(found.get(key_id, key_id[:16]) for key_id in keys))


def _role_name(path: str) -> str:
    """`ca` of `metadata/3.ca.json`; empty for a target."""
    folder, _, name = path.partition("/")
    return name.removesuffix(".json").rpartition(".")[2] if folder == "metadata" else ""


def _version(path: str) -> int:
    return int(path.partition("/")[2].partition(".")[0])


def _binding(root: Root) -> str:
    return str(root.unrecognized_fields["comity_compact"])
