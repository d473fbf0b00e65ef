"""Make the fonts that letters are set in (`src/comity/node/letters/fonts/`) out of the Noto fonts.

`python -m scripts.letter_fonts NOTO_FOLDER NOTO_CJK_FOLDER`: the folders of Debian's fonts-noto-core and fonts-noto-cjk
(SIL Open Font License 1.1). Each font is cut down to what letters need and takes a name of its own, so that a Noto font
that happens to be installed is never mixed up with it. To be run again when a heading in Chinese, Japanese or Korean
is added that has a character which no font has yet; a test says so.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from comity.law.wording import wording

OUT = Path(__file__).parents[1] / "src" / "comity" / "node" / "letters" / "fonts"
_LATIN = [
    *range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x2B0, 0x400), *range(0x400, 0x530), *range(0x1E00, 0x1F00),
    *range(0x2000, 0x2070), *range(0x2070, 0x20D0), *range(0x2100, 0x2200), *range(0x2212, 0x2266), 0x25CC,
]  # fmt: skip
_SCRIPTS = {
    "Thai": ("NotoSerifThai-Regular.ttf", [*range(0x0E00, 0x0E80), 0x25CC]),
    "Lao": ("NotoSerifLao-Regular.ttf", [*range(0x0E80, 0x0F00), 0x25CC]),
    "Khmer": ("NotoSerifKhmer-Regular.ttf", [*range(0x1780, 0x1800), *range(0x19E0, 0x1A00), 0x25CC]),
    "Myanmar": (
        "NotoSerifMyanmar-Regular.ttf",
        [*range(0x1000, 0x10A0), *range(0xAA60, 0xAA80), *range(0xA9E0, 0xAA00), 0x25CC],
    ),
    "Arabic": ("NotoNaskhArabic-Regular.ttf", [*range(0x600, 0x700), *range(0x750, 0x780), 0x25CC]),
    "Devanagari": (
        "NotoSerifDevanagari-Regular.ttf",
        [*range(0x0900, 0x0980), *range(0xA8E0, 0xA900), 0x20B9, 0x25CC],
    ),
    "Bengali": ("NotoSerifBengali-Regular.ttf", [*range(0x0980, 0x0A00), 0x0964, 0x0965, 0x25CC]),
    "Tamil": ("NotoSerifTamil-Regular.ttf", [*range(0x0B80, 0x0C00), 0x0964, 0x0965, 0x25CC]),
    "Sinhala": ("NotoSerifSinhala-Regular.ttf", [*range(0x0D80, 0x0E00), 0x25CC]),
}
_JOINING = [0x20, 0xA0, 0x200B, 0x200C, 0x200D]
_REGIONAL = {"zh-Hant": ("Han TC", 3), "ja": ("Han JP", 0)}
"""Languages whose headings take their own shapes of Chinese characters, and the font's place in the collection."""


def main(noto: Path, cjk: Path) -> None:
    """Write every font; prints its size."""
    for style in ("Regular", "Bold", "Italic"):
        _write(_cut(noto / f"NotoSerif-{style}.ttf", _LATIN), "Latin", style)
    for name, (file, wanted) in _SCRIPTS.items():
        _write(_cut(noto / file, [*wanted, *_JOINING]), name, "Regular")
    collection = cjk / "NotoSerifCJK-Regular.ttc"
    _write(_cut(collection, _han(), number=2), "Han", "Regular")
    for language, (name, number) in _REGIONAL.items():
        _write(_cut(collection, _above_latin(wording(language).texts), number=number), name, "Regular")


def _han() -> list[int]:
    """What people in these countries write: GB 2312, Big5's first level, JIS X 0208's first level, Hangul."""
    found: set[str] = set()
    for codec, leads in (
        ("gb2312", range(0xA1, 0xF8)), ("big5", range(0xA1, 0xC7)), ("euc_jp", range(0xA1, 0xD0)),
        ("euc_kr", range(0xA1, 0xC9)),
    ):  # fmt: skip
        for lead in leads:
            for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
                found.update(bytes([lead, trail]).decode(codec, "ignore"))
    return sorted(ord(one) for one in found if ord(one) >= 0x2000)


def _above_latin(texts: Iterable[str]) -> list[int]:
    return sorted({ord(one) for text in texts for one in text if ord(one) >= 0x2E80})


def _cut(file: Path, wanted: list[int], *, number: int = -1) -> TTFont:
    options = subset.Options(hinting=False, glyph_names=False, name_IDs=[0, 13, 14], notdef_outline=True)
    options.layout_features = ["*"] if number < 0 else []
    options.drop_tables += ["DSIG", "MATH", "BASE", "vhea", "vmtx", "VORG"]
    font = TTFont(file, fontNumber=number, lazy=True)
    cutter = subset.Subsetter(options=options)
    cutter.populate(unicodes=wanted)
    cutter.subset(font)
    return font


def _write(font: TTFont, name: str, style: str) -> None:
    family = f"Letter {name}"
    names = font["name"]
    plain = f"Letter{name.replace(' ', '')}-{style}"
    for place, text in ((1, family), (2, style), (3, plain), (4, f"{family} {style}"), (6, plain)):
        names.setName(text, place, 3, 1, 0x409)
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames = [plain]
        cff.topDictIndex[0].FamilyName, cff.topDictIndex[0].FullName = family, f"{family} {style}"
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    file = OUT / f"{plain}.{'otf' if 'CFF ' in font else 'ttf'}"
    font.save(file)
    sys.stdout.write(f"{file.stat().st_size:>9} {file.name}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
