"""Text that came from outside, made safe to show to a person: nothing hides, reorders or breaks it."""

import re

_DECEIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)


def plain(text: str) -> str:
    """Replace characters that hide, reorder or break text; tab and line feed stay."""
    return _DECEIVING.sub("\ufffd", text)
