"""Short ways to write a book down in a test."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from comity.tracing import BOOK_SCHEMA, Book

START = datetime(2025, 6, 1, tzinfo=UTC)


def row(name: str, second: int, sender: str, receiver: str, minor: int, **more: Any) -> dict[str, Any]:
    """A transfer in EUR; `more` are other columns, as `BOOK_SCHEMA` names them."""
    return {
        "transfer_id": name,
        "booked_at": START + timedelta(seconds=second),
        "from_account": sender,
        "to_account": receiver,
        "amount_minor": minor,
        "currency": "EUR",
        **more,
    }


def book(
    *rows: dict[str, Any],
    balances: Mapping[tuple[str, str], int] | None = None,
    covers: frozenset[str] | None = None,
) -> Book:
    return Book.from_table(
        pa.Table.from_pylist(list(rows), schema=BOOK_SCHEMA), balances=balances, covers=covers
    )
