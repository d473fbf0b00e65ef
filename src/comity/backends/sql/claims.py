"""Work that one process of a node does at a time, whoever of them comes first."""

from typing import Protocol


class Claims(Protocol):
    """Names, each held by one thread of one process. They are free again when that process is gone, however.

    A claim spares double work; that an effect happens once is always the database's to say, since a process
    may lose its claim (with its connection) without hearing of it.
    """

    def take(self, name: str) -> bool:
        """True if nobody held it; it is ours until given back."""

    def give_back(self, name: str) -> None: ...

    def close(self) -> None:
        """Give everything back."""
