"""How quickly money is followed, beside the goals, the machine's own speed, and other programs, in one run.

    python benchmarks/tracing.py [--transfers 5000000] [--peers 300000] [--only build traces ...]

Books are generated: accounts that both receive and pay, some much more than others, a year of transfers. "A core"
is by processor time of this process, which other work on the machine changes less than the clock does; the command is
by the clock, and by processor time beside it. Peers do the same work to the cent, and must find the same: networkx and
igraph hold transfers as edges and walk them, DuckDB joins intervals in a recursive query. They get a smaller book,
since networkx needs more than a kilobyte a transfer.

50 million transfers: `--transfers 50000000 --peers 0` (some 9 GB of memory). 500 million: the same, given 24 GB and an
hour; `--only build traces` (Parquet is then not written).
"""

import argparse
import heapq
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from comity.tracing import BOOK_SCHEMA, Book, Rule, extend, follow
from comity.tracing.engine import arrivals, follow_pieces, follow_shares, search, stretches
from comity.tracing.found import Task
from comity.tracing.positions import Positions

Result = TypeVar("Result")
SECTIONS = ("build", "traces", "sweep", "peers", "command")
YEAR = 365 * 86_400 * 10**6
START = 1_735_689_600 * 10**6


def generated(transfers: int, seed: int) -> Any:
    """A year of transfers between accounts, thirty each on average, in order of time."""
    rng = np.random.default_rng(seed)
    accounts = max(10, transfers // 30)
    weight = 1 / (np.arange(accounts) + 20) ** 0.6
    busy = np.cumsum(weight) / weight.sum()
    shuffled = rng.permutation(accounts)
    ends = [shuffled[np.searchsorted(busy, rng.random(transfers))].astype(np.int32) for _ in range(2)]
    names = pa.array(np.char.add("A", np.char.zfill(np.arange(accounts).astype(str), 9)))
    ids = np.char.add("T", np.char.zfill(np.arange(transfers).astype(str), 10))
    columns = {
        "transfer_id": pa.array(ids),
        "booked_at": pa.array(np.sort(rng.integers(0, YEAR, transfers)) + START).cast(
            pa.timestamp("us", "UTC")
        ),
        "from_account": pa.DictionaryArray.from_arrays(pa.array(ends[0]), names),
        "to_account": pa.DictionaryArray.from_arrays(pa.array(ends[1]), names),
        "amount_minor": pa.array(np.exp(rng.normal(9, 1.5, transfers)).astype(np.int64) + 1),
        "currency": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(transfers, np.int32)), pa.array(["EUR"])
        ),
    }
    return pa.table(
        [columns.get(field.name, pa.nulls(transfers, field.type)) for field in BOOK_SCHEMA],
        names=BOOK_SCHEMA.names,
    )


def core_seconds(what: Callable[[], Result], times: int = 1) -> tuple[Result, float]:
    """The least processor time of some runs."""
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        result = what()
        best = min(best, time.process_time() - begun)
    return result, best


def say(what: str, got: str, goal: str = "", met: bool | None = None) -> None:
    verdict = "" if met is None else ("   met" if met else "   NOT MET")
    print(f"  {what:58}{got:>24}{'   goal ' + goal if goal else '':28}{verdict}", flush=True)


def rate(what: str, count: int, seconds: float, goal: float = 0.0, unit: str = "/s") -> None:
    got = count / seconds
    say(what, f"{got:,.0f}{unit}", f"≥ {goal:,.0f}{unit}" if goal else "", got >= goal if goal else None)


def warm() -> None:
    """Compile, or load what was compiled, before anything is measured."""
    small = Book.from_table(generated(20_000, 1))
    assert small.positions is not None
    task = whole_claims(small, np.arange(500, 900))
    for rule in Rule:
        search(small, small.positions, rule, task)
    sweep(small, small.positions, Rule.PRORATA, task, least=0)


def whole_claims(book: Book, events: Any) -> Task:
    moving = [event for event in np.unique(events).tolist() if book.moves(event)]
    return Task(claimed={event: int(book.amount[event]) for event in moving}, told={}, end=len(book))


