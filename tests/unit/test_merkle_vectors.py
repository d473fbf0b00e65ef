"""The proofs of the certificate-transparency reference code, and each of them spoilt in every way its tests know.

RFC 6962 §2.1.1 and §2.1.2, RFC 9162 §2.1.3.2 and §2.1.4.2. Indices count from 0 here, from 1 in the reference code.
"""

from collections.abc import Iterator

import pytest

from comity.errors import InputError
from comity.proofs.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    ProofRefused,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from tests.unit.test_merkle import ENTRIES, ROOTS, hash_at

_96A2 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_5F08 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_6B47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
_BC1A = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_CA85 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_D37E = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
_FAC5 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
_6E34 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
_0EBC = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
_B086 = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"

INCLUSION = [
    (0, 1, []), (0, 8, [_96A2, _5F08, _6B47]), (5, 8, [_BC1A, _CA85, _D37E]), (2, 3, [_FAC5]),
    (1, 5, [_6E34, _5F08, _BC1A]),
]  # fmt: skip
CONSISTENCY = [
    (1, 1, []), (1, 8, [_96A2, _5F08, _6B47]), (6, 8, [_0EBC, _CA85, _D37E]), (2, 5, [_5F08, _BC1A]),
    (6, 7, [_0EBC, _B086, _D37E]),
]  # fmt: skip
JUNK = b"\xee" * 32
OTHER_SIZES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 2**32, 2**62, MAX_SIZE)


def raw(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in hashes]


def root(size: int) -> bytes:
    return bytes.fromhex(ROOTS[size])


@pytest.mark.parametrize(("index", "size", "hashes"), INCLUSION)
def test_known_inclusion_proofs(index: int, size: int, hashes: list[str]) -> None:
    assert list(prove_inclusion(index, size, hash_at)) == raw(hashes)
    verify_inclusion(leaf_hash(ENTRIES[index]), index, size, raw(hashes), root(size))


@pytest.mark.parametrize(("old", "new", "hashes"), CONSISTENCY)
def test_known_consistency_proofs(old: int, new: int, hashes: list[str]) -> None:
    assert list(prove_consistency(old, new, hash_at)) == raw(hashes)
    verify_consistency(old, root(old), new, root(new), raw(hashes))


def spoilt(proof: list[bytes], *near: bytes) -> Iterator[list[bytes]]:
    """The proof with hashes added, taken away, replaced, cut and turned round; never the proof itself."""
    for extra in (JUNK, b"", b"\x00" * 32, *near):
        yield [*proof, extra]
        yield [extra, *proof]
    for at, value in enumerate(proof):
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[:at], value, *proof[at:]]
        for other in (JUNK, b"", value[:-1], value + b"\x00", bytes([value[0] ^ 1]) + value[1:], *near):
            if other != value:
                yield [*proof[:at], other, *proof[at + 1 :]]
    if len(set(proof)) > 1:
        yield proof[::-1]
        yield [*proof[1:], proof[0]]
    if proof:
        yield []


@pytest.mark.parametrize("size", range(1, 9))
def test_every_spoilt_inclusion_proof_is_refused(size: int) -> None:
    for index in range(size):
        leaf, proof = leaf_hash(ENTRIES[index]), list(prove_inclusion(index, size, hash_at))
        verify_inclusion(leaf, index, size, proof, root(size))
        for bad in spoilt(proof, leaf, root(size)):
            with pytest.raises(ProofRefused):
                verify_inclusion(leaf, index, size, bad, root(size))
        for other in (JUNK, b"", EMPTY_ROOT, leaf_hash(JUNK), root(size)[:-1], *map(root, range(9))):
            if other != root(size):
                with pytest.raises(ProofRefused):
                    verify_inclusion(leaf, index, size, proof, other)
            if other != leaf:
                with pytest.raises(ProofRefused):
                    verify_inclusion(other, index, size, proof, root(size))
        for other_index in (index - 1, index + 1, index ^ 2, -1, size, MAX_SIZE):
            if other_index != index:
                with pytest.raises(ProofRefused):
                    verify_inclusion(leaf, other_index, size, proof, root(size))


@pytest.mark.parametrize("size", range(1, 9))
def test_an_inclusion_proof_holds_for_no_other_size_of_another_shape(size: int) -> None:
    """Some sizes give the same way from leaf to root: then the root is what binds the size, as the signed
    checkpoint does. Whatever passes must have that way.
    """
    for index in range(size):
        proof = list(prove_inclusion(index, size, hash_at))
        for other in OTHER_SIZES:
            try:
                verify_inclusion(leaf_hash(ENTRIES[index]), index, other, proof, root(size))
            except ProofRefused:
                continue
            assert other > index
            assert turns(index, other) == turns(index, size)


