"""Keep a book and its index in a folder, so that the next trace maps it into memory in place of reading files again.

index.json      what it was made from (SHA-256 of every file, the balances), and every file below with its CRC-32
*.npy           columns and index, one array a file (what is in them: comity.tracing.positions)
rows.arrow      the texts of the rows; pots.arrow  the names of accounts and currencies

It is a copy that can be thrown away. One made from other files, or by another version, is made anew; one that is
damaged is refused, since whatever damaged it may have damaged more. It holds what the transfers hold: keep it as
carefully. A CRC finds damage, not forgery: whoever can write in the folder can write the transfers.
"""

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from comity.backends.files import sync_folder
from comity.errors import InputError, StorageError
from comity.tracing import Book
from comity.tracing.positions import Positions

LAYOUT = 1
"""Another number: another arrangement of the files; the index is made anew."""
_HEADER = "index.json"
_COLUMNS = ("row", "times", "sender", "receiver", "amount", "converted", "converted_minor", "opening")
_IN_ARRAYS = ("booked_at", "amount_minor", "to_amount_minor")
_CHUNK = 1 << 24


def inputs_of(files: Sequence[Path], papers: Mapping[str, str]) -> dict[str, Any]:
    """What an index is made from: files by the SHA-256 of their bytes, in order, and whatever else `papers` says."""
    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(_sha256, files))
    return {"files": digests, "papers": dict(papers), "layout": LAYOUT}


def save_index(folder: Path, book: Book, inputs: Mapping[str, Any]) -> None:
    """Write the index beside the folder, then put it in the folder's place; what was there is removed."""
    _refuse_strangers(folder)
    draft = folder.with_name(f".{folder.name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for name, array in _arrays(book).items():
            np.save(draft / f"{name}.npy", array, allow_pickle=False)
        _write_arrow(draft / "rows.arrow", _texts(book))
        accounts, _, currencies, _ = book.pots
        _write_arrow(draft / "accounts.arrow", pa.table({"name": accounts}))
        _write_arrow(draft / "currencies.arrow", pa.table({"name": currencies}))
        marks = {file.name: [file.stat().st_size, _crc(file)] for file in sorted(draft.iterdir())}
        covers = None if book.covers is None else sorted(book.covers)
        header = {"inputs": inputs, "files": marks, "covers": covers, "indexed": book.positions is not None}
        body = json.dumps(header, sort_keys=True)
        (draft / _HEADER).write_text(json.dumps({"header": header, "crc": zlib.crc32(body.encode())}))
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StorageError(
            f"the disk refused to keep the index: {error}", where=str(folder),
            remedy="Trace without --index, or name a folder that can be written.",
        ) from error  # fmt: skip


def open_index(folder: Path) -> tuple[Book, dict[str, Any]] | None:
    """Return the book in the folder and what it was made from; None if there is none, or one of another layout.

    Every byte is checked once (about a second for two gigabytes); then arrays are mapped, not read. Raises
    `StorageError` for an index that is not as it was written.
    """
    file = folder / _HEADER
    if not file.exists():
        return None
    try:
        document = json.loads(file.read_bytes())
        header = document["header"]
        if zlib.crc32(json.dumps(header, sort_keys=True).encode()) != document["crc"]:
            raise _damaged(file)
        if header["inputs"].get("layout") != LAYOUT:
            return None
        _check(folder, header["files"])
        return _mapped(folder, header), header["inputs"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        raise _damaged(file) from error


def _check(folder: Path, marks: Mapping[str, Any]) -> None:
    with ThreadPoolExecutor(2) as pool:
        for name, mark in zip(marks, pool.map(_crc, [folder / name for name in marks]), strict=True):
            if [(folder / name).stat().st_size, mark] != marks[name]:
                raise _damaged(folder / name)


def _mapped(folder: Path, header: Mapping[str, Any]) -> Book:
    def array(name: str) -> Any:
        return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    positions = None
    if header["indexed"]:
        positions = Positions(**{name: array(name) for name in Positions.__dataclass_fields__})
    names = [
        _read_arrow(folder / f"{kind}.arrow")["name"].combine_chunks() for kind in ("accounts", "currencies")
    ]
    covers = header["covers"]
    return Book(
        table=_read_arrow(folder / "rows.arrow"),
        pots=(names[0], array("pot_account"), names[1], array("pot_currency")),
        covers=None if covers is None else frozenset(covers),
        positions=positions,
        **{name: array(name) for name in _COLUMNS},
    )


def _arrays(book: Book) -> dict[str, Any]:
    arrays = {name: getattr(book, name) for name in _COLUMNS}
    arrays |= {"pot_account": book.pots[1], "pot_currency": book.pots[3]}
    return arrays if book.positions is None else arrays | book.positions.arrays()


def _texts(book: Book) -> Any:
    """The columns of texts that are not empty throughout; numbers are in arrays."""
    table = book.table
    names = [
        name for name in table.column_names if name not in _IN_ARRAYS and table[name].null_count < len(table)
    ]
    return table.select(names or ["transfer_id"]).unify_dictionaries()


def _write_arrow(file: Path, table: Any) -> None:
    with pa.OSFile(str(file), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


def _read_arrow(file: Path) -> Any:
    return pa.ipc.open_file(pa.memory_map(str(file))).read_all()


def _crc(file: Path) -> int:
    mark = 0
    with file.open("rb", buffering=0) as raw:
        while block := raw.read(_CHUNK):
            mark = zlib.crc32(block, mark)
    return mark


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as raw:
            return hashlib.file_digest(raw, "sha256").hexdigest()
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(file)
        ) from error


def _refuse_strangers(folder: Path) -> None:
    """The folder is replaced as a whole: it must be ours, empty, or not there."""
    if folder.exists() and not (folder.is_dir() and ((folder / _HEADER).exists() or not os.listdir(folder))):
        raise InputError.because(
            expected="an index kept earlier, an empty folder, or none", got="other files", where=str(folder),
            remedy="Name another folder with --index; nothing was written.",
        )  # fmt: skip


def _damaged(file: Path) -> StorageError:
    return StorageError(
        "expected an index as it was written, got other bytes", where=str(file),
        remedy="Remove this folder; the index is made again from the transfers. Then look at the disk.",
    )  # fmt: skip
