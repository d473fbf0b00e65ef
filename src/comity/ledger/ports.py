"""What the ledger needs from outside. `backends` implement these; one contract suite runs against each."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from comity.proofs.tiles import Tile


class EventStore(Protocol):
    """The events of this node, as the entries that commit to them (`ledger.entry`).

    An event gets its place in the log in the transaction that stores it. Places are given once, in the order
    of commit, without gaps, and never change. Only what is durable is seen here.
    """

    def size(self) -> int:
        """How many events there are."""
        ...

    def entries(self, start: int, end: int) -> list[bytes]:
        """The entries at places `start` up to but not including `end`; `end` is at most `size()`."""
        ...


class LogReader(Protocol):
    """A published log directory, local or remote."""

    def read(self, path: str) -> bytes | None:
        """The file at `path` (`checkpoint`, `key`, `tile/…`), or None if there is none.

        A file far beyond what any log file may be is cut off, so that its length shows that it is wrong.
        """
        ...


class TileStore(LogReader, Protocol):
    """The directory a log is published from. Writing raises `StorageError` and leaves no half file.

    After an error a file may be there or not: the publisher copes with both.
    """

    def write(self, path: str, content: bytes) -> None:
        """Replace the file at `path`, atomically; durable on return."""
        ...

    def write_all(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Replace each file atomically, in any order; on return all are durable but unfinished tiles.

        An unfinished tile is whole for whoever reads it, but a power loss may take it or leave it empty:
        `ledger.publish` makes it anew.
        """
        ...

    def widths(self, tile: Tile) -> list[int]:
        """The widths in which this tile is there unfinished."""
        ...

    def remove(self, tile: Tile, widths: Sequence[int]) -> None:
        """Remove these unfinished forms of a tile; those that are not there are none the less gone."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the directory against every other writer, in this process and others."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The newest tree of another log that this witness cosigned, and the signed note that showed it.

    The note is kept so that a second story told later can be held against the first.
    """

    size: int
    root: bytes
    note: bytes


class WitnessStore(Protocol):
    """What this witness has seen, by the origin of the log."""

    def newest(self, origin: str) -> Seen | None: ...

    def replace(self, origin: str, old: Seen | None, new: Seen) -> bool:
        """Store `new` if what is stored still equals `old`; durable on return. False if it does not."""
        ...
