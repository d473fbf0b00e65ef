"""Change a register: propose, sign with this state's key, publish when enough have signed (spec/register.md §8).

Publishing keeps the new version here and queues a notice with the changed files for every member, in one
transaction with its event; whoever does not hear it finds it at any member's mirror. The file is replaced before that
transaction commits: what a kill between the two leaves undone, `make_good` does.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.backends.files import write_durably
from comity.backends.keys import Generation, prepare_generation, use_generation
from comity.backends.register_files import changing, load_joined, save_joined
from comity.backends.root_key_file import read_root_key
from comity.backends.sql import Transaction
from comity.errors import Conflict, InputError
from comity.exchange import Bundle, Compact, Member, make_card, write_bundle
from comity.exchange.refusals import OversizeEnvelope
from comity.exchange.register.change import (
    Difference,
    difference,
    merge,
    propose_cards,
    propose_removal,
    propose_renewal,
    propose_revocation,
    propose_rotation,
)
from comity.exchange.register.layout import register_key_id
from comity.exchange.register.read import (
    BrokenRegister,
    newest_root_version,
    read_register,
    verify_register,
)
from comity.exchange.register.write import Missing, complete, missing, newest_versions, sign
from comity.node.bootstrap import Node, passphrase, root_passphrase
from comity.node.post.send import Letter, send
from comity.node.registers.admit import card_of, open_bundle
from comity.node.registers.update import CHANGED, Updated, files_changed, pursue_again, record, successor

log = structlog.get_logger()
Proposing = Callable[[Mapping[str, bytes], datetime], Bundle]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A proposal after this state signed it. `compact` is the published one, once nobody is missing."""

    bundle: Bundle
    missing: tuple[Missing, ...]
    compact: Compact | None


def root_key(node: Node, file: Path | None) -> Ed25519PrivateKey:
    """This state's register key: from `file`, or from the node's own keys."""
    if file is not None:
        return read_root_key(file, root_passphrase(node.home))
    if node.keys.root is None:
        raise InputError.because(
            expected="this state's register key", got="none among the node's keys",
            remedy="Name the file it is kept in: --root-key FILE.",
        )  # fmt: skip
    return node.keys.root


def sign_file(node: Node, file: Path, *, key: Ed25519PrivateKey, actor: str) -> Signed:
    """Add this state's signatures to the proposal in `file`; publish it into the file if it is complete."""
    bundle = open_bundle(file)
    if not bundle.proposed:
        raise Conflict.because(
            expected="a proposal that states have still to sign", got=f"{file}, which is complete",
            remedy=f"Join it, or update from it: comity compact join DIR {file}",
        )  # fmt: skip
    _refuse_other_cards(node, bundle)
    signed = sign(bundle, key)
    lacking = tuple(missing(signed))
    compact = None
    if not lacking:
        signed = complete(signed, [node.keys.online], now=node.clock())
        compact = _publish_if_joined(node, signed, bundle.proposed, actor)
    write_durably(file, write_bundle(signed))
    return Signed(bundle=signed, missing=lacking, compact=compact)


def propose_change(
    node: Node, name: str, propose: Proposing, *, key: Ed25519PrivateKey | None, file: Path | None, actor: str
) -> Signed:
    """Propose a change of a register this node has joined, sign it with `key`, publish it if that is enough.

    Otherwise the proposal goes into `file`, for the other states to sign.
    """
    make_good(node)
    folder = node.home.compacts / name
    bundle = propose(load_joined(folder).files, node.clock())
    if key is not None:
        bundle = sign(bundle, key)
    lacking = tuple(missing(bundle))
    if lacking:
        if file is None:
            who = sorted({state for one in lacking for state in one.states})
            raise InputError.because(
                expected="a file for the proposal, which other states must sign", got="none",
                remedy=f"Name one: --out FILE. Signatures are wanted of {', '.join(who)}.",
            )  # fmt: skip
        write_durably(file, write_bundle(bundle))
        return Signed(bundle=bundle, missing=lacking, compact=None)
    changed, bundle = bundle.proposed, complete(bundle, [node.keys.online], now=node.clock())
    updated = publish(node, name, bundle, changed=changed, actor=actor)
    if file is not None:
        write_durably(file, write_bundle(bundle))
    return Signed(bundle=bundle, missing=(), compact=updated.compact)


def adding(cards: Sequence[Path]) -> Proposing:
    texts = [card_of(card) for card in cards]
    return lambda files, now: propose_cards(files, texts, now=now)


def removing(member_id: str) -> Proposing:
    return lambda files, now: propose_removal(files, member_id, now=now)


def revoking(member_id: str, reason: str) -> Proposing:
    return lambda files, now: propose_revocation(files, member_id, at=now, reason=reason)


def renewing(threshold: int | None) -> Proposing:
    return lambda files, now: propose_renewal(files, now=now, threshold=threshold)


def rotate(node: Node, *, overlap: timedelta, key: Ed25519PrivateKey, actor: str) -> list[Updated]:
    """Give this node new signing, sealing and TLS keys in every compact it has joined.

    The old ones still verify for `overlap`; what is sealed to the old sealing key is opened as long as its
    file is there. Killed on the way, it is done by repeating it: keys that were prepared are taken again.
    """
    now, names = node.clock(), list(node.compacts())
    if not names:
        raise InputError.because(
            expected="a node that has joined a compact", got="none", remedy="Before that, found a new node."
        )
    make_good(node)
    secret, settings = passphrase(node.home), node.settings
    made = prepare_generation(node.home.keys, secret, node_id=node.id, host=settings.host, now=now)
    done = [_rotate_in(node, name, made, now + overlap, key, actor) for name in names]
    use_generation(node.home.keys, secret, made.number)
    card = make_card(_rekeyed(node.compact(names[0]).member(node.id), made), key=made.signing)
    write_durably(node.home.card, f"{card}\n".encode())
    return [one for one in done if one is not None]


