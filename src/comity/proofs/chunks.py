"""Seal something of any length in chunks, and open each alone: AES-256-GCM in the STREAM construction. Pure.

STREAM is from Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance" (2015), with the nonces of age v1: eleven bytes that count from 0, one byte that is 1 for the
last chunk. So a chunk that was changed, swapped, repeated, left out, cut off or added does not open where it
stands. One key seals one thing, ever. GCM does not commit to its key: whoever must know that all who have the
key read the same also compares the digest of the whole. Bytes: spec/attachment.md §2.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.errors import TrustError

KEY_BYTES = 32
TAG_BYTES = 16
_ASSOCIATED = b"comity-attachment/1\n"


class ChangedChunk(TrustError):
    """A chunk does not open in its place: changed, in the wrong order, not the last, or under another key."""

    code = "attachment.chunk"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the chunks of `size` plain bytes stand when each holds `chunk` of them, the last what remains.

    Nothing at all is one empty chunk; otherwise no chunk is empty.
    """

    size: int
    chunk: int

    @property
    def count(self) -> int:
        return max(1, -(-self.size // self.chunk))

    @property
    def sealed_size(self) -> int:
        return self.size + self.count * TAG_BYTES

    def start(self, index: int) -> int:
        """Where chunk `index` begins among the sealed bytes; `sealed_size` after the last."""
        return min(index * (self.chunk + TAG_BYTES), self.sealed_size)

    def length(self, index: int) -> int:
        """Sealed bytes of chunk `index`."""
        return self.start(index + 1) - self.start(index)


class ChunkCipher:
    """Seals or opens the chunks of one thing under its own key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, index: int, plain: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(index, last), plain, _ASSOCIATED)

    def open(self, index: int, sealed: bytes, *, last: bool) -> bytes:
        """The plain bytes of chunk `index`, or `ChangedChunk`."""
        try:
            return self._cipher.decrypt(_nonce(index, last), sealed, _ASSOCIATED)
        except (InvalidTag, ValueError) as error:
            raise ChangedChunk(f"expected chunk {index} as it was sealed, got another") from error


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
