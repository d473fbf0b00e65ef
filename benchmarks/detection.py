"""How well alerts are ordered, and how fast patterns are found. Run: python -m benchmarks.detection --data FOLDER

Part one, for each labelled book in FOLDER (files `*.parquet` with `is_laundering`): F1 and PR-AUC of the laundering
class on the last 20 % of the transfers in time; 60 % before teach, 20 % set the threshold. Beside ours: LightGBM on
each transfer alone (amount), and with simple degrees of its accounts counted up to then.

Part two, on a generated book: transfers a second of the kernels for scatter-gather, fan-out and cycles of up to ten,
beside the same question in SQL to DuckDB on the same table, with the same answer; and the rate at which this machine
reads through a column. One core each, processor time, the book loaded by both before.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import lightgbm
import numpy as np
import pyarrow as pa

from comity.backends.labels import read_labels
from comity.backends.transfers.files import read_transfers
from comity.tracing import BOOK_SCHEMA
from comity.tracing.typologies.calibration import average_precision, best_threshold, f1_score
from comity.tracing.typologies.columns import DAY, Columns, Flags, Reals
from comity.tracing.typologies.cycles import Cycles
from comity.tracing.typologies.ranker import CHECKING, TEACHING, train
from comity.tracing.typologies.scatter_gather import ScatterGather
from comity.tracing.typologies.windows import account_windows

WINDOW_DAYS = 14


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, help="folder with labelled books (*.parquet)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transfers", type=int, default=1_000_000, help="size of the generated book")
    parser.add_argument("--skip-kernels", action="store_true")
    asked = parser.parse_args()
    if asked.data:
        print("| book | ranker | F1 | PR-AUC | F1 on the checking part |\n| --- | --- | --- | --- | --- |")
        for file in sorted(asked.data.glob("*.parquet")):
            ordered(file, asked.seed)
    if not asked.skip_kernels:
        kernels(asked.transfers, asked.seed)


# --- part one: how well alerts are ordered ---


def ordered(file: Path, seed: int) -> None:
    columns = Columns.from_table(read_transfers([file]).table)
    labels = read_labels(file, columns.table["transfer_id"])
    alone = np.log1p(columns.amount.astype(np.float64))[:, None]
    rivals = {"LightGBM, no graph": alone, "LightGBM, degrees": np.column_stack([alone, degrees(columns)])}
    for name, matrix in rivals.items():
        checked, judged = plain(columns, labels, matrix, seed)
        row(file.stem, name, checked, judged, best_threshold(*checked))
    made = train(columns, labels, seed=seed)
    row(file.stem, "Comity", made.checked, made.judged, made.ranker.threshold)


def row(
    book: str, name: str, checked: tuple[Flags, Reals], judged: tuple[Flags, Reals], threshold: float
) -> None:
    numbers = (f1_score(*judged, threshold), average_precision(*judged), f1_score(*checked, threshold))
    print(f"| {book} | {name} | {' | '.join(f'{number:.3f}' for number in numbers)} |", flush=True)


def degrees(columns: Columns) -> Reals:
    """Counterparties and transfers of sender and receiver, paid and received, before each transfer."""
    here, nothing = np.arange(len(columns)), np.zeros(len(columns), np.int64)
    parts = [
        account_windows(columns, account=account, paying=paying, first=nothing, last=here, new=nothing)[:, :2]
        for account in (columns.sender, columns.receiver)
        for paying in (True, False)
    ]
    return np.concatenate(parts, axis=1)


def plain(
    columns: Columns, labels: Flags, matrix: Reals, seed: int
) -> tuple[tuple[Flags, Reals], tuple[Flags, Reals]]:
    cuts = [
        int(np.searchsorted(columns.at, columns.at[int(share * len(columns))]))
        for share in (TEACHING, CHECKING)
    ]
    teach, check, judge = slice(0, cuts[0]), slice(cuts[0], cuts[1]), slice(cuts[1], None)
    taught = lightgbm.Dataset(matrix[teach], labels[teach].astype(float))
    settings = {
        "objective": "binary", "metric": "average_precision", "learning_rate": 0.08, "num_leaves": 31, "verbose": -1,
        "seed": seed, "deterministic": True, "force_row_wise": True, "num_threads": 1, "lambda_l2": 5.0,
        "min_data_in_leaf": 30,
    }  # fmt: skip
    held = lightgbm.Dataset(matrix[check], labels[check].astype(float), reference=taught)
    booster = lightgbm.train(
        settings, taught, 400, valid_sets=[held], callbacks=[lightgbm.early_stopping(40, verbose=False)],
    )  # fmt: skip
    said = [np.asarray(booster.predict(matrix[part], num_threads=1), np.float64) for part in (check, judge)]
    return (labels[check], said[0]), (labels[judge], said[1])


# --- part two: how fast patterns are found ---


def generated(size: int, seed: int) -> Columns:
    """90 days; accounts with some forty transfers each, some with many more; amounts log-normal; planted patterns."""
    rng = np.random.default_rng(seed)
    accounts = max(size // 40, 100)
    payer = (accounts * rng.random(size) ** 1.5).astype(np.int64)
    receiver = (payer + 1 + (accounts * rng.random(size) ** 3).astype(np.int64)) % accounts
    amount = np.exp(rng.normal(10, 1.2, size)).astype(np.int64) + 1
    at = np.sort(rng.integers(0, 90 * DAY, size))
    for turn in range(max(size // 2_000, 10)):
        length, middle = int(rng.integers(3, 11)), rng.choice(accounts, 12, replace=False)
        rows = np.sort(rng.integers(0, size // 10, 2 * length)) + int(rng.integers(0, size - size // 10))
        amount[rows] = 50_000
        if turn % 2:  # a cycle of three to ten, in order
            rows = rows[:length]
            payer[rows], receiver[rows] = middle[:length], np.roll(middle[:length], -1)
        else:  # scattered to three to ten, and gathered again
            payer[rows[:length]], receiver[rows[:length]] = middle[10], middle[:length]
            payer[rows[length:]], receiver[rows[length:]] = middle[:length], middle[11]
    names = pa.array([f"A{number}" for number in range(accounts)])
    nothing = {name: pa.nulls(size, BOOK_SCHEMA.field(name).type) for name in BOOK_SCHEMA.names}
    known = {
        "transfer_id": pa.array([f"{number:09}" for number in range(size)]),
        "booked_at": pa.array(at).cast(pa.timestamp("us", "UTC")),
        "from_account": names.take(pa.array(payer)), "to_account": names.take(pa.array(receiver)),
        "amount_minor": pa.array(amount), "currency": pa.array(["EUR"]).take(pa.array(np.zeros(size, np.int64))),
    }  # fmt: skip
    return Columns.from_table(pa.table({**nothing, **known}).select(BOOK_SCHEMA.names).cast(BOOK_SCHEMA))


def kernels(size: int, seed: int) -> None:
    columns = generated(size, seed)
    table = pa.table(
        {
            "e": np.arange(size), "ts": columns.at, "s": columns.sender, "r": columns.receiver,
            "amount": columns.amount,
        }
    )  # fmt: skip
    scan = seconds(lambda: int(columns.amount.sum()))[0]
    print(f"\nGenerated book: {size:,} transfers, {len(columns.accounts):,} accounts, 90 days.")
    print(f"Column scan: {size / scan / 1e6:,.0f} M values/s\n")
    print(
        "| pattern | found | Comity, M transfers/s | DuckDB, M transfers/s | ratio |\n| --- | --- | --- | --- | --- |"
    )
    connection = duckdb.connect(config={"threads": 1})
    connection.register("arrow", table)
    connection.execute("create table t as from arrow")
    for name, ours, theirs in contests(columns, connection):
        ours()  # compiled before it is timed
        fast, found = min(seconds(ours), seconds(ours))
        slow, expected = seconds(theirs)
        assert found == expected, f"{name}: {found} here, {expected} in DuckDB"
        rates = size / fast / 1e6, size / slow / 1e6
        print(f"| {name} | {found:,} | {rates[0]:.2f} | {rates[1]:.3f} | {slow / fast:,.1f} |", flush=True)


def seconds(work: Callable[[], int]) -> tuple[float, int]:
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found


Contest = tuple[str, Callable[[], int], Callable[[], int]]


def contests(columns: Columns, connection: Any) -> list[Contest]:
    """The same question to both. Limits that bound the kernels' work on hubs are set so high that none is met."""

    window = str(WINDOW_DAYS * DAY)

    def asked(query: str) -> Callable[[], int]:
        return lambda: int(connection.execute(query.replace("WINDOW", window)).fetchone()[0])

    cycles = Cycles(window_days=WINDOW_DAYS, most_steps=1_000_000)
    between = ScatterGather(window_days=WINDOW_DAYS, most_payments=100_000)
    return [
        ("fan-out: transfers whose payer paid ≥ 5 accounts within 14 days", lambda: fans(columns), asked(_FAN)),
        ("scatter-gather: first and last accounts, ≥ 3 between", lambda: len(between.search(columns)[1]),
         asked(_SCATTER)),
        ("cycles of 3 to 10: transfers that begin one",
         lambda: int(cycles.search(columns, each_start=True)[1].sum()), asked(_CYCLES)),
    ]  # fmt: skip


