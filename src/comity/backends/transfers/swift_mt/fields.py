"""SWIFT FIN messages of a file: their blocks, and the fields of block 4, strictly.

A message begins with `{1:`; what banks put between messages (line ends, `$`, ETX) is passed over. A message has at most
64 KiB, so that a file of any size is read in little memory.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from comity.errors import InputError

MOST_BYTES = 64 * 1024
_START = b"{1:"
_PIECE = 1 << 16
_FIELD = re.compile(r":(\d\d[A-Z]?):(.*)", re.DOTALL)
_BETWEEN = " \t\r\n$\x01\x03\0"
_BLOCK = re.compile(r"\{([0-9A-Z]{1,3}):")
_LOGICAL_TERMINAL = re.compile(r"[A-Z]{6}[A-Z0-9]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`kind`: `103`, `199`, …; `sender` and `receiver`: BICs; `fields`: tag and text, in order."""

    kind: str
    sender: str
    receiver: str
    uetr: str
    cover: bool
    fields: tuple[tuple[str, str], ...]

    def text(self, *tags: str) -> str:
        """The first field of one of these tags; empty if there is none."""
        return next((text for tag in tags for name, text in self.fields if name == tag), "")

    def needed(self, *tags: str) -> str:
        found = self.text(*tags)
        if not found:
            raise InputError.because(expected=f"field {' or '.join(tags)}", got="none")
        return found


def raw_messages(path: Path) -> Iterator[bytes]:
    """The bytes of each message, and what follows it until the next."""
    try:
        with path.open("rb") as raw:
            kept = b""
            while piece := raw.read(_PIECE):
                kept += piece
                *whole, kept = _split(kept)
                yield from (one for one in whole if one.strip(_BETWEEN.encode()))
                if len(kept) > MOST_BYTES:
                    raise InputError.because(
                        expected=f"SWIFT messages of at most {MOST_BYTES >> 10} KiB, each from {{1:", got="more bytes",
                        where=str(path),
                    )  # fmt: skip
            if kept.strip(_BETWEEN.encode()):
                yield kept
    except OSError as error:
        raise InputError.because(
            expected="a file that can be read", got=error.strerror or str(error), where=str(path)
        ) from error


def _split(kept: bytes) -> list[bytes]:
    starts = [found.start() for found in re.finditer(re.escape(_START), kept)]
    edges = [0, *(one for one in starts if one), len(kept)]
    return [kept[first:last] for first, last in pairwise(edges)]


def read_message(raw: bytes) -> Message:
    """`InputError` where the blocks or the fields are not those of a FIN message."""
    if not raw.isascii():
        raise InputError.because(expected="a SWIFT message in ASCII", got="other bytes")
    blocks = _blocks(raw.decode("ascii"))
    kind, sender, receiver = _parties(blocks.get("1", ""), blocks.get("2", ""))
    user = _blocks(blocks.get("3", ""))
    return Message(
        kind=kind, sender=sender, receiver=receiver, uetr=user.get("121", "").lower(),
        cover=user.get("119", "") == "COV", fields=tuple(_fields(blocks.get("4", ""))),
    )  # fmt: skip


def _blocks(text: str) -> dict[str, str]:
    """Blocks by their id; a block may hold blocks."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        if text[at] in _BETWEEN:
            at += 1
            continue
        begins = _BLOCK.match(text, at)
        if begins is None:
            raise InputError.because(expected="a block such as {1:…}", got=repr(text[at : at + 20]))
        end = _end_of_text_block(text, at) if begins[1] == "4" else _end_of(text, at)
        if begins[1] in found:
            raise InputError.because(expected=f"block {begins[1]} once", got="it twice")
        found[begins[1]] = text[begins.end() : end]
        at = end + 1
    return found


def _end_of(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at
    raise InputError.because(expected="a block that ends with }", got=repr(text[start : start + 20]))


def _end_of_text_block(text: str, start: int) -> int:
    end = text.find("\n-}", start)
    if end < 0:
        raise InputError.because(expected="block 4 to end with -} on a line of its own", got="no such line")
    return end + 2


def _parties(basic: str, application: str) -> tuple[str, str, str]:
    """Kind of message, sender, receiver: SWIFT user handbook, blocks 1 and 2, input and output."""
    ours = basic[3:15]
    if not _LOGICAL_TERMINAL.fullmatch(ours):
        raise InputError.because(expected="block 1 such as F01BANKBEBBAXXX0000000000", got=repr(basic[:30]))
    kind = application[1:4]
    theirs = application[4:16] if application[:1] == "I" else application[14:26]
    if application[:1] not in ("I", "O") or not kind.isdigit() or not _LOGICAL_TERMINAL.fullmatch(theirs):
        raise InputError.because(expected="block 2 such as I103BANKDEFFXXXXN", got=repr(application[:50]))
    sender, receiver = (ours, theirs) if application[0] == "I" else (theirs, ours)
    return kind, _bic(sender), _bic(receiver)


def _bic(terminal: str) -> str:
    """Without the terminal's letter; the main office's branch code XXX is left out."""
    return (terminal[:8] + terminal[9:]).removesuffix("XXX")


def _fields(text: str) -> Iterator[tuple[str, str]]:
    lines = text.replace("\r\n", "\n").removesuffix("\n-").split("\n")
    current: list[str] = []
    for line in [*lines[1:], ":"]:
        if line.startswith(":") and current:
            yield _field("\n".join(current))
            current = []
        current.append(line)
    if lines[0].strip():
        raise InputError.because(expected="block 4 to begin with a new line", got=repr(lines[0][:30]))


def _field(text: str) -> tuple[str, str]:
    found = _FIELD.fullmatch(text)
    if found is None:
        raise InputError.because(expected="a field such as :32A:…", got=repr(text[:30]))
    return found[1], found[2].strip()
