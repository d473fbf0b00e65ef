"""The fonts that letters are set in, and which characters each has. They ship with the package (`fonts/`, SIL Open Font
License), so a letter looks the same on every machine. The machine's own fonts are looked at only for characters that
none of these has, and only where the caller wants that.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst
from fontTools.ttLib import TTFont, TTLibError

FOLDER = Path(__file__).parent / "fonts"
_SCRIPTS = (
    "Han", "Thai", "Lao", "Khmer", "Myanmar", "Arabic", "Devanagari", "Bengali", "Tamil", "Sinhala",
)  # fmt: skip
_ORDER = ("Letter Latin", *(f"Letter {name}" for name in _SCRIPTS))
_OWN_SHAPES = {"zh-Hant": "Letter Han TC", "ja": "Letter Han JP"}
"""Languages whose headings take their own shapes of Chinese characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """`characters` are the code points that it has a picture of."""

    family: str
    characters: frozenset[int]


@cache
def shipped() -> tuple[Font, ...]:
    """The fonts of the package, each family once."""
    found = {name: file for file in sorted(FOLDER.glob("Letter*-Regular.*tf")) for name in [_family(file)]}
    return tuple(Font(family=name, characters=_characters(file, 0)) for name, file in found.items())


def families(language: str) -> tuple[str, ...]:
    """In which order fonts are tried for a letter with headings in `language`."""
    own = _OWN_SHAPES.get(language)
    return (_ORDER[0], own, *_ORDER[1:]) if own else _ORDER


def fonts_for(language: str, extra: tuple[Font, ...] = ()) -> tuple[Font, ...]:
    """The fonts that have a letter's characters; `extra` are the machine's."""
    known = {one.family: one for one in shipped()}
    return (*(known[name] for name in families(language)), *extra)


@cache
def of_this_machine() -> tuple[Font, ...]:
    """The machine's own upright fonts, by name. Reads every one of them: for letters that need it."""
    every = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False).fonts()
    found: dict[str, Font] = {}
    for one in sorted(every, key=lambda font: (font.family, font.weight, font.path or "")):
        if one.path and one.style == "normal" and one.weight >= 400 and one.family not in found:
            characters = _characters(Path(one.path), one.index)
            if characters:
                found[one.family] = Font(family=one.family, characters=characters)
    return tuple(found.values())


def covering(missing: Collection[int], fonts: tuple[Font, ...]) -> tuple[Font, ...]:
    """Which of `fonts` to add for the `missing` characters: each time the one that has most of what is left."""
    left, chosen = set(missing), []
    while left:
        best = max(fonts, key=lambda one: len(left & one.characters), default=None)
        if best is None or not left & best.characters:
            break
        chosen.append(best)
        left -= best.characters
    return tuple(chosen)


@cache
def loaded(with_machine: bool) -> typst.Fonts:
    """What the typesetter is given: nothing but these."""
    return typst.Fonts(
        include_system_fonts=with_machine, include_embedded_fonts=False, font_paths=[str(FOLDER)]
    )


def _family(file: Path) -> str:
    with TTFont(file, lazy=True) as font:
        return str(font["name"].getDebugName(1))


def _characters(file: Path, index: int) -> frozenset[int]:
    try:
        with TTFont(file, fontNumber=index, lazy=True) as font:
            table = font.getBestCmap()
    except (TTLibError, OSError):  # a broken font of the machine is no font
        return frozenset()
    return frozenset(table or ())
