"""Between values and columns: times as sortable UTC text, JSON as canonical bytes."""

from datetime import datetime
from typing import Any

from comity.errors import InputError
from comity.proofs.canonical import canonical_bytes, parse_strict
from comity.tracing import time_text

__all__ = ["json_bytes", "json_value", "time_text", "time_value"]
MAX_BYTES = 64 * 1024 * 1024
"""Of one column: what is written can be read again."""


def time_value(text: str) -> datetime:
    return datetime.fromisoformat(text)


def json_bytes(value: Any) -> bytes:
    """JSON as it is kept; `InputError` where it is longer than `json_value` reads."""
    data = canonical_bytes(value)
    if len(data) > MAX_BYTES:
        raise InputError.because(
            expected=f"at most {MAX_BYTES} bytes of JSON in one record", got=str(len(data)),
            remedy="Divide it: what is longer could be kept, and never read again.",
        )  # fmt: skip
    return data


def json_value(data: bytes | None) -> Any:
    return None if data is None else parse_strict(data, max_bytes=MAX_BYTES)
