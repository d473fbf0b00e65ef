"""How long reading, building and tracing take, beside the contract read aloud (tests/property/plain_reference.py).

    python benchmarks/trace.py [--transfers 200000 670000]

Both do the same traces of the same generated book in the same run, and must give the same result. The plain
reference is what a careful person writes first: one loop over all events, all pots in memory.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.property.plain_reference import trace_plainly

from comity.backends.transfers.files import read_transfers
from comity.tracing import BOOK_SCHEMA, Book, Rule, follow

Result = TypeVar("Result")


def generated(transfers: int, seed: int) -> Any:
    """Salaries, shops and payments between people, and one chain of mules in the middle of them."""
    rng = random.Random(seed)
    people = [f"P{number:06d}" for number in range(max(10, transfers // 30))]
    shops = [f"S{number:04d}" for number in range(max(3, transfers // 3000))]
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = []
    for number in range(transfers):
        kind = rng.random()
        person = rng.choice(people)
        if kind < 0.2:
            sender, receiver, minor = "EMPLOYER", person, rng.randint(100_000, 500_000)
        elif kind < 0.7:
            sender, receiver, minor = person, rng.choice(shops), rng.randint(500, 20_000)
        else:
            sender, receiver, minor = person, rng.choice(people), rng.randint(1_000, 80_000)
        rows.append(
            {
                "transfer_id": f"T{number:08d}",
                "booked_at": start + timedelta(seconds=number),
                "from_account": sender,
                "to_account": receiver,
                "amount_minor": minor,
                "currency": "EUR",
            }
        )
    return pa.Table.from_pylist(rows, schema=BOOK_SCHEMA)


def timed(what: Callable[[], Result]) -> tuple[Result, float]:
    begun = time.perf_counter()
    return what(), time.perf_counter() - begun


def measure(transfers: int, seed: int) -> None:
    table = generated(transfers, seed)
    print(f"\n{transfers:,} transfers")
    with tempfile.TemporaryDirectory() as folder:
        csv, parquet = Path(folder, "book.csv"), Path(folder, "book.parquet")
        pa.csv.write_csv(table, csv)
        pq.write_table(table, parquet)
        for file in (csv, parquet):
            _, seconds = timed(partial(read_transfers, [file]))
            print(f"  read {file.suffix[1:]:8} {seconds:8.3f} s   {transfers / seconds:12,.0f} rows/s")
    book, seconds = timed(partial(Book.from_table, table))
    print(f"  build book    {seconds:8.3f} s")
    rows = table.to_pylist()
    claims = {rows[place]["transfer_id"]: None for place in range(transfers // 2, transfers // 2 + 5)}
    for rule in Rule:
        trace, ours = timed(partial(follow, book, rule=rule, claims=claims))
        plain, theirs = timed(partial(trace_plainly, rows, rule=rule, claims=claims))
        assert [(flow.transfer_id, flow.tainted_minor) for flow in trace.flows] == plain.flows
        assert [held.tainted_minor for held in trace.holdings] == [held[2] for held in plain.holdings]
        print(
            f"  trace {rule:8}{ours:8.3f} s   plain reference {theirs:8.3f} s   {theirs / ours:8.1f} times;"
            f" {len(trace.flows):,} flows, {len(trace.holdings):,} holdings"
        )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--transfers", type=int, nargs="+", default=[200_000, 670_000])
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    for transfers in chosen.transfers:
        measure(transfers, chosen.seed)


if __name__ == "__main__":
    main()
