"""The quorum of witnesses that this node's disclosures wait for. Fails closed.

`DIR/witnesses.policy` (C2SP tlog-policy) says which witnesses must have cosigned; without one nothing is required.
`DIR/witnessed.note` is the newest checkpoint of our own that a quorum cosigned, with those cosignatures: it is
judged anew by the policy of the moment each time it is read, so it survives restarts and says nothing that its
signatures do not say. A policy that cannot be read, or that is gone although one was installed, is met by nothing.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import structlog

from comity.backends.files import sync_folder, write_durably
from comity.backends.sql import Transaction
from comity.errors import ComityError, InputError, NotFound, StorageError, TrustError
from comity.ledger import CHECKPOINT, Finding, Policy, PolicyRefused, cosignatures_on, judge, parse_policy
from comity.ledger.rollback import root_of
from comity.node.bootstrap import Node
from comity.node.log.publish import log_signer
from comity.node.log.rollback import is_contradicted
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.note import SignedNote, VerifierKey, verifier_of

log = structlog.get_logger()
POLICY = "witnesses.policy"
WITNESSED = "witnessed.note"
_INSTALLED = "witness-policy.installed"
_REMOVED = "witness-policy.removed"


class PolicyGone(NotFound):
    """A policy was installed here, and the file is not there any more."""

    code = "node.policy-gone"
    remedy = (
        "Install it again (comity log policy DIR --set FILE), or say that none is wanted "
        "(comity log policy DIR --remove). Until then nothing that must be witnessed leaves."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How this node stands with its witnesses. `problem` is why nothing counts as witnessed, or empty."""

    policy: Policy | None
    problem: str
    size: int
    """How many entries of the log a quorum has witnessed; all there will ever be if nothing is required."""
    finding: Finding | None
    """What the policy says about the published checkpoint as it is now."""


def policy_file(node: Node) -> Path:
    return node.home.path / POLICY


def witnessed_file(node: Node) -> Path:
    return node.home.path / WITNESSED


def policy(node: Node) -> Policy | None:
    """The policy in force, or None if none was installed; `PolicyRefused`, `PolicyGone` or `StorageError`."""
    raw = _read(policy_file(node))
    if raw is None:
        _refuse_gone(node)
        return None
    _NEVER.discard(str(node.home.path))
    return _usable(raw, verifier_of(log_signer(node)))


def witnessed_size(node: Node) -> int:
    """The size of the newest checkpoint of ours that met the quorum; 0 if none did, or if nothing is required.

    Raises what `policy` raises, and `TrustError` if the log does not continue what was witnessed.
    """
    found = policy(node)
    if found is None:
        return 0
    if is_contradicted(node):
        raise TrustError("a witness showed a checkpoint of ours that our log does not continue")
    raw = _read(witnessed_file(node))
    own = verifier_of(log_signer(node))
    judged = None if raw is None else _judged(raw, found, own)
    if judged is None or not judged[1].met:
        return 0
    checkpoint = judged[0]
    _refuse_other_log(node, checkpoint, own)
    return checkpoint.size


def witnessed(node: Node, tx: Transaction, event_seq: int) -> bool:
    """Does event number `event_seq` (`events.seq`) stand under a checkpoint that met the quorum?

    True if no policy asks for any. False, and the reason in the node's log, if that cannot be known.
    """
    try:
        asked = policy(node)
        if asked is None or asked.asks_nothing:
            return True
        size = witnessed_size(node)
    except (ComityError, OSError) as error:
        _say_once(str(node.home.path), str(error))
        return False
    place = tx.witnessed.place_of(event_seq)
    return place is not None and place < size


def is_witnessed(node: Node, event_seq: int) -> bool:
    """`witnessed` in a transaction of its own."""
    with node.records.reading() as tx:
        return witnessed(node, tx, event_seq)


def keep_witnessed(node: Node, note: SignedNote) -> bool:
    """Keep a checkpoint of ours if it meets the quorum and is newer than the one kept; durable on return."""
    asked = policy(node)
    if asked is None or asked.asks_nothing:
        return False
    own = verifier_of(log_signer(node))
    judged = _judged(note.encode(), asked, own)
    if judged is None or not judged[1].met or judged[0].size <= witnessed_size(node):
        return False
    write_durably(witnessed_file(node), note.encode())
    return True


