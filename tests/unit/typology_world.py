"""Tiny books for the typologies: transfers written as tuples, and what was found in them by name."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from comity.backends.analysis import DuckDbEngine
from comity.tracing import BOOK_SCHEMA
from comity.tracing.typologies.alerts import Alert, alert_of
from comity.tracing.typologies.catalogue import PathLike, Relational, find_all
from comity.tracing.typologies.columns import Columns

START = datetime(2025, 1, 6, tzinfo=UTC)
Transfer = tuple[float, str, str, int]
"""Day (a fraction is a time of that day), payer, receiver, amount in minor units."""


def row(number: int, transfer: Transfer, **more: Any) -> dict[str, Any]:
    day, payer, receiver, amount = transfer
    return {
        "transfer_id": f"T{number:05}", "booked_at": START + timedelta(days=day), "from_account": payer,
        "to_account": receiver, "amount_minor": amount, "currency": "EUR", **more,
    }  # fmt: skip


def table(rows: Sequence[Transfer | dict[str, Any]]) -> Any:
    made = [one if isinstance(one, dict) else row(number, one) for number, one in enumerate(rows)]
    return pa.Table.from_pylist(made, schema=BOOK_SCHEMA)


def columns(rows: Sequence[Transfer | dict[str, Any]]) -> Columns:
    return Columns.from_table(table(rows))


def alerts(one: Relational | PathLike, rows: Sequence[Transfer | dict[str, Any]]) -> list[Alert]:
    book = columns(rows)
    found = find_all(book, DuckDbEngine(threads=1), [one])
    return [
        alert_of(hit, book, pattern=kind.name, rule=kind.sentence(hit.measured), thresholds={})
        for kind, hits in found
        for hit in hits
    ]


MANY = (900_000, 800_000, 100_000, 95_000, 90_000, 10_000, 5_000, 0)
ALIKE = (10_000, 9_800, 9_500, 9_000, 8_000)


def random_book(
    seed: int,
    *,
    accounts: int,
    transfers: int,
    days: float,
    currencies: int = 1,
    amounts: Sequence[int] = MANY,
    bursts: int = 0,
) -> Any:
    """Few accounts and few amounts, so that money meets; some conversions where there is more than one currency.

    With `bursts`, all happens within five days after so many moments.
    """
    rng = np.random.default_rng(seed)
    names = ["EUR", "USD", "BTC"][:currencies]
    moments = rng.uniform(0, days, bursts) if bursts else np.zeros(1)
    rows = []
    for number in range(transfers):
        payer, receiver = rng.integers(0, accounts, 2)
        amount = int(rng.choice(np.array(amounts)))
        one = row(number, (0, f"a{payer}", f"a{receiver}", amount), currency=str(rng.choice(names)))
        day = rng.choice(moments) + rng.uniform(0, 5 if bursts else days)
        one["booked_at"] = START + timedelta(seconds=int(day * 86_400))
        if currencies > 1 and rng.random() < 0.3:
            one |= {"to_currency": str(rng.choice(names)), "to_amount_minor": int(amount * 0.9)}
        rows.append(one)
    return pa.Table.from_pylist(rows, schema=BOOK_SCHEMA)
