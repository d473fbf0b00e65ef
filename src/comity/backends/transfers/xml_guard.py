"""What goes to the XML parser: the file in whole tags, refused where reading on would not be bounded in memory.

A parser keeps every name it meets (of elements, attributes, namespaces) and every run of white space between tags
for as long as it lives; libxml2 sets no limit to that. So names are counted here, and such a run is one space.
"""

import re
from pathlib import Path
from typing import BinaryIO, NoReturn

from comity.errors import InputError

MOST_BYTES = 8 * 1024 * 1024
MOST_NAMES = 5_000
_PIECE = 64 * 1024
_DOCTYPE = b"<!DOCTYPE"
_TAG = re.compile(rb"""<\??([^\s<>/!?]++)((?:[^<>"']|"[^"<]*+"|'[^'<]*+')*+)>""")
_ATTRIBUTE = re.compile(rb"""(?<![^\s=<>"'/])([^\s=<>"'/]++)\s*+=\s*+("[^"<]*+"|'[^'<]*+')""")
_BLANKS = re.compile(rb">[ \t\r\n]{2,}<")
_ENCODING = re.compile(
    rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']"""
)
_ENCODINGS = re.compile(r"(?:utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|windows-125\d)", re.IGNORECASE)


class Guarded:
    """A file to read from. `unfinished` counts the bytes since whoever reads it was last done with something."""

    def __init__(self, raw: BinaryIO, path: Path) -> None:
        self._raw, self._path = raw, path
        self._waiting: list[bytes] = []
        self._names: set[bytes] = set()
        self.unfinished = 0
        _refuse_encoding(raw, path)

    def read(self, _: int = -1) -> bytes:
        """The next tags with the text after each; empty at the end of the file."""
        while piece := self._raw.read(_PIECE):
            self.unfinished += len(piece)
            if self.unfinished > MOST_BYTES + _PIECE:
                self._refuse(
                    f"entries of at most {MOST_BYTES >> 20} MiB of XML", "more without an end of one",
                    "Check that the file is what it is said to be.",
                )  # fmt: skip
            last = piece.rfind(b"<")
            if last < 0:
                self._waiting.append(piece)
                continue
            whole = b"".join([*self._waiting, piece[:last]])
            self._waiting = [piece[last:]]
            if whole:
                return self._looked_at(whole)
        rest, self._waiting = b"".join(self._waiting), []
        return self._looked_at(rest)

    def _looked_at(self, text: bytes) -> bytes:
        if _DOCTYPE in text:
            refuse_doctype(self._path)
        for name, attributes in _TAG.findall(text):
            self._names.add(name)
            if b"=" in attributes:
                for attribute, value in _ATTRIBUTE.findall(attributes):
                    self._names.add(attribute + value if attribute.startswith(b"xmlns") else attribute)
        if len(self._names) > MOST_NAMES:
            self._refuse(f"at most {MOST_NAMES} names of elements, attributes and namespaces", "more", "")
        return _BLANKS.sub(b"> <", text + b"<")[:-1]

    def _refuse(self, expected: str, got: str, remedy: str) -> NoReturn:
        raise InputError.because(expected=expected, got=got, where=str(self._path), remedy=remedy)


def _refuse_encoding(raw: BinaryIO, path: Path) -> None:
    start = raw.read(300)
    raw.seek(0)
    declared = _ENCODING.match(start)
    got = declared[1].decode() if declared else ""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in start[:4]:
        got = "UTF-16 or UTF-32"
    if got and not _ENCODINGS.fullmatch(got):
        raise InputError.because(
            expected="XML in UTF-8 or an ISO 8859 encoding", got=got, where=str(path),
            remedy="Save the file as UTF-8 and try again.",
        )  # fmt: skip


def refuse_doctype(path: Path) -> NoReturn:
    raise InputError.because(
        expected="XML without a document type", got="a DOCTYPE, which may declare entities", where=str(path),
        remedy="No format that is read here has one: ask whoever sent the file.",
    )  # fmt: skip
