"""Merkle trees of RFC 6962 §2.1: hashes, roots, inclusion (§2.1.1) and consistency (§2.1.2) proofs. Pure.

Proofs are made through a reader of complete subtrees, so that they come from memory or from tiles alike.
Checking refuses empty trees, hashes that are not 32 bytes and proofs of any length but the right one.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

from comity.errors import InputError, TrustError

HASH_SIZE = 32
MAX_SIZE = 2**63 - 1
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree with no entries (RFC 6962 §2.1)."""

HashAt = Callable[[int, int], bytes]
"""`(level, index)` → hash over entries `[index * 2**level, (index + 1) * 2**level)`; all of them exist."""


class ProofRefused(TrustError):
    """A Merkle proof does not show what it is said to show."""

    code = "trust.proof"
    remedy = "Keep the proof and both checkpoints: together they may show that the log told two stories."


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_at(size: int, hash_at: HashAt) -> bytes:
    """Return the root of the tree of the first `size` entries."""
    return _range_hash(0, _counted(size, least=0), hash_at) if size else EMPTY_ROOT


def prove_inclusion(index: int, size: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """Return PATH(index, D[size]), sibling of the leaf first (RFC 6962 §2.1.1)."""
    _counted(size, least=1)
    if not 0 <= index < size:
        raise InputError.because(expected=f"an entry index below {size}", got=str(index))
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_hash(middle, high, hash_at))
            high = middle
        else:
            path.append(_range_hash(low, middle, hash_at))
            low = middle
    return tuple(reversed(path))


def prove_consistency(old: int, new: int, hash_at: HashAt) -> tuple[bytes, ...]:
    """Return PROOF(old, D[new]) (RFC 6962 §2.1.2); empty when both sizes are equal."""
    _counted(old, least=1)
    if old > _counted(new, least=1):
        raise InputError.because(expected=f"an old size of at most {new}", got=str(old))
    path: list[bytes] = []
    low, high = 0, new
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range_hash(middle, high, hash_at))
            high = middle
        else:
            path.append(_range_hash(low, middle, hash_at))
            low = middle
    if low:
        path.append(_range_hash(low, high, hash_at))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `ProofRefused` unless `proof` shows that the leaf hash `leaf` is entry `index` under `root`."""
    _refuse_malformed(size, (leaf, root, *proof))
    if not 0 <= index < size:
        raise ProofRefused(f"expected an entry index below {size}, got {index}")
    turns = list(_turns(index, size))
    if len(proof) != len(turns):
        raise ProofRefused(f"expected an inclusion proof of {len(turns)} hashes, got {len(proof)}")
    found = leaf
    for sibling_is_left, sibling in zip(turns, proof, strict=True):
        found = node_hash(sibling, found) if sibling_is_left else node_hash(found, sibling)
    if found != root:
        raise ProofRefused(f"entry {index} is not under root {root.hex()} of size {size}")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `ProofRefused` unless `proof` shows that the tree of size `old` is a prefix of that of `new`."""
    _refuse_malformed(old, (old_root, new_root, *proof))
    if not old <= new <= MAX_SIZE:
        raise ProofRefused(f"expected a new size between {old} and 2**63 - 1, got {new}")
    turns, starts_whole = _consistency_turns(old, new)
    expected = len(turns) + (not starts_whole)
    if len(proof) != expected:
        raise ProofRefused(f"expected a consistency proof of {expected} hashes, got {len(proof)}")
    start, rest = (old_root, proof) if starts_whole else (proof[0], proof[1:])
    was = now = start
    for sibling_is_left, sibling in zip(turns, rest, strict=True):
        now = node_hash(sibling, now) if sibling_is_left else node_hash(now, sibling)
        if sibling_is_left:
            was = node_hash(sibling, was)
    if was != old_root or now != new_root:
        raise ProofRefused(f"the tree of size {old} is not shown to be a prefix of the tree of size {new}")


def _split(count: int) -> int:
    """The largest power of two below `count` (k in RFC 6962 §2.1)."""
    return 1 << (count - 1).bit_length() - 1


def _range_hash(low: int, high: int, hash_at: HashAt) -> bytes:
    """MTH(D[low:high]) for a range that starts where a subtree of its size may start."""
    parts: list[bytes] = []
    while low < high:
        level = (high - low).bit_length() - 1
        parts.append(hash_at(level, low >> level))
        low += 1 << level
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found


def _turns(index: int, size: int) -> Iterator[bool]:
    """From the leaf up: True where the sibling stands on the left."""
    last = size - 1
    while last:
        if index & 1 or index < last:
            yield bool(index & 1)
        index >>= 1
        last >>= 1


def _consistency_turns(old: int, new: int) -> tuple[list[bool], bool]:
    """Sides of the siblings from the old tree's last complete subtree up; is that all of the old tree?"""
    turns: list[bool] = []
    low, high = 0, new
    while old != high:
        middle = low + _split(high - low)
        turns.append(old > middle)
        low, high = (middle, high) if old > middle else (low, middle)
    turns.reverse()
    return turns, low == 0


def _counted(size: int, *, least: int) -> int:
    if not least <= size <= MAX_SIZE:
        raise InputError.because(expected=f"a tree size between {least} and 2**63 - 1", got=str(size))
    return size


def _refuse_malformed(size: int, hashes: Sequence[bytes]) -> None:
    if not 1 <= size <= MAX_SIZE:
        raise ProofRefused(f"expected a tree size between 1 and 2**63 - 1, got {size}")
    for value in hashes:
        if len(value) != HASH_SIZE:
            raise ProofRefused(f"expected hashes of {HASH_SIZE} bytes, got one of {len(value)}")
