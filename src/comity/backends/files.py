"""Write a file so that after a crash it is the old one or the new one, whole."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from comity.errors import StorageError

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
"""What a file system without hard links says, such as exFAT on a removable medium."""


def write_durably(file: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Replace `file` atomically; durable when this returns. `StorageError` if the disk refuses.

    No byte of it is ever there with more rights than `mode`, less those that the umask takes.
    """
    draft = _draft_of(file)
    try:
        with created(draft, mode=mode) as out:
            out.write(content)
        draft.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(f"the disk refused: {error}", where=str(file)) from error


def create_durably(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """As `write_durably`, but never over another: `FileExistsError` if there is one, whoever made it and when.

    Of several processes that create the same file one succeeds, and its bytes stay.
    """
    draft = _draft_of(file)
    try:
        with created(draft, mode=mode) as out:
            out.write(content)
        _place_once(draft, file)
        sync_folder(file.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise StorageError(f"the disk refused: {error}", where=str(file)) from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def created(file: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A new file whose bytes are on the disk when the block ends; its name is once `sync_folder` has been called.

    `FileExistsError` if there is one; what the disk refuses is `OSError`, and half a file may be left.
    """
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _draft_of(file: Path) -> Path:
    return file.with_name(f".{file.name}.{secrets.token_hex(4)}.draft")


def _place_once(draft: Path, file: Path) -> None:
    """Give the finished draft its name unless it is taken: a link never replaces.

    Where the file system has no links an empty file takes the name first; a crash right after leaves that.
    """
    try:
        os.link(draft, file)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with created(file, mode=0o600):
            pass
        draft.replace(file)
