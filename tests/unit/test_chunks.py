"""Chunks open in their place and nowhere else: whatever is changed, swapped, left out, repeated or added shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.proofs.chunks import TAG_BYTES, ChangedChunk, ChunkCipher, Layout

KEY = bytes(range(32))


def sealed(plain: bytes, chunk: int) -> list[bytes]:
    layout, cipher = Layout(len(plain), chunk), ChunkCipher(KEY)
    return [
        cipher.seal(index, plain[index * chunk : (index + 1) * chunk], last=index + 1 == layout.count)
        for index in range(layout.count)
    ]


def opened(chunks: list[bytes], key: bytes = KEY) -> bytes:
    cipher = ChunkCipher(key)
    return b"".join(
        cipher.open(index, one, last=index + 1 == len(chunks)) for index, one in enumerate(chunks)
    )


@given(st.binary(max_size=300), st.integers(1, 64))
def test_what_was_sealed_opens_and_has_the_lengths_that_the_layout_says(plain: bytes, chunk: int) -> None:
    chunks, layout = sealed(plain, chunk), Layout(len(plain), chunk)
    assert opened(chunks) == plain
    assert [len(one) for one in chunks] == [layout.length(index) for index in range(layout.count)]
    assert sum(map(len, chunks)) == layout.sealed_size == layout.start(layout.count)
    assert [layout.start(index) for index in range(layout.count)] == [
        sum(map(len, chunks[:index])) for index in range(layout.count)
    ]


@given(st.binary(min_size=1, max_size=120), st.data())
def test_a_changed_byte_is_seen_in_its_own_chunk(plain: bytes, data: st.DataObject) -> None:
    chunks = sealed(plain, 16)
    which = data.draw(st.integers(0, len(chunks) - 1))
    place = data.draw(st.integers(0, len(chunks[which]) - 1))
    changed = bytearray(chunks[which])
    changed[place] ^= data.draw(st.integers(1, 255))
    cipher = ChunkCipher(KEY)
    for index, one in enumerate(chunks):
        if index == which:
            with pytest.raises(ChangedChunk):
                cipher.open(index, bytes(changed), last=index + 1 == len(chunks))
        else:
            cipher.open(index, one, last=index + 1 == len(chunks))


PLAIN = bytes(range(64))  # four chunks of 16


@pytest.mark.parametrize(
    "order",
    [(0, 2, 1, 3), (0, 1, 2), (0,), (0, 1, 2, 3, 3), (0, 0, 2, 3), (1, 2, 3), (0, 1, 3), (0, 1, 2, 3, 2)],
    ids=str,
)
def test_chunks_in_any_other_order_or_number_do_not_open(order: tuple[int, ...]) -> None:
    chunks = sealed(PLAIN, 16)
    with pytest.raises(ChangedChunk):
        opened([chunks[index] for index in order])


def test_more_after_the_last_does_not_open() -> None:
    longer = sealed(PLAIN + b"more", 16)
    with pytest.raises(ChangedChunk):
        opened(longer[:4])
    with pytest.raises(ChangedChunk):
        opened([*sealed(PLAIN, 16), longer[4]])


@pytest.mark.parametrize("key", [bytes(32), KEY[::-1]])
def test_another_key_opens_nothing(key: bytes) -> None:
    with pytest.raises(ChangedChunk):
        opened(sealed(PLAIN, 16), key)


def test_zeros_are_no_chunk() -> None:
    """A file of holes, as a sender with no wish to send would offer it."""
    for length in (0, 1, TAG_BYTES, 1024 + TAG_BYTES):
        with pytest.raises(ChangedChunk):
            ChunkCipher(KEY).open(0, bytes(length), last=True)


def test_no_two_chunks_of_one_key_share_a_nonce() -> None:
    """Equal chunks look different, and so does the same chunk as the last one."""
    cipher = ChunkCipher(KEY)
    found = {
        cipher.seal(index, b"x" * 16, last=last)
        for index in (0, 1, 255, 256, 2**40)
        for last in (False, True)
    }
    assert len(found) == 10


def test_nothing_at_all_is_one_chunk() -> None:
    assert Layout(0, 16).count == 1
    assert opened(sealed(b"", 16)) == b""
