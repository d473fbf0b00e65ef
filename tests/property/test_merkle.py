"""Roots and proofs against RFC 6962 §2.1, written down a second time as the recursion it is."""

import hashlib
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import InputError
from comity.proofs.merkle import (
    EMPTY_ROOT,
    ProofRefused,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from comity.proofs.tiles import HEIGHT, WIDTH, RightEdge, Tile, TileHashes, leaf_hashes, new_tiles, tile_at

LARGEST = 600
ENTRIES = [f"entry {number}".encode() for number in range(LARGEST)]


def sha(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def mth(entries: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1: MTH."""
    if not entries:
        return sha(b"")
    if len(entries) == 1:
        return sha(b"\x00" + entries[0])
    k = split(len(entries))
    return sha(b"\x01" + mth(entries[:k]) + mth(entries[k:]))


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1: PATH."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: Sequence[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 §2.1.2: SUBPROOF; PROOF(m, D[n]) is SUBPROOF(m, D[n], true)."""
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def split(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


KNOWN: dict[tuple[int, int], bytes] = {}


def hash_at(level: int, index: int) -> bytes:
    key = (level, index)
    if key not in KNOWN:
        KNOWN[key] = mth(ENTRIES[index << level : (index + 1) << level])
    return KNOWN[key]


def tiles_by_definition(size: int) -> dict[Tile, bytes]:
    """tlog-tiles, “Merkle Tree”: MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l])."""
    found: dict[Tile, bytes] = {}
    level = 0
    while size >> HEIGHT * level:
        hashes = [hash_at(HEIGHT * level, index) for index in range(size >> HEIGHT * level)]
        for at in range(0, len(hashes), WIDTH):
            part = hashes[at : at + WIDTH]
            found[Tile(level, at // WIDTH, len(part))] = b"".join(part)
        level += 1
    return found


def test_every_root_is_the_one_of_the_definition() -> None:
    assert root_at(0, hash_at) == EMPTY_ROOT == mth([])
    for size in range(1, LARGEST + 1):
        assert root_at(size, hash_at) == mth(ENTRIES[:size]), size


@settings(max_examples=150, deadline=None)
@given(st.integers(1, LARGEST).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_inclusion_proofs_are_those_of_the_definition(sizes: tuple[int, int]) -> None:
    size, index = sizes
    proof = prove_inclusion(index, size, hash_at)
    assert list(proof) == path(index, ENTRIES[:size])
    verify_inclusion(leaf_hash(ENTRIES[index]), index, size, proof, mth(ENTRIES[:size]))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, LARGEST).flatmap(lambda new: st.tuples(st.integers(1, new), st.just(new))))
def test_consistency_proofs_are_those_of_the_definition(sizes: tuple[int, int]) -> None:
    old, new = sizes
    proof = prove_consistency(old, new, hash_at)
    assert list(proof) == subproof(old, ENTRIES[:new], True)
    verify_consistency(old, mth(ENTRIES[:old]), new, mth(ENTRIES[:new]), proof)


def test_all_proofs_of_small_trees() -> None:
    for new in range(1, 40):
        root = mth(ENTRIES[:new])
        for at in range(new):
            verify_inclusion(leaf_hash(ENTRIES[at]), at, new, path(at, ENTRIES[:new]), root)
            proof = subproof(at + 1, ENTRIES[:new], True)
            verify_consistency(at + 1, mth(ENTRIES[: at + 1]), new, root, proof)


def broken(proof: Sequence[bytes], choice: random.Random) -> list[bytes]:
    """One proof that is not `proof`: a bit changed, a hash dropped, added, doubled, swapped, cut or grown."""
    kinds = ["added"] if not proof else ["bit", "dropped", "added", "doubled", "cut", "grown"]
    kind = choice.choice(kinds)
    at = choice.randrange(len(proof)) if proof else 0
    result = list(proof)
    match kind:
        case "bit":
            place = choice.randrange(32)
            raw = bytearray(result[at])
            raw[place] ^= 1 << choice.randrange(8)
            result[at] = bytes(raw)
        case "dropped":
            del result[at]
        case "added":
            result.insert(at, choice.randbytes(32))
        case "doubled":
            result.insert(at, result[at])
        case "cut":
            result[at] = result[at][:-1]
        case "grown":
            result[at] += b"\x00"
    return result


@settings(max_examples=200, deadline=None)
@given(st.integers(1, LARGEST), st.randoms(use_true_random=False))
def test_no_altered_proof_is_accepted(size: int, choice: random.Random) -> None:
    index, old = choice.randrange(size), choice.randint(1, size)
    root, leaf = root_at(size, hash_at), leaf_hash(ENTRIES[index])
    with pytest.raises(ProofRefused):
        verify_inclusion(leaf, index, size, broken(prove_inclusion(index, size, hash_at), choice), root)
    wrong = broken(prove_consistency(old, size, hash_at), choice)
    with pytest.raises(ProofRefused):
        verify_consistency(old, root_at(old, hash_at), size, root, wrong)


@settings(max_examples=200, deadline=None)
@given(st.integers(2, LARGEST), st.randoms(use_true_random=False))
def test_no_proof_speaks_for_another_entry_or_tree(size: int, choice: random.Random) -> None:
    index = choice.randrange(size)
    other = choice.choice([at for at in range(size) if at != index])
    root, proof = root_at(size, hash_at), prove_inclusion(index, size, hash_at)
    with pytest.raises(ProofRefused):
        verify_inclusion(leaf_hash(ENTRIES[other]), index, size, proof, root)
    with pytest.raises(ProofRefused):
        verify_inclusion(leaf_hash(ENTRIES[index]), other, size, proof, root)
    old = choice.randint(1, size - 1)
    growth = prove_consistency(old, size, hash_at)
    with pytest.raises(ProofRefused):
        verify_consistency(old, sha(b"another"), size, root, growth)
    with pytest.raises(ProofRefused):
        verify_consistency(old, root_at(old, hash_at), size, sha(b"another"), growth)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, LARGEST), st.integers(0, LARGEST), st.integers(1, 300))
def test_growing_makes_the_tiles_of_the_definition(one: int, other: int, step: int) -> None:
    old, new = sorted((one, other))
    expected = tiles_by_definition(new)
    stored = tiles_by_definition(old)
    edge = RightEdge.read(old, stored.__getitem__)
    while edge.size < new:
        stored.update(edge.append(leaf_hashes(ENTRIES[edge.size : min(edge.size + step, new)])))
    stored.update(edge.unfinished())
    assert {tile: stored.get(tile) for tile in expected} == expected
    assert edge.root() == mth(ENTRIES[:new])
    changed = {tile for tile in expected if tile not in tiles_by_definition(old)}
    assert {tile for tile in new_tiles(old, new) if tile.level >= 0} == changed


@settings(max_examples=60, deadline=None)
@given(st.integers(1, LARGEST).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size))))
def test_proofs_come_from_tiles_as_from_memory(sizes: tuple[int, int]) -> None:
    size, part = sizes
    stored = tiles_by_definition(size)
    hashes = TileHashes(size, stored.__getitem__)
    assert root_at(size, hashes.hash_at) == mth(ENTRIES[:size])
    assert prove_inclusion(part - 1, size, hashes.hash_at) == prove_inclusion(part - 1, size, hash_at)
    assert prove_consistency(part, size, hashes.hash_at) == prove_consistency(part, size, hash_at)
    assert tile_at(0, (part - 1) // WIDTH, size) in stored


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 5), (5, 5), (6, 5), (0, 2**63)])
def test_what_is_not_in_a_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(InputError):
        prove_inclusion(index, size, hash_at)
    with pytest.raises(ProofRefused):
        verify_inclusion(bytes(32), index, size, [], bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5), (1, 2**63)])
def test_no_tree_continues_an_empty_or_larger_one(old: int, new: int) -> None:
    with pytest.raises(InputError):
        prove_consistency(old, new, hash_at)
    with pytest.raises(ProofRefused):
        verify_consistency(old, EMPTY_ROOT, new, EMPTY_ROOT, [])
