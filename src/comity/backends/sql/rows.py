"""Between values and columns: times as sortable UTC text, JSON as canonical bytes."""

from datetime import datetime
from typing import Any

from comity.proofs.canonical import canonical_bytes, parse_strict
from comity.tracing import time_text

__all__ = ["json_bytes", "json_value", "time_text", "time_value"]


def time_value(text: str) -> datetime:
    return datetime.fromisoformat(text)


def json_bytes(value: Any) -> bytes:
    return canonical_bytes(value)


def json_value(data: bytes | None) -> Any:
    return None if data is None else parse_strict(data)
