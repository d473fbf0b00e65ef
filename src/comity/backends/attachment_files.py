"""The bytes of attachments: sealed on disk, a chunk at a time in memory, whole or plainly unfinished.

    out/<id>              what we offer, sealed; readable by nobody here once the message is sent
    in/<peer>/<id>.part   what has arrived so far
    in/<peer>/<id>        whole and verified, still sealed: the key is in the database

Every name of a file is a digest or a member's id, checked again here. What people called it is never a path.
"""

import hashlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from comity.backends.attachment_part import Part, storage_trouble
from comity.backends.files import created, sync_folder
from comity.errors import Conflict, InputError, StorageError, TrustError
from comity.exchange.attachment import USUAL_CHUNK, Attachment
from comity.exchange.fields import DIGEST, ID
from comity.proofs.chunks import ChunkCipher, Layout

Progress = Callable[[int], None]
"""Told how many bytes are done."""
STRAY_SECONDS = 24 * 3600.0
_MOST_RESERVE = 2 * 2**30


class NoRoom(StorageError):
    """There is not enough room on the disk for an attachment."""

    code = "storage.no-room"


class ChangedAttachment(TrustError):
    """What is on our disk is not what was verified when it arrived."""

    code = "attachment.changed"
    remedy = "Have it sent again, and find out what changed the file on this node's disk."


