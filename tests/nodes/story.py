"""A stolen payment that crosses three countries and comes back, in five minutes of bookings.

USD 10,000.00 leave a firm in Canada for Hong Kong; part goes on to Thailand, part of that to a wallet in the
Philippines (where nobody has a book) and back to Hong Kong, and a little returns to Canada. There is clean
money in the same accounts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from comity.tracing import BOOK_SCHEMA, Book, Rule, follow

BOOKED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CA, HK, TH = "ca-centre", "hk-unit", "th-office"
COUNTRY_OF = {CA: "CA", HK: "HK", TH: "TH"}
STOLEN = "T-01"
REPORT = {"report_id": "R-1", "transfers": [STOLEN], "offence": "cyber_fraud", "summary": "A forged invoice."}
Row = Mapping[str, Any]


def row(name: str, minute: float, way: str, minor: int, **more: Any) -> dict[str, Any]:
    """`way` is "ca-firm>hk-1": the first two letters of an account say its country."""
    sender, receiver = way.split(">")
    return {
        "transfer_id": name, "booked_at": BOOKED + timedelta(minutes=minute),
        "from_account": sender, "to_account": receiver, "amount_minor": minor, "currency": "USD",
        "from_country": sender[:2].upper(), "to_country": receiver[:2].upper(),
        "from_institution": f"Bank of {sender[:2]}", "to_institution": f"Bank of {receiver[:2]}",
        "channel": "wire", **more,
    }  # fmt: skip


ROWS = (
    row("C-01", 0.0, "ca-client>ca-firm", 3_000_000),
    row("C-02", 0.1, "hk-shop>hk-1", 40_000),
    row("C-03", 0.2, "th-shop>th-2", 15_000),
    row(STOLEN, 1.0, "ca-firm>hk-1", 1_000_000),
    row("T-02", 2.0, "hk-1>hk-2", 600_000),
    row("T-03", 3.0, "hk-1>th-1", 300_000),
    row("T-04", 4.0, "hk-2>hk-atm", 50_000, channel="cash"),
    row("T-05", 5.0, "th-1>th-2", 250_000),
    row("T-06", 6.0, "th-2>ph-wallet", 30_000, to_currency="USDT", to_amount_minor=300_000_000),
    row("T-07", 7.0, "th-2>hk-3", 120_000),
    row("T-08", 8.0, "hk-3>ca-mule", 70_000),
    row("T-09", 9.0, "ca-mule>ca-casino", 20_000),
)


def rows_of(country: str, rows: Iterable[Row] = ROWS) -> list[Row]:
    """What a bank of that country has booked."""
    return [one for one in rows if country in (one["from_country"], one["to_country"])]


def table(rows: Iterable[Row]) -> Any:
    return pa.Table.from_pylist([dict(one) for one in rows], schema=BOOK_SCHEMA)


def write_book(file: Path, rows: Iterable[Row]) -> Path:
    pq.write_table(table(rows), file)
    return file


def pooled(rows: Iterable[Row] = ROWS, *, claims: Mapping[str, int | None] | None = None) -> Counter[Any]:
    """What one trace over everybody's rows finds, by (account, currency): where the truth comes from."""
    trace = follow(
        Book.from_table(table(rows)), rule=Rule.FIFO, claims=claims if claims is not None else {STOLEN: None}
    )
    return Counter({(one.account, one.currency): one.tainted_minor for one in trace.holdings})
