"""Write a file so that after a crash it is the old one or the new one, whole."""

import os
import secrets
from pathlib import Path

from comity.errors import StorageError


def write_durably(file: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Replace `file` atomically; durable when this returns. `StorageError` if the disk refuses.

    No byte of it is ever there with more rights than `mode`, less those that the umask takes.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.draft")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(f"the disk refused: {error}", where=str(file)) from error


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
