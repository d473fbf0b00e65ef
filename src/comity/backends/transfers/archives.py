"""Look into a zip file before another program unpacks it: how much it really holds, and how large its sheets are.

What the archive says of its own sizes is not believed: each member is inflated, in pieces, and counted. A sheet is
unpacked by others as a full rectangle, so the cell furthest out counts, not how many there are.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError, ParserCreate

from comity.errors import InputError

MOST_BYTES = 1 << 30
MOST_MEMBERS = 2_000
MOST_COLUMNS = 256
MOST_CELLS = 1 << 24
_PIECE = 1 << 18
_PLACE = re.compile(r"([A-Z]{0,3})([1-9][0-9]{0,6})", re.ASCII)
_LOCAL_HEADER = struct.Struct("<26xHH")


def check_workbook(path: Path) -> None:
    """Raise `InputError` if an .xlsx file would not unpack into a bounded memory, or is no such file."""
    total = 0
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
            members = archive.infolist()
            _refuse(len(members) > MOST_MEMBERS, path, f"at most {MOST_MEMBERS} parts", f"{len(members)}")
            for member in members:
                part = _Part(path)
                for piece in _inflated(raw, member, path):
                    total += len(piece)
                    _refuse(total > MOST_BYTES, path, f"at most {MOST_BYTES >> 20} MiB unpacked", "more")
                    part.feed(piece)
                part.end()
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        struct.error,
        ValueError,
        ExpatError,
    ) as error:
        raise InputError.because(
            expected="an Excel workbook (.xlsx)", got=str(error)[:200] or "a broken file", where=str(path)
        ) from error
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(path)
        ) from error


class _Part:
    """One part of the archive. If it is XML it must be well-formed, and its rows and cells within bounds, whatever the
    part is called: what a sheet is another part says.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser: Any = None
        self._begun = False
        self._rows = self._columns = self._row = self._column = 0

    def feed(self, piece: bytes) -> None:
        if not self._begun and piece:
            self._begun = True
            start = piece[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
            _refuse(
                start.startswith((b"<\0", b"\0<", b"\xff\xfe", b"\xfe\xff")), self._path, "UTF-8", "UTF-16"
            )
            if start.startswith(b"<"):
                self._parser = ParserCreate("UTF-8")
                self._parser.StartElementHandler = self._start
                self._parser.StartDoctypeDeclHandler = self._doctype
        if self._parser is not None:
            self._parser.Parse(piece, False)

    def end(self) -> None:
        if self._parser is not None:
            self._parser.Parse(b"", True)

    def _doctype(self, *_: object) -> None:
        _refuse(True, self._path, "sheets without a document type", "a DOCTYPE")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind not in ("row", "c"):
            return
        _refuse(
            attributes.get("t") == "e",
            self._path,
            "cells without Excel's errors",
            "one, such as #REF! or #N/A",
        )
        self._row, self._column = self._place(kind, attributes.get("r"))
        self._rows, self._columns = max(self._rows, self._row), max(self._columns, self._column)
        columns = f"at most {MOST_COLUMNS} columns"
        _refuse(self._columns > MOST_COLUMNS, self._path, columns, f"a cell in column {self._columns}")
        _refuse(
            self._rows * max(self._columns, 1) > MOST_CELLS, self._path,
            f"at most {MOST_CELLS:,} cells in a sheet's rectangle", f"{self._rows:,} rows of {self._columns}",
        )  # fmt: skip

    def _place(self, kind: str, named: str | None) -> tuple[int, int]:
        """Row and column: as named, else the next one."""
        if named is None:
            return (self._row + 1, 0) if kind == "row" else (self._row, self._column + 1)
        found = _PLACE.fullmatch(named)
        if found is None or bool(found[1]) == (kind == "row"):
            raise InputError.because(
                expected="rows named 1 and cells named A1", got=repr(named[:40]), where=str(self._path)
            )
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - 64
        return int(found[2]), column


def _inflated(raw: BinaryIO, member: zipfile.ZipInfo, path: Path) -> Iterator[bytes]:
    """What a member really holds. Only stored and deflated members: what Excel writes."""
    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    _refuse(member.compress_type not in kinds, path, "parts packed as Excel does", "another compression")
    _refuse(bool(member.flag_bits & 1), path, "a workbook without a password", "an encrypted one")
    raw.seek(member.header_offset)
    names, extra = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
    raw.seek(names + extra, 1)
    left = member.compress_size
    inflater = zlib.decompressobj(-15) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (piece := raw.read(min(_PIECE, left))):
        left -= len(piece)
        if inflater is None:
            yield piece
            continue
        while piece and not inflater.eof:
            yield inflater.decompress(piece, _PIECE)
            piece = inflater.unconsumed_tail


def _refuse(wrong: bool, path: Path, expected: str, got: str) -> None:
    if wrong:
        raise InputError.because(
            expected=expected, got=got, where=str(path), remedy="Save the table as CSV UTF-8 and try again."
        )
