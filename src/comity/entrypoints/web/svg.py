"""Write SVG elements by hand: escaped, with presentation attributes only, as the pages' policy demands."""

import unicodedata

from markupsafe import Markup

from comity.entrypoints.plain_text import plain


def tag(name: str, body: Markup | str = "", **attributes: str | None) -> Markup:
    """One element; attributes are escaped, `class_` and `aria_x` become `class` and `aria-x`."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, body)


def fit(text: str, room: int) -> str:
    """Cut text to `room` columns; wide East Asian characters count two."""
    text, used = plain(text).replace("\n", " "), 0
    for place, character in enumerate(text):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > room:
            return text[: max(1, place - 1)].rstrip() + "…"
    return text


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