def turns(index: int, size: int) -> list[bool]:
    """From the leaf up, whether the sibling stands on the left (RFC 6962 §2.1.1, from its definition)."""
    if size == 1:
        return []
    split = 1 << (size - 1).bit_length() - 1
    return [*turns(index, split), False] if index < split else [*turns(index - split, size - split), True]


@pytest.mark.parametrize("new", range(1, 9))
def test_every_spoilt_consistency_proof_is_refused(new: int) -> None:
    for old in range(1, new + 1):
        proof = list(prove_consistency(old, new, hash_at))
        verify_consistency(old, root(old), new, root(new), proof)
        for bad in spoilt(proof, root(old), root(new)):
            with pytest.raises(ProofRefused):
                verify_consistency(old, root(old), new, root(new), bad)
        for other in (JUNK, b"", EMPTY_ROOT, b"\x00" * 32, *map(root, range(9))):
            if other != root(old):
                with pytest.raises(ProofRefused):
                    verify_consistency(old, other, new, root(new), proof)
            if other != root(new):
                with pytest.raises(ProofRefused):
                    verify_consistency(old, root(old), new, other, proof)
        for other_size in (old - 1, old + 1, old ^ 2, -1, new + 1, 2 * new + 1, MAX_SIZE + 1):
            if other_size != old:
                with pytest.raises(ProofRefused):
                    verify_consistency(other_size, root(old), new, root(new), proof)
        with pytest.raises(ProofRefused):
            verify_consistency(new + 1, root(new), old, root(old), proof)


@pytest.mark.parametrize("size", [-1, 0, MAX_SIZE + 1, 2**64])
def test_sizes_that_no_tree_with_entries_has_prove_nothing(size: int) -> None:
    for proof in ([], [JUNK], raw([_96A2, _5F08, _6B47])):
        for claimed in (EMPTY_ROOT, root(8), JUNK):
            with pytest.raises(ProofRefused):
                verify_inclusion(leaf_hash(ENTRIES[0]), 0, size, proof, claimed)
            with pytest.raises(ProofRefused):
                verify_consistency(size, claimed, 8, root(8), proof)
            with pytest.raises(ProofRefused):
                verify_consistency(1, root(1), size, claimed, proof)
    with pytest.raises(InputError):
        prove_inclusion(0, size, hash_at)
    with pytest.raises(InputError):
        prove_consistency(1, size, hash_at)


@pytest.mark.parametrize("length", [0, 1, 20, 31, 33, 48, 64])
def test_hashes_that_are_not_32_bytes_are_refused_even_where_they_would_fit(length: int) -> None:
    """Also where a verifier that only concatenates would not notice: 31 bytes here, 33 there."""
    leaf, proof = leaf_hash(ENTRIES[0]), list(prove_inclusion(0, 8, hash_at))
    wrong = (JUNK * 3)[:length]
    for at in range(3):
        with pytest.raises(ProofRefused, match="32 bytes"):
            verify_inclusion(leaf, 0, 8, [*proof[:at], wrong, *proof[at + 1 :]], root(8))
    joined = b"".join(proof)
    for cuts in ((31, 33, 32), (33, 31, 32), (32, 31, 33), (96, 0, 0), (64, 32, 0)):
        parts, start = [], 0
        for cut in cuts:
            parts.append(joined[start : start + cut])
            start += cut
        with pytest.raises(ProofRefused):
            verify_inclusion(leaf, 0, 8, parts, root(8))


def test_the_largest_trees_are_checked_without_going_through_them() -> None:
    """63 hashes at most, whatever the size says."""
    with pytest.raises(ProofRefused, match="63 hashes"):
        verify_inclusion(JUNK, 0, MAX_SIZE, [], JUNK)
    for proof in ([JUNK] * 62, [JUNK] * 63, [JUNK] * 64):
        with pytest.raises(ProofRefused):
            verify_inclusion(JUNK, 0, MAX_SIZE, proof, JUNK)
        with pytest.raises(ProofRefused):
            verify_consistency(1, JUNK, MAX_SIZE, JUNK, proof)


def test_roots_of_the_reference_code() -> None:
    assert [root_at(size, hash_at).hex() for size in range(9)] == ROOTS
