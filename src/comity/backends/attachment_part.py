"""An attachment on its way in: each chunk is verified before it is written, and everything again after a crash.

In memory are two running digests and one chunk, however large it is.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from comity.backends.files import sync_folder
from comity.errors import StorageError, TrustError
from comity.exchange.attachment import Attachment
from comity.proofs.chunks import ChangedChunk, ChunkCipher


class OtherDigest(TrustError):
    """Every chunk opens, but the whole is not what the message committed to."""

    code = "attachment.digest"
    remedy = "Ask the sender to send it again; what arrived was not kept."


@contextmanager
def storage_trouble(where: Path) -> Iterator[None]:
    """What the disk says, in our error tree."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"the disk refused: {error.strerror or error}", where=str(where)) from error


class Part:
    """The file `part`, which becomes `whole` when it is. For one thread at a time; no file stays open."""

    def __init__(self, part: Path, whole: Path, attachment: Attachment) -> None:
        self._part, self._whole, self._attachment = part, whole, attachment
        self._layout, self._cipher = attachment.layout, ChunkCipher(attachment.key)
        self._plain, self._sealed = hashlib.sha256(), hashlib.sha256()
        self.next = 0
        """The chunk that is wanted now; all before it are on the disk and verified."""
        with _opened(part, os.O_RDWR | os.O_CREAT) as handle:
            self._take_what_is_there(handle)

    @property
    def complete(self) -> bool:
        return self.next == self._layout.count

    @property
    def missing(self) -> int:
        """Sealed bytes still to come."""
        return self._layout.sealed_size - self._layout.start(self.next)

    def add(self, sealed: bytes) -> None:
        """Verify and append the next chunk; `ChangedChunk`, and nothing is written, if it is not that.

        `StorageError` if the disk refuses, or if the part was removed: then a new `Part` sees what there is.
        """
        plain, rest, place = self._open(sealed), memoryview(sealed), self._layout.start(self.next)
        with _opened(self._part, os.O_WRONLY) as handle:
            while rest:
                written = os.pwrite(handle, rest, place)
                rest, place = rest[written:], place + written
        self._count(sealed, plain)

    def sync(self) -> None:
        """Make durable what was added."""
        with _opened(self._part, os.O_WRONLY) as handle:
            os.fdatasync(handle)

    def finish(self) -> None:
        """Compare the digests of the whole and give it its name, durably. `OtherDigest` leaves it a part."""
        said = (self._attachment.id, self._attachment.digest)
        found = (self._sealed.hexdigest(), self._plain.hexdigest())
        if not self.complete or found != said:
            raise OtherDigest(f"expected {said}, got {found} of {self.next} chunks")
        self.sync()
        with storage_trouble(self._whole):
            self._part.replace(self._whole)
            sync_folder(self._whole.parent)

    def _open(self, sealed: bytes) -> bytes:
        last = self.next + 1 == self._layout.count
        if self.complete or len(sealed) != self._layout.length(self.next):
            raise ChangedChunk(f"expected chunk {self.next} of {self._layout.count}, got {len(sealed)} bytes")
        return self._cipher.open(self.next, sealed, last=last)

    def _count(self, sealed: bytes, plain: bytes) -> None:
        self._plain.update(plain)
        self._sealed.update(sealed)
        self.next += 1

    def _take_what_is_there(self, handle: int) -> None:
        """Keep the chunks that verify, from the first on; what follows them is cut off."""
        while not self.complete:
            sealed = os.pread(handle, self._layout.length(self.next), self._layout.start(self.next))
            try:
                self._count(sealed, self._open(sealed))
            except ChangedChunk:
                break
        os.ftruncate(handle, self._layout.start(self.next))


@contextmanager
def _opened(file: Path, how: int) -> Iterator[int]:
    with storage_trouble(file):
        handle = os.open(file, how | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            yield handle
        finally:
            os.close(handle)
