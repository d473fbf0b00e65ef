"""How long an exercise takes to build, and how much memory: `python benchmarks/world.py [--transfers N]`.

Prints a line for each seed; ends with status 1 if one took longer than the budget. It stands beside
no peer: what other generators of laundering data make is too different for the seconds to be compared.
"""

import argparse
import resource
import sys
import time

from comity.exercise import build_world

KIB_A_MIB = 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transfers", type=int, default=200_000, help="rows in each country's book")
    parser.add_argument("--seeds", type=int, default=3, help="how many worlds to build")
    parser.add_argument("--budget", type=float, default=8.0, help="seconds a world may take")
    options = parser.parse_args()
    slowest = 0.0
    for seed in range(options.seeds):
        begun = time.perf_counter()
        world = build_world(seed=seed, transfers=options.transfers)
        seconds = time.perf_counter() - begun
        slowest = max(slowest, seconds)
        rows = sum(book.table.num_rows for book in world.books.values())
        columns = sum(book.table.nbytes for book in world.books.values()) / 1e6
        print(
            f"seed {seed}: {rows:,} rows in four books, {columns:,.0f} MB of columns, "
            f"{seconds:.2f} s, {rows / seconds:,.0f} rows/s"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_A_MIB
    print(f"slowest {slowest:.2f} s (budget {options.budget:.2f} s), peak memory of the process {peak:,} MiB")
    return int(slowest > options.budget)


if __name__ == "__main__":
    sys.exit(main())
