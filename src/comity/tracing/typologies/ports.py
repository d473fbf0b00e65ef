"""What the relational typologies need from outside: an engine that runs their expressions."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class Engine(Protocol):
    """Runs unbound Ibis expressions over one table, `relational.TABLE`, with at least `relational.SCHEMA`.

    Rows come in any order. An engine that fails raises `StorageError`; it never answers in part.
    """

    def run(self, table: Any, expressions: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield (name, Arrow table) for each expression, in order, over the Arrow table `table`."""
        ...
