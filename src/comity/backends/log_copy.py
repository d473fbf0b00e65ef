"""A copy of somebody's log as files. Unlike a publisher, a copier cannot make lost tiles anew: all are synced."""

import os
from collections.abc import Sequence
from pathlib import Path

from comity.backends.files import sync_folder
from comity.backends.log_files import FileTileStore
from comity.errors import StorageError


class CopyStore(FileTileStore):
    """The directory `root`, made if it is not there."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._copy = root

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        """As `FileTileStore.write_all`, and unfinished tiles are durable too."""
        super().write_all(files)
        places = [self._copy / path for path, _ in files if ".p/" in path]
        try:
            for place in places:
                handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            for folder in {place.parent for place in places}:
                sync_folder(folder)
        except OSError as error:
            raise StorageError(f"the copy could not be written: {error}", where=str(self._copy)) from error
