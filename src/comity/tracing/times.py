"""Points in time as text: ISO 8601 with its offset, at most microseconds. Pure.

Accepted: `2025-06-01T10:00:00.123456+08:00`, with a space for the T, without seconds, with `Z`, `+0800` or
`+08`, and the basic form `20250601T100000Z`. Refused: no offset (whose midnight would it be?), more than six
digits of a second (two events could change places), leap seconds, ordinal and week dates. Written: RFC 3339,
UTC, six digits, Z.
"""

import re
from datetime import UTC, datetime

from comity.errors import InputError

PATTERN = (
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"|[0-9]{8}T[0-9]{4}(?:[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
)
"""What a time looks like; whether it exists (30 February) is checked by parsing."""
EXPECTED = "a time such as 2025-06-01T10:00:00+08:00 (ISO 8601 with offset or Z, at most microseconds)"
_SHAPE = re.compile(PATTERN)


def read_time(text: str, *, where: str = "") -> datetime:
    """Return the instant in UTC; `InputError` if it has no offset, too many digits, or does not exist."""
    if _SHAPE.fullmatch(text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise InputError.because(expected=EXPECTED, got=repr(text[:60]), where=where)


def time_text(instant: datetime) -> str:
    """Return `2025-06-01T02:00:00.000000Z`."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
