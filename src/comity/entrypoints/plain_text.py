"""Text that came from outside, made safe to show to a person: nothing hides, reorders or breaks it."""

import json
import re

_DECEIVING = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f"
)
"""Controls, marks of direction, what has no width, halves of pairs, annotations, tags."""
_SHOWN = re.compile(f"[{_DECEIVING}]")
_WRITTEN = re.compile(f"[{_DECEIVING}\xad\u200c\u200d]")
"""Joiners and soft hyphens too: some scripts need them to be read, and an escape loses nothing."""


def plain(text: str) -> str:
    """Replace characters that hide, reorder or break text; tab and line feed stay."""
    return _SHOWN.sub("\ufffd", text)


def json_text(value: object) -> str:
    """JSON over several lines that parses to `value`; what hides, reorders or breaks text stands as `\\uXXXX`."""
    laid_out = json.dumps(value, ensure_ascii=False, indent=2)
    return _WRITTEN.sub(lambda found: json.dumps(found[0])[1:-1], laid_out)


def byte_count(size: int) -> str:
    """`831 bytes`, `1.5 MiB`: binary units, cut and not rounded."""
    units = ("KiB", "MiB", "GiB", "TiB")
    if size < 1024:
        return f"{size} bytes"
    place = min((size.bit_length() - 1) // 10, len(units))
    tenths = size * 10 // 1024**place
    return f"{tenths // 10}.{tenths % 10} {units[place - 1]}"