def publish(node: Node, name: str, bundle: Bundle, *, changed: Collection[str], actor: str) -> Updated:
    """Keep what is published, and tell every member that stays, in one transaction.

    `changed` are the paths that were proposed. The notice is signed and sealed by the keys that the members
    know: those of the version before.
    """
    folder = node.home.compacts / name
    with changing(folder):
        held = load_joined(folder)
        _refuse_overtaken(held.files, bundle.files, changed)
        files = merge(held.files, bundle.files, node.keys.online, now=node.clock())
        if files is None:
            raise Conflict.because(expected="a change of the register", got="what is held already")
        joined = successor(node, held, files)
        before, after = held.compact(), joined.compact()
        updated = Updated(compact=after, difference=difference(before, after), newer=True)
        with node.records.transaction() as tx:
            _tell(node, tx, before, after, files_changed(held.files, files), actor)
            record(node, tx, updated, actor=actor, source="published here")
            save_joined(folder, joined)
    return updated


def make_good(node: Node) -> None:
    """Record the versions of registers whose event was lost, killed after the file and before the commit; and tell the
    members of those that were published here. To be called at the start, and before the next change.
    """
    with node.records.transaction() as tx:
        recorded = {
            one.body["compact"]: one.body["digest"]
            for one in tx.events.of_kinds(["compact.joined", "register.updated"])
        }
        for name, compact in node.registers().items():
            if recorded.get(name, compact.digest) != compact.digest:
                unknown = Difference(joined=(), left=(), rekeyed=(), revoked=())
                updated = Updated(compact=compact, difference=unknown, newer=True)
                _tell_again(node, tx, compact)
                record(node, tx, updated, actor="node", source="found at the start")
                pursue_again(node, tx, name)


def _tell_again(node: Node, tx: Transaction, compact: Compact) -> None:
    """The notice that was lost, with every file: what the version before was is not known any more.

    Only of a version whose snapshot this node signed; others were told by who published them. A node that has taken
    itself out can tell nobody: the others find it at its mirror.
    """
    files = load_joined(node.home.compacts / compact.name).files
    own = register_key_id(node.keys.online.public_key().public_bytes_raw())
    if not node.knows(node.id, compact.name) or own not in verify_register(files).snapshot_signers:
        return
    try:
        _tell(node, tx, compact, compact, files_changed({}, files), "node")
    except OversizeEnvelope as error:
        log.warning("members are not told of the register", compact=compact.name, problem=str(error))


def _tell(
    node: Node, tx: Transaction, before: Compact, after: Compact, files: Mapping[str, str], actor: str
) -> None:
    stay = {member.id for member in after.members} & {
        member.id for member in node.compact(before.name).members
    }
    for member_id in sorted(stay - {node.id}):
        letter = Letter(
            compact=before.name, peer=member_id, type=CHANGED, case_id="", purpose="upkeep of the register",
            legal_basis="", payload={"files": dict(files)},
        )  # fmt: skip
        send(node, tx, letter, actor=actor)


def _rotate_in(
    node: Node, name: str, made: Generation, retires_at: datetime, key: Ed25519PrivateKey, actor: str
) -> Updated | None:
    mine = node.compact(name).member(node.id)
    if mine.signing_key == made.signing.public_key().public_bytes_raw():
        return None  # done before a kill
    card = make_card(_rekeyed(mine, made), key=made.signing)

    def propose(files: Mapping[str, bytes], now: datetime) -> Bundle:
        return propose_rotation(files, card, now=now, retires_at=retires_at)

    bundle = sign(propose(load_joined(node.home.compacts / name).files, node.clock()), key)
    done = complete(bundle, [node.keys.online], now=node.clock())
    return publish(node, name, done, changed=bundle.proposed, actor=actor)


def _rekeyed(member: Member, made: Generation) -> Member:
    return replace(
        member, signing_key=made.signing.public_key().public_bytes_raw(), sealing_key=made.sealing.public,
        tls_certificate=made.tls_certificate,
    )  # fmt: skip


def _refuse_overtaken(
    before: Mapping[str, bytes], after: Mapping[str, bytes], changed: Collection[str]
) -> None:
    """A change proposed from an older version than the one now held, of the same part of the register."""
    newest = {**newest_versions(before), "root": newest_root_version(before)}
    for path in sorted(changed):
        version, _, role = path.partition("/")[2].removesuffix(".json").partition(".")
        if not path.startswith("metadata/") or int(version) > newest.get(role, 0):
            continue
        if _content(before, path) != _content(after, path):
            raise Conflict.because(
                expected=f"a proposal made from version {newest[role]} of {role}", got=f"version {version}",
                remedy="The register has changed since it was proposed: propose it again.",
            )  # fmt: skip


def _content(files: Mapping[str, bytes], path: str) -> object:
    """What is signed in a metadata file; nothing if there is no such file."""
    return json.loads(files[path])["signed"] if path in files else None


def _refuse_other_cards(node: Node, bundle: Bundle) -> None:
    """What this state signs about this node must be the card that this node made."""
    own = node.home.card.read_text(encoding="utf-8").strip()
    for path, content in bundle.proposed.items():
        if f"/{node.id}/" in path and content.decode("utf-8") != own:
            raise BrokenRegister(
                f"expected the card that this node made, got another of {node.id}", where=path
            )


def _publish_if_joined(node: Node, bundle: Bundle, changed: Collection[str], actor: str) -> Compact | None:
    compact = read_register(bundle.files)
    if compact.name not in node.compacts():
        return None
    return publish(node, compact.name, bundle, changed=changed, actor=actor).compact
