"""Read transfers into a book, by way of an index that is kept where the caller names a folder for it.

The same files give the same book with an index as without. Files that came after those of the index are read alone and
put among what is there (`comity.tracing.extend`); anything else than more files makes the index anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from comity.backends.transfers.files import files_of, read_transfers
from comity.backends.transfers.kept_index import inputs_of, open_index, save_index
from comity.model import CRYPTO_ASSETS
from comity.tracing import Book, Later, extend

Balances = Mapping[tuple[str, str], int]
_COLUMNS = ("csv", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """`state`: what became of the index; `later`: what the files that it did not have yet brought."""

    book: Book
    state: Literal["none", "kept", "extended", "built"]
    later: Later | None = None


def read_book(
    path: Path,
    *,
    balances: Balances,
    assets: Mapping[str, int] = CRYPTO_ASSETS,
    index: Path | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Indexed:
    """Return the book of a file or folder. `index`: the folder in which its index is kept."""
    if index is None:
        table = read_transfers([path], assets=assets, coded=True, on_progress=on_progress).table
        return Indexed(book=Book.from_table(table, balances=balances), state="none")
    files = files_of([path])
    inputs = inputs_of(
        files, {"assets": repr(sorted(assets.items())), "balances": repr(sorted(balances.items()))}
    )
    kept = open_index(index)
    if kept is not None and kept[1] == inputs:
        return Indexed(book=kept[0], state="kept")
    grown = _grown(kept, inputs, files, balances, assets)
    if grown is not None:
        save_index(index, grown.book, inputs)
        return grown
    table = read_transfers([path], assets=assets, coded=True, on_progress=on_progress).table
    book = Book.from_table(table, balances=balances)
    save_index(index, book, inputs)
    return Indexed(book=book, state="built")


def _grown(
    kept: tuple[Book, dict[str, Any]] | None,
    inputs: Mapping[str, Any],
    files: Sequence[Path],
    balances: Balances,
    assets: Mapping[str, int],
) -> Indexed | None:
    """The kept book with the files that it did not have yet; None where more than that has changed."""
    if kept is None or kept[1]["papers"] != inputs["papers"]:
        return None
    left = list(kept[1]["files"])
    fresh = []
    for file, digest in zip(files, inputs["files"], strict=True):
        if digest in left:
            left.remove(digest)
        else:
            fresh.append(file)
    if left or not fresh or any(file.suffix.lower()[1:] not in _COLUMNS for file in fresh):
        return None
    reading = read_transfers(fresh, assets=assets)
    book, later = extend(kept[0], reading.table, balances=balances, corrections=True)
    if later.again or later.corrected:
        return None
    return Indexed(book=book, state="extended", later=later)