def standing(node: Node) -> Standing:
    """For people: what is asked for, how far it is met, and what is wrong."""
    own = verifier_of(log_signer(node))
    try:
        asked = policy(node)
    except (ComityError, OSError) as error:
        return Standing(policy=None, problem=str(error), size=0, finding=None)
    if asked is None:
        return Standing(policy=None, problem="", size=0, finding=None)
    raw = node.log.read(CHECKPOINT)
    judged = None if raw is None else _judged(raw, asked, own)
    finding = judged[1] if judged else judge(asked, ())
    try:
        return Standing(policy=asked, problem="", size=witnessed_size(node), finding=finding)
    except (ComityError, OSError) as error:
        return Standing(policy=asked, problem=str(error), size=0, finding=finding)


def install(node: Node, raw: bytes, *, actor: str) -> Policy:
    """Check a policy and put it in force, whole or not at all; recorded as an event."""
    found = _usable(raw, verifier_of(log_signer(node)))
    write_durably(policy_file(node), raw)
    with node.records.transaction() as tx:
        node.record(tx, _INSTALLED, actor=actor, digest=hashlib.sha256(raw).hexdigest(), text=_text(raw))
    return found


def remove(node: Node, *, actor: str) -> None:
    """Ask for no witnesses any more; recorded as an event, first."""
    with node.records.transaction() as tx:
        node.record(tx, _REMOVED, actor=actor)
    try:
        policy_file(node).unlink(missing_ok=True)
        sync_folder(node.home.path)
    except OSError as error:
        raise StorageError(f"the disk refused: {error}", where=str(policy_file(node))) from error


@lru_cache(maxsize=16)
def _usable(raw: bytes, own: VerifierKey) -> Policy:
    """Parse, and refuse what this node cannot be held to. Pure, so that it may be remembered by its input."""
    found = parse_policy(raw)
    if any(key.public == own.public for key in found.keys):
        raise PolicyRefused.because(expected="witnesses other than the log itself", got=own.name)
    if found.logs and all(known.key != own for known in found.logs):
        raise PolicyRefused.because(
            expected=f"a policy for the log {own}", got=", ".join(known.key.name for known in found.logs),
            remedy="Add a line `log <vkey>` with this node's key (comity log key DIR), or leave log lines out.",
        )  # fmt: skip
    return found


@lru_cache(maxsize=16)
def _judged(raw: bytes, asked: Policy, own: VerifierKey) -> tuple[Checkpoint, Finding] | None:
    """The checkpoint and what the policy says to it; None if a signature does not hold. Pure, as `_usable`."""
    try:
        checkpoint, note = open_checkpoint(raw, [own])
        return checkpoint, judge(asked, cosignatures_on(note, asked.keys), log=own)
    except (InputError, TrustError):
        return None


_CONTINUED: dict[str, tuple[bytes, bytes]] = {}
"""By log directory: a published root, and the witnessed root that it was last seen to continue."""


def _refuse_other_log(node: Node, witnessed: Checkpoint, own: VerifierKey) -> None:
    """`TrustError` unless the published log continues what was witnessed: a restored backup may give places anew."""
    raw = node.log.read(CHECKPOINT)
    published = None if raw is None else open_checkpoint(raw, [own])[0]
    if published is None or published.size < witnessed.size:
        raise TrustError(
            f"expected a log of {witnessed.size} entries or more, as were witnessed, "
            f"got {published.size if published else 0}"
        )
    where, both = str(node.home.path), (published.root, witnessed.root)
    if _CONTINUED.get(where) == both:
        return
    if root_of(node.log, published, witnessed.size) != witnessed.root:
        raise TrustError(f"the log does not continue the {witnessed.size} entries that were witnessed")
    _CONTINUED[where] = both


_NEVER: set[str] = set()
"""Nodes of this process that had no policy in force when their events were read; forgotten once there is one."""


def _refuse_gone(node: Node) -> None:
    """The events say whether a policy is in force: a restore that lacks the file is missed by them."""
    where = str(node.home.path)
    if where in _NEVER:
        return
    with node.records.reading() as tx:
        kinds = [one.kind for one in tx.events.of_kinds([_INSTALLED, _REMOVED])]
    if kinds[-1:] != [_INSTALLED]:
        _NEVER.add(where)
    else:
        raise PolicyGone.because(
            expected="the policy of witnesses that was installed", got="none", where=str(policy_file(node))
        )


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"it could not be read: {error.strerror}", where=str(file)) from error


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


_SAID: dict[str, str] = {}


def _say_once(where: str, problem: str) -> None:
    if _SAID.get(where) != problem:
        _SAID[where] = problem
        log.warning("nothing counts as witnessed", problem=problem)