def fans(columns: Columns) -> int:
    first = np.searchsorted(columns.at, columns.at - WINDOW_DAYS * DAY)
    last = np.arange(1, len(columns) + 1)
    new = np.zeros(len(columns), np.int64)
    found = account_windows(columns, account=columns.sender, paying=True, first=first, last=last, new=new)
    return int((found[:, 1] >= 5).sum())


_FAN = """
select count(*) from (
  select count(distinct r) over (
    partition by s order by ts range between WINDOW preceding and current row
  ) others from t
) where others >= 5
"""
_SCATTER = """
with pairs as (
  select a.s source, b.r sink, a.r middle, a.ts from t a join t b on a.r = b.s
  where b.e > a.e and b.ts <= a.ts + WINDOW and a.s <> a.r and b.r <> a.s and b.r <> a.r
    and b.amount between a.amount * 0.7::double and a.amount * 1.0::double
), windows as (
  select source, sink, count(distinct middle) over (
    partition by source, sink order by ts range between WINDOW preceding and current row
  ) between_them from pairs
)
select count(*) from (select distinct source, sink from windows where between_them >= 3)
"""
_CYCLES = """
with recursive walk(root, e, here, amount, began, home, depth, path) as (
  select e, e, r, amount, ts, s, 1, [r] from t where s <> r
  union all
  select w.root, n.e, n.r, n.amount, w.began, w.home, w.depth + 1, list_append(w.path, n.r)
  from walk w join t n on n.s = w.here
  where n.e > w.e and n.ts <= w.began + WINDOW and w.here <> w.home and w.depth < 10
    and n.amount between w.amount * 0.7::double and w.amount * 1.05::double and not list_contains(w.path, n.r)
)
select count(distinct root) from walk where here = home and depth >= 3
"""


if __name__ == "__main__":
    main()
