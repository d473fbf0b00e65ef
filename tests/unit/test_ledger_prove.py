"""Proofs made from a published log, and their portable form (C2SP tlog-proof)."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError, NotFound, TrustError
from comity.ledger import parse_proof, prove_entry, prove_growth, publish, verify_proof
from comity.proofs.merkle import root_at, verify_consistency
from comity.proofs.note import verifier_of
from comity.proofs.tiles import leaf_hashes, subtree_root
from tests.unit.ledger_stores import NOW, MemoryEvents, MemoryTiles, entry, key_of

SIGNER = key_of("log.example")
KEY = verifier_of(SIGNER)
SIZE = 700


def whole_log() -> MemoryTiles:
    tiles = MemoryTiles()
    publish(MemoryEvents(SIZE), tiles, SIGNER, now=NOW)
    return tiles


TILES = whole_log()
NOTE = TILES.files["checkpoint"]
PROOF = prove_entry(TILES, 300, size=SIZE, note=NOTE).encode()


@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 512, 699])
def test_every_entry_can_be_proved_and_read_back(index: int) -> None:
    proof = prove_entry(TILES, index, size=SIZE, note=NOTE)
    assert parse_proof(proof.encode()) == proof
    assert verify_proof(proof, entry(index), [KEY]).size == SIZE
    with pytest.raises(TrustError):
        verify_proof(proof, entry(index + 1), [KEY])
    with pytest.raises(TrustError):
        verify_proof(proof, entry(index), [verifier_of(key_of("other.example"))])


def test_growth_is_proved_between_any_two_published_sizes() -> None:
    def hash_at(level: int, index: int) -> bytes:
        return subtree_root(leaf_hashes([entry(at) for at in range(index << level, (index + 1) << level)]))

    for old in (1, 200, 256, 512, 513, SIZE):
        proof = prove_growth(TILES, old, SIZE)
        verify_consistency(old, root_at(old, hash_at), SIZE, root_at(SIZE, hash_at), proof)
    assert prove_growth(TILES, 0, SIZE) == ()


def test_full_tiles_stand_in_for_unfinished_ones_that_are_gone() -> None:
    events, tiles = MemoryEvents(310), MemoryTiles()
    publish(events, tiles, SIGNER, now=NOW)
    note = tiles.files["checkpoint"]
    events.add(300)
    publish(events, tiles, SIGNER, now=NOW)
    del tiles.files["tile/0/001.p/54"]
    assert verify_proof(prove_entry(tiles, 300, size=310, note=note), entry(300), [KEY]).size == 310


def test_a_missing_tile_is_an_error_that_names_it() -> None:
    tiles = whole_log()
    del tiles.files["tile/0/001"]
    with pytest.raises(NotFound, match="tile/0/001"):
        prove_entry(tiles, 300, size=SIZE, note=NOTE)


def test_extra_data_is_skipped() -> None:
    lines = PROOF.split(b"\n", 1)
    with_extra = lines[0] + b"\nextra " + b64encode(b"context") + b"\n" + lines[1]
    assert parse_proof(with_extra) == parse_proof(PROOF)


HASH = b64encode(bytes(32))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        PROOF[1:],
        PROOF.replace(b"@v1", b"@v2"),
        PROOF.replace(b"index 300", b"index 0300"),
        PROOF.replace(b"index 300", b"index -300"),
        PROOF.replace(b"index 300", b"index"),
        PROOF.replace(b"index 300\n", b""),
        PROOF.replace(b"index 300", b"index 300\nextra AAAA"),
        PROOF.replace(b"index 300", b"index 300\n" + HASH[:-1]),
        PROOF.replace(b"index 300", b"index 300\n" + b64encode(bytes(31))),
        PROOF.replace(b"index 300", b"index 300\n" + (HASH + b"\n") * 63 + HASH),
        PROOF.partition(b"\n\n")[0],
        PROOF + b"x" * 300_000,
    ],
)
def test_malformed_proofs_are_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        parse_proof(raw)


@pytest.mark.parametrize(
    "raw",
    [
        PROOF.replace(b"index 300", b"index 301"),
        PROOF.replace(b"index 300", b"index 700"),
        PROOF.replace(b"index 300", b"index 300\n" + HASH),
        PROOF.replace(b"\n700\n", b"\n701\n"),
    ],
)
def test_altered_proofs_do_not_verify(raw: bytes) -> None:
    with pytest.raises(TrustError):
        verify_proof(parse_proof(raw), entry(300), [KEY])


@given(st.binary(max_size=200))
def test_nothing_but_our_errors_comes_of_garbage(raw: bytes) -> None:
    for attempt in (raw, b"c2sp.org/tlog-proof@v1\n" + raw, PROOF[:60] + raw):
        try:
            verify_proof(parse_proof(attempt), entry(300), [KEY])
        except (InputError, TrustError):
            continue
        pytest.fail("garbage was accepted")
