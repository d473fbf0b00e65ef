"""Text that came from outside, made safe to show to a person: nothing hides, reorders or breaks it."""

import re

_DECEIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)


def plain(text: str) -> str:
    """Replace characters that hide, reorder or break text; tab and line feed stay."""
    return _DECEIVING.sub("\ufffd", text)


def byte_count(size: int) -> str:
    """`831 bytes`, `1.5 MiB`: binary units, cut and not rounded."""
    units = ("KiB", "MiB", "GiB", "TiB")
    if size < 1024:
        return f"{size} bytes"
    place = min((size.bit_length() - 1) // 10, len(units))
    tenths = size * 10 // 1024**place
    return f"{tenths // 10}.{tenths % 10} {units[place - 1]}"
