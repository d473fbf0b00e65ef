"""What somebody wrote, as it can be printed: nothing that hides, turns or breaks text, and nothing without a picture in
some font. Whatever cannot be shown stands as its code point, `[U+202E]`; the attached message has it as it was. Pure.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from comity.node.letters.fonts import Font

LONGEST = 60_000
"""Characters of one value that are printed."""
MOST = 200_000
"""Characters of values that one letter prints: about sixty pages."""
_DECEIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\ue000-\uf8ff\U000e0000-\U0010ffff]"
)
"""Controls, marks of direction, what has no width, private use, halves of pairs, tags."""
_JOINING = frozenset(map(ord, "\u200b\u200c\u200d"))
"""What some scripts need between letters; it has no picture anywhere."""
_RUN = re.compile(r"[!-~\u00a1-\u024f]{41,}")
"""What no line can be broken in and is longer than any line: an account, a digest, an attack."""


@dataclass(slots=True)
class Printing:
    """Makes texts printable in `fonts`, and keeps what it could not show."""

    fonts: Sequence[Font]
    unshown: set[str] = field(default_factory=set)
    cut: int = 0
    """Characters that were left out because a value, or all of them together, were too long."""
    room: int = MOST

    def paragraphs(self, text: str) -> list[str]:
        """`text` as paragraphs that can be printed, as many characters of it as there is room for."""
        room = min(LONGEST, self.room)
        if len(text) > room:
            self.cut += len(text) - room
            text = text[:room] + " […]"
        self.room = max(0, self.room - len(text))
        lines = text.replace("\r\n", "\n").split("\n")
        return [self.line(one) for one in lines if one.strip()] or [""]

    def line(self, text: str) -> str:
        """The same as one line."""
        text = _DECEIVING.sub(self._code, text.replace("\n", " ").replace("\t", " "))
        shown = "".join(self._cluster(one) for one in clusters(text))
        return _RUN.sub(_breakable, shown)

    def _cluster(self, cluster: str) -> str:
        needed = {ord(one) for one in cluster} - _JOINING
        if any(needed <= font.characters for font in self.fonts):
            return cluster
        return "".join(one if self._has(one) else self._code(one) for one in cluster)

    def _has(self, character: str) -> bool:
        """Whether it can stand by itself: a mark without its letter cannot."""
        if unicodedata.category(character).startswith("M"):
            return False
        return any(ord(character) in font.characters for font in self.fonts)

    def _code(self, found: str | re.Match[str]) -> str:
        character = found if isinstance(found, str) else found[0]
        self.unshown.add(character)
        return f"[U+{ord(character):04X}]"


def clusters(text: str) -> Iterable[str]:
    """Letters with the marks on them: what one font must have the whole of."""
    start = 0
    for place in range(1, len(text) + 1):
        if place < len(text) and (
            unicodedata.category(text[place]).startswith("M") or ord(text[place]) in _JOINING
        ):
            continue
        if start < place:
            yield text[start:place]
        start = place


def missing(texts: Iterable[str], fonts: Sequence[Font]) -> set[int]:
    """The code points in `texts` that none of `fonts` has."""
    known = frozenset().union(*(one.characters for one in fonts)) if fonts else frozenset()
    found = {ord(one) for text in texts for one in _DECEIVING.sub("", text)}
    return {one for one in found if one not in known and one not in _JOINING and one >= 0x20}


def right_to_left(text: str) -> bool:
    """Whether the first letter with a direction goes to the left (Unicode Standard Annex 9, P2)."""
    for one in text:
        direction = unicodedata.bidirectional(one)
        if direction == "L":
            return False
        if direction in ("R", "AL"):
            return True
    return False


def _breakable(found: re.Match[str]) -> str:
    text = found[0]
    return "\u200b".join(text[place : place + 32] for place in range(0, len(text), 32))