def free_bytes(folder: Path) -> int:
    """What may still be written: a twentieth of the disk, at most 2 GiB, is kept for the node's own work."""
    usage = shutil.disk_usage(folder)
    return usage.free - min(usage.total // 20, _MOST_RESERVE)


class AttachmentFiles:
    """The folder `root`, made when it is first needed. `free` says how many bytes there is room for."""

    def __init__(self, root: Path, *, free: Callable[[Path], int] = free_bytes) -> None:
        self._root = root
        self._free = free

    def require_room(self, needed: int) -> None:
        room = self._free(self._folder())
        if room < needed:
            raise NoRoom(f"expected room for {needed:,} bytes, got {max(0, room):,}", where=str(self._root))

    # --- what we offer ---

    def seal(
        self, source: Path, *, name: str, media_type: str, chunk: int = USUAL_CHUNK,
        on_progress: Progress = lambda _: None,
    ) -> Attachment:  # fmt: skip
        """Seal the file under a new key into `out/`; durable when this returns."""
        key, draft = os.urandom(32), self._folder("out") / f".{secrets.token_hex(8)}.draft"
        try:
            with _open_regular(source) as reading, storage_trouble(self._root):
                self.require_room(Layout(os.fstat(reading.fileno()).st_size, chunk).sealed_size)
                with created(draft) as writing:
                    size, digest, id_ = _seal(reading, writing, ChunkCipher(key), chunk, on_progress)
                draft.replace(self.offered(id_))
                sync_folder(draft.parent)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return Attachment(
            id=id_, name=name, media_type=media_type, size=size, chunk=chunk, digest=digest, key=key
        )

    def offered(self, id_: str) -> Path:
        return self._root / "out" / _checked(id_)

    # --- what arrives ---

    def part(self, peer: str, attachment: Attachment) -> Part:
        """What there is of it so far, verified again from the start: a crash may have left anything behind."""
        whole = self.whole(peer, attachment.id)
        part = whole.with_name(f"{whole.name}.part")
        with storage_trouble(self._root):
            self._folder("in", peer)
            if whole.exists() and not part.exists():
                whole.replace(part)
        return Part(part, whole, attachment)

    def whole(self, peer: str, id_: str) -> Path:
        if ID.fullmatch(peer) is None:
            raise InputError.because(expected="a member's id", got=repr(peer))
        return self._root / "in" / peer / _checked(id_)

    def arrived(self, peer: str, id_: str) -> int:
        """Sealed bytes that are on the disk."""
        whole = self.whole(peer, id_)
        for file in (whole, whole.with_name(f"{whole.name}.part")):
            with suppress(OSError):
                return file.stat().st_size
        return 0

    def save(
        self, peer: str, attachment: Attachment, target: Path, *, on_progress: Progress = lambda _: None
    ) -> None:
        """Open what has arrived whole into the new file `target` (0600): all of it verified, or no file."""
        if target.exists() or target.is_symlink():
            raise Conflict.because(expected="a new file", got=f"{target}, which exists")
        if not target.parent.is_dir():
            raise InputError.because(expected="a file in a folder that exists", got=str(target))
        draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
        sealed = self.whole(peer, attachment.id)
        try:
            with storage_trouble(target), sealed.open("rb") as reading:
                with created(draft) as writing:
                    _open_all(reading, writing, attachment, on_progress)
                draft.replace(target)
                sync_folder(target.parent)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    # --- what goes ---

    def drop_offered(self, id_: str) -> None:
        _remove(self.offered(id_))

    def drop_arrived(self, peer: str, id_: str) -> None:
        whole = self.whole(peer, id_)
        _remove(whole)
        _remove(whole.with_name(f"{whole.name}.part"))

    def sweep(self, *, offered: Collection[str], arrived: Collection[tuple[str, str]]) -> int:
        """Remove every file but these: ids we offer, (peer, id) that came or come. Returns how many.

        What we offer is sealed before its row is written, so only files that have rested for a day are removed.
        """
        strays = [file for file in self._files("out/*", "out/.*.draft") if file.name not in offered]
        strays += [
            file for file in self._files("in/*/*")
            if (file.parent.name, file.name.removesuffix(".part")) not in arrived
        ]  # fmt: skip
        return sum(_remove(file) for file in strays if _rested(file))

    def _files(self, *patterns: str) -> list[Path]:
        return sorted({file for pattern in patterns for file in self._root.glob(pattern) if file.is_file()})

    def _folder(self, *names: str) -> Path:
        folder = self._root.joinpath(*names)
        with storage_trouble(self._root):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def _seal(
    reading: BinaryIO, writing: BinaryIO, cipher: ChunkCipher, chunk: int, on_progress: Progress
) -> tuple[int, str, str]:
    """Size and digest of the plain bytes, digest of the sealed ones."""
    plain, sealed, size, index = hashlib.sha256(), hashlib.sha256(), 0, 0
    block = reading.read(chunk)
    while True:
        following = reading.read(chunk)
        if following and len(block) < chunk:
            raise InputError("expected a file that rests, got one that grows while it is read")
        locked = cipher.seal(index, block, last=not following)
        plain.update(block)
        sealed.update(locked)
        writing.write(locked)
        size, index = size + len(block), index + 1
        on_progress(size)
        if not following:
            return size, plain.hexdigest(), sealed.hexdigest()
        block = following


def _open_all(reading: BinaryIO, writing: BinaryIO, attachment: Attachment, on_progress: Progress) -> None:
    cipher, layout, digest, done = ChunkCipher(attachment.key), attachment.layout, hashlib.sha256(), 0
    for index in range(layout.count):
        plain = cipher.open(index, reading.read(layout.length(index)), last=index + 1 == layout.count)
        digest.update(plain)
        writing.write(plain)
        done += len(plain)
        on_progress(done)
    if reading.read(1) or digest.hexdigest() != attachment.digest:
        raise ChangedAttachment(f"expected {attachment.digest}, got {digest.hexdigest()}")


def _open_regular(source: Path) -> BinaryIO:
    """Open without waiting (a pipe would), and only what has an end."""
    try:
        handle = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(source)
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError.because(expected="a file", got="something else", where=str(source))
    return os.fdopen(handle, "rb")


def _remove(file: Path) -> bool:
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(f"the disk refused: {error}", where=str(file)) from error
    return True


def _rested(file: Path) -> bool:
    with suppress(OSError):
        return time.time() - file.stat().st_mtime > STRAY_SECONDS
    return False


def _checked(id_: str) -> str:
    if DIGEST.fullmatch(id_) is None:
        raise InputError.because(expected="the id of an attachment", got=repr(id_)[:80])
    return id_