def measure_build(table: Any) -> Book:
    book, seconds = core_seconds(lambda: Book.from_table(table))
    size = len(book)
    at = book.positions
    assert at is not None
    _, kernel = core_seconds(
        lambda: Positions.of(book.sender, book.receiver, book.amount, book.amount, book.opening), 2
    )
    rate("index, kernel: transfers a core", size, kernel, 4_000_000)
    rate("book and index from columns of codes: transfers a core", size, seconds, 4_000_000)
    by_transfer = sum(
        array.nbytes for name, array in at.arrays().items() if len(array) >= len(book.opening) + 3
    )
    by_pot = sum(array.nbytes for name, array in at.arrays().items()) - by_transfer
    say("index, bytes a transfer", f"{by_transfer / size:.1f}", "≤ 32", by_transfer <= 32 * size)
    say(
        "index, bytes a pot; of the columns themselves a transfer",
        f"{by_pot / len(book.opening):.0f}; {4 + 8 + 4 + 4 + 8}",
    )
    _, lots = core_seconds(book.lots)
    rate("lot table of lifo, once: transfers a core", size, lots)
    say("lot table, bytes a transfer", f"{sum(array.nbytes for array in book.lots()) / size:.1f}")
    day = generated(size // 365 + 1, 9)
    later = day.set_column(
        1,
        "booked_at",
        pa.array(np.full(len(day), START + YEAR - 3600 * 10**6)).cast(pa.timestamp("us", "UTC")),
    )
    later = later.set_column(0, "transfer_id", pa.array([f"L{number:09d}" for number in range(len(day))]))
    _, grown = core_seconds(lambda: extend(book, later))
    say(f"a late day of {len(day):,} put into the book, seconds", f"{grown:.2f}")
    return book


def measure_traces(book: Book) -> None:
    at = book.positions
    assert at is not None
    rng = np.random.default_rng(3)
    events = rng.integers(len(book) // 10, len(book) * 9 // 10, 3_000)
    tasks = [whole_claims(book, [event]) for event in events]
    goal = 10_000 if len(book) < 20_000_000 else 5_000
    for rule in (Rule.FIFO, Rule.LIFO):
        if rule is Rule.LIFO:
            book.lots()
        seeds = [stretches(book, at, task) for task in tasks]
        moved = [0] * len(tasks)

        def all_tasks(rule: Rule = rule, seeds: Any = seeds, moved: list[int] = moved) -> None:
            for number, (seed, task) in enumerate(zip(seeds, tasks, strict=True)):
                moved[number] = len(follow_pieces(book, at, rule, seed, task)[0])

        _, seconds = core_seconds(all_tasks, 2)
        rate(f"{rule}: traces of one transfer a core, pieces and rests", len(tasks), seconds, goal)
        say(
            f"{rule}: pieces a trace (mean, median, most); nanoseconds a piece",
            f"{np.mean(moved):.1f}, {np.median(moved):.0f}, {max(moved):,}; {seconds / sum(moved) * 1e9:,.0f}",
        )
        _, seconds = core_seconds(partial(search_all, book, at, rule, tasks[:500]))
        rate(f"{rule}: the same with balances, gaps and flows", 500, seconds)
    name = book.text("transfer_id", int(events[0]))
    _, seconds = core_seconds(lambda: follow(book, rule=Rule.FIFO, claims={name: None}), 3)
    say("fifo: one whole trace, ids looked up, seconds", f"{seconds:.3f}")


def search_all(book: Book, at: Positions, rule: Rule, tasks: list[Task]) -> None:
    for task in tasks:
        search(book, at, rule, task)


def sweep(book: Book, at: Positions, rule: Rule, task: Task, *, least: int) -> Any:
    """The sweep alone, from the first claim on."""
    from comity.tracing.kernels import shares

    number = {Rule.PRORATA: shares.PRORATA, Rule.LIBR: shares.LIBR, Rule.POISON: shares.POISON}[rule]
    tainted, cursor = np.zeros(len(book.opening), np.int64), np.zeros(len(book.opening), np.int64)
    dropped = np.array(sorted(task.claimed), np.int64)
    return shares.sweep(
        number, least, arrivals(book, task), 0, dropped, 0, task.end, tainted, cursor, book.sender, book.receiver,
        book.amount, book.converted, book.converted_minor, at.out_first, at.out_event, at.balance,
    )  # fmt: skip


def measure_sweep(book: Book) -> None:
    """The scan: the sum of every column that the sweep may read, which is what the machine can do at best."""
    at = book.positions
    assert at is not None
    columns = (book.sender, book.receiver, book.amount)
    _, scan = core_seconds(lambda: [int(column.sum()) for column in columns], 3)
    say("scan of payer, payee and amount: rows a core", f"{len(book) / scan / 1e6:,.0f} M/s")
    goal = 0.5 if len(book) < 20_000_000 else 0.25
    for claims in (1, 1_000):
        task = whole_claims(book, np.linspace(10, len(book) // 50, claims, dtype=np.int64))
        for least in (1, 0):
            paid, seconds = core_seconds(partial(sweep, book, at, Rule.PRORATA, task, least=least), 2)
            share = scan / seconds
            cut = "1 % cut-off" if least else "no cut-off"
            what = f"prorata sweep, {claims:,} claims, {cut}, {len(paid):,} payments"
            say(
                what,
                f"{share:.0%} of the scan",
                f"≥ {goal:.0%}" if least else "",
                share >= goal if least else None,
            )
    measure_threshold(book, at)


def measure_threshold(book: Book, at: Positions) -> None:
    """From how large a part of the book on the sweep is quicker than the heap: `engine.SWEEP_FROM`."""
    from unittest.mock import patch

    from comity.tracing import engine

    for claims in (1, 10, 100, 1_000):
        task = whole_claims(book, np.linspace(len(book) // 4, len(book) // 3, claims, dtype=np.int64))
        seeds = arrivals(book, task)
        with patch.object(engine, "SWEEP_FROM", 1e9):
            found, heap = core_seconds(partial(follow_shares, book, at, Rule.PRORATA, seeds, task))
        _, whole = core_seconds(partial(sweep, book, at, Rule.PRORATA, task, least=0))
        part = len(found[0]) / (len(book) - int(seeds[0, 0]))
        say(f"prorata, {part:.3%} of the events ahead: heap, sweep, seconds", f"{heap:.3f}, {whole:.3f}")


def measure_peers(book: Book, transfers: int) -> None:
    """DuckDB with the whole book, networkx and igraph with one of `transfers`."""
    in_memory = Book.from_table(generated(min(transfers, len(book)), 5))
    beside(book, (("DuckDB", in_duckdb, 1_000),))
    beside(in_memory, (("networkx", in_networkx, 300), ("igraph", in_igraph, 40), ("DuckDB", in_duckdb, 0)))


def beside(book: Book, peers: Any) -> None:
    """One report whose trace touches a thousand transfers or a few more, by us and by each of the peers."""
    at = book.positions
    assert at is not None
    claims, size = 25, len(book)
    while True:
        task = whole_claims(book, np.linspace(size // 20, size // 10, claims, dtype=np.int64))
        seeds = stretches(book, at, task)
        moved, _ = follow_pieces(book, at, Rule.FIFO, seeds, task)
        if len(np.unique(moved[:, 0])) >= 1_000 or claims > size // 50:
            break
        claims = claims * 3 // 2
    _, ours = core_seconds(lambda: [follow_pieces(book, at, Rule.FIFO, seeds, task) for _ in range(20)], 3)
    ours /= 20
    ours_flows = flows_of(moved)
    say(f"fifo trace of {len(ours_flows):,} transfers in a book of {size:,}, seconds", f"{ours:.6f}")
    edges = edges_of(book, at)
    for name, peer, goal in peers:
        flows, seconds = peer(edges, seeds, set(task.claimed))
        assert flows == ours_flows, name
        times = seconds / ours
        met = times >= goal if goal else None
        say(
            f"the same in {name}: {seconds:.4f} s, times slower",
            f"{times:,.0f}×",
            f"≥ {goal:,}×" if goal else "",
            met,
        )


def flows_of(moved: Any) -> dict[int, int]:
    flows: dict[int, int] = {}
    for event, _, start, stop in moved.tolist():
        flows[event] = flows.get(event, 0) + stop - start
    return flows


def edges_of(book: Book, at: Positions) -> Any:
    """Transfers with their intervals, as a person would put them into a graph or a database."""
    group = np.repeat(np.arange(len(at.out_first) - 1), np.diff(at.out_first))
    inside = group < len(book.opening)
    event, payer = at.out_event[inside], group[inside]
    out_end = at.out_at[inside] + np.minimum(book.amount[event], at.balance[inside])
    return pa.table(
        {
            "event": event, "payer": payer, "payee": book.receiver[event], "out_at": at.out_at[inside],
            "out_end": out_end, "in_at": at.in_at[inside],
        }
    )  # fmt: skip


def walk_edges(seeds: Any, dropped: set[int], outgoing: Callable[[int], Any]) -> dict[int, int]:
    """Pieces by event through a graph; `outgoing` gives (event, payee, out_at, out_end, in_at) of an account."""
    ahead: list[tuple[int, int, int, int]] = []
    flows: dict[int, int] = {}

    def spread(pot: int, low: int, high: int) -> None:
        for event, payee, out_at, out_end, in_at in outgoing(pot):
            begin, stop = max(low, out_at), min(high, out_end)
            if begin < stop:
                heapq.heappush(ahead, (event, payee, in_at + begin - out_at, stop - begin))

    for pot, start, stop in seeds.tolist():
        spread(pot, start, stop)
    while ahead:
        event, payee, low, size = heapq.heappop(ahead)
        flows[event] = flows.get(event, 0) + size
        if event not in dropped:
            spread(payee, low, low + size)
    return flows


def in_networkx(edges: Any, seeds: Any, dropped: set[int]) -> tuple[dict[int, int], float]:
    import networkx as nx  # type: ignore[import-untyped]

    graph = nx.MultiDiGraph()
    names = ("event", "out_at", "out_end", "in_at")
    columns = [edges[name].to_pylist() for name in ("payer", "payee", *names)]
    graph.add_edges_from(
        (row[0], row[1], dict(zip(names, row[2:], strict=True))) for row in zip(*columns, strict=True)
    )

    def outgoing(pot: int) -> Any:
        for _, payee, edge in graph.out_edges(pot, data=True):
            yield edge["event"], payee, edge["out_at"], edge["out_end"], edge["in_at"]

    return core_seconds(lambda: walk_edges(seeds, dropped, outgoing))


def in_igraph(edges: Any, seeds: Any, dropped: set[int]) -> tuple[dict[int, int], float]:
    import igraph  # type: ignore[import-untyped]

    pairs = list(zip(edges["payer"].to_pylist(), edges["payee"].to_pylist(), strict=True))
    graph = igraph.Graph(edges=pairs, directed=True)
    event, payee, out_at, out_end, in_at = (
        edges[name].to_pylist() for name in ("event", "payee", "out_at", "out_end", "in_at")
    )

    def outgoing(pot: int) -> Any:
        for edge in graph.incident(pot, mode="out"):
            yield event[edge], payee[edge], out_at[edge], out_end[edge], in_at[edge]

    return core_seconds(lambda: walk_edges(seeds, dropped, outgoing))


def in_duckdb(edges: Any, seeds: Any, dropped: set[int]) -> tuple[dict[int, int], float]:
    import duckdb

    base = duckdb.connect()
    base.execute("SET threads = 1")
    base.register("edges_in", edges)
    base.execute("CREATE TABLE edges AS SELECT * FROM edges_in ORDER BY payer, out_at")
    base.register(
        "seeds_in", pa.table({name: seeds[:, at] for at, name in enumerate(("pot", "low", "high"))})
    )
    base.register("dropped_in", pa.table({"event": sorted(dropped)}))
    query = """
        WITH RECURSIVE pieces AS (
            SELECT NULL::INT AS event, pot, low, high, NULL::BIGINT AS size FROM seeds_in
            UNION ALL
            SELECT e.event,
                   CASE WHEN e.event IN (SELECT event FROM dropped_in) THEN -1 ELSE e.payee END,
                   e.in_at + greatest(p.low, e.out_at) - e.out_at,
                   e.in_at + least(p.high, e.out_end) - e.out_at,
                   least(p.high, e.out_end) - greatest(p.low, e.out_at)
            FROM pieces p JOIN edges e ON e.payer = p.pot AND e.out_at < p.high AND e.out_end > p.low
                 AND e.out_end > e.out_at
        )
        SELECT event, sum(size)::BIGINT FROM pieces WHERE event IS NOT NULL GROUP BY event"""
    rows, seconds = core_seconds(lambda: base.execute(query).fetchall())
    return dict(rows), seconds


def measure_command(table: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        transfers, report, index = (Path(folder, name) for name in ("book.parquet", "report.json", "index"))
        plain = table.select([name for name in table.column_names if table[name].null_count < len(table)])
        pq.write_table(plain, transfers)
        name = table["transfer_id"][len(table) // 3].as_py()
        report.write_text(json.dumps({"report_id": "R", "transfers": [name]}))
        command = [sys.executable, "-m", "comity", "trace", str(transfers), "--report", str(report), "--json"]
        big = len(table) >= 5_000_000
        for what, words, goal in (("cold", [], 6.0), ("index written", ["--index", str(index)], 0.0),
                                  ("index kept", ["--index", str(index)], 1.5)):  # fmt: skip
            clock, core, peak = ran([*command, *words])
            met = clock <= goal if goal and big else None
            say(
                f"comity trace, {what}: seconds by the clock",
                f"{clock:.2f}",
                f"≤ {goal} s" if goal else "",
                met,
            )
            say("    processor seconds; most memory", f"{core:.2f}; {peak:,} MB", "≤ 1,500 MB", peak <= 1_500)


def ran(words: list[str]) -> tuple[float, float, int]:
    """Seconds by the clock and of processors, and the most memory in MB, of one command."""
    begun = time.perf_counter()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--transfers", type=int, default=5_000_000)
    options.add_argument("--peers", type=int, default=300_000, help="size of the peers' book; 0 for none")
    options.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    warm()
    print(
        f"\n{chosen.transfers:,} transfers; load on the machine {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores"
    )
    table = generated(chosen.transfers, chosen.seed)
    if "command" in chosen.only:
        measure_command(table)
    book = measure_build(table) if "build" in chosen.only else Book.from_table(table)
    if "traces" in chosen.only:
        measure_traces(book)
    if "sweep" in chosen.only:
        measure_sweep(book)
    if "peers" in chosen.only and chosen.peers:
        measure_peers(book, chosen.peers)
    say("most memory of this program", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB")


if __name__ == "__main__":
    main()
