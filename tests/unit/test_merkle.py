"""Known vectors for RFC 6962 (those of the certificate-transparency reference code)."""

import pytest

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
from comity.proofs.tiles import leaf_hashes, subtree_root

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hash_at(level: int, index: int) -> bytes:
    return subtree_root(leaf_hashes(ENTRIES[index << level : (index + 1) << level]))


@pytest.mark.parametrize("size", range(9))
def test_roots(size: int) -> None:
    assert root_at(size, hash_at).hex() == ROOTS[size]


def test_inclusion_proof_of_entry_5_in_8() -> None:
    proof = prove_inclusion(5, 8, hash_at)
    assert [value.hex() for value in proof] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_consistency_proof_from_6_to_8() -> None:
    proof = prove_consistency(6, 8, hash_at)
    assert [value.hex() for value in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hashes_of_another_length_are_refused_wherever_they_stand(length: int) -> None:
    proof, growth = list(prove_inclusion(5, 8, hash_at)), list(prove_consistency(6, 8, hash_at))
    root, old_root, leaf = root_at(8, hash_at), root_at(6, hash_at), leaf_hash(ENTRIES[5])
    short = bytes(length)
    for at in range(3):
        with pytest.raises(ProofRefused, match="32 bytes"):
            verify_inclusion(leaf, 5, 8, [*proof[:at], short, *proof[at + 1 :]], root)
        with pytest.raises(ProofRefused, match="32 bytes"):
            verify_consistency(6, old_root, 8, root, [*growth[:at], short, *growth[at + 1 :]])
    with pytest.raises(ProofRefused, match="32 bytes"):
        verify_inclusion(short, 5, 8, proof, root)
    with pytest.raises(ProofRefused, match="32 bytes"):
        verify_inclusion(leaf, 5, 8, proof, short)
    with pytest.raises(ProofRefused, match="32 bytes"):
        verify_consistency(6, short, 8, root, growth)
    with pytest.raises(ProofRefused, match="32 bytes"):
        verify_consistency(6, old_root, 8, short, growth)


def test_size_zero_proves_nothing() -> None:
    with pytest.raises(ProofRefused, match="tree size"):
        verify_inclusion(leaf_hash(b""), 0, 0, [], EMPTY_ROOT)
    with pytest.raises(ProofRefused, match="tree size"):
        verify_consistency(0, EMPTY_ROOT, 8, root_at(8, hash_at), [])


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    root = root_at(8, hash_at)
    verify_consistency(8, root, 8, root, [])
    with pytest.raises(ProofRefused):
        verify_consistency(8, root, 8, root_at(7, hash_at), [])
    with pytest.raises(ProofRefused):
        verify_consistency(8, root, 8, root, [root])


def test_an_inner_node_does_not_pass_as_an_entry() -> None:
    """The two prefixes (0x00 and 0x01) keep a subtree from being shown as a leaf of a smaller tree."""
    left, right = hash_at(2, 0), hash_at(2, 1)
    with pytest.raises(ProofRefused):
        verify_inclusion(leaf_hash(left + right), 0, 1, [], root_at(8, hash_at))
