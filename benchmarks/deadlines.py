"""How fast deadlines that were missed come due, with one worker process and with two, beside claiming rows alone.

    python -m benchmarks.deadlines [--deadlines 1000] [--workers 1 2] [--directory DIR]

Each deadline is one durable transaction: found, claimed, the hold moved by its procedure, events written. The bare
claim finds and claims the same rows, each in a durable transaction, and does nothing else. Writing transactions are
serial on either database, so a second worker takes over from one that died; it makes nothing faster.
PostgreSQL is Debian's, started for this run on the same disk and reached over TCP on this machine.
"""

import argparse
import subprocess
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from tests.contract.postgres_server import Server, find_postgres, private_server
from tests.contract.sweeping import PATIENCE, miss_deadlines, start_worker
from tests.nodes.story import HK
from tests.nodes.town import free_ports, settings_of

from comity.node.bootstrap import open_node
from comity.node.found import found


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Deadlines a second. `shares` is how many each worker handled."""

    database: str
    workers: int
    bare: float
    swept: float
    shares: tuple[int, ...]

    def __str__(self) -> str:
        shares = "+".join(map(str, self.shares))
        return f"{self.database:<12}{self.workers:>8}{self.bare:>14,.0f}{self.swept:>14,.0f}   {shares}"


def measure(
    folder: Path, database: str, *, deadlines: int, workers: int, bare: bool
) -> tuple[float, tuple[int, ...]]:
    """A node of its own for each figure; its workers are open and waiting when the time begins."""
    one, two = free_ports(2)
    home, go = folder / "node", folder / "go"
    folder.mkdir()
    found(home, replace(settings_of(HK, (one, two)), database=database)).node.records.close()
    node = open_node(home)
    with closing(node.records):
        miss_deadlines(node, deadlines)
    running = [start_worker(home, go, bare=bare) for _ in range(workers)]
    try:
        for worker in running:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n", worker.communicate()
        began = time.perf_counter()
        go.touch()
        shares = tuple(int(worker.communicate(timeout=PATIENCE)[0]) for worker in running)
        seconds = time.perf_counter() - began
    finally:
        _end(running)
    assert sum(shares) == deadlines, f"expected {deadlines} handled, got {shares}"
    return deadlines / seconds, shares


def _end(running: "list[subprocess.Popen[str]]") -> None:
    for worker in running:
        worker.kill()
        worker.wait()


def lines(folder: Path, server: Server | None, *, deadlines: int, workers: list[int]) -> None:
    for name in ("SQLite", *(["PostgreSQL"] if server else [])):
        for count in workers:
            rates = {}
            for bare in (True, False):
                place = server.tcp_url(server.database()) if server and name == "PostgreSQL" else "node.db"
                work = folder / f"{name}-{count}-{bare}"
                rates[bare] = measure(work, place, deadlines=deadlines, workers=count, bare=bare)
            swept, shares = rates[False]
            print(
                Line(database=name, workers=count, bare=rates[True][0], swept=swept, shares=shares),
                flush=True,
            )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--deadlines", type=int, default=1_000, help="a multiple of 4")
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options.add_argument("--directory", type=Path, help="where the databases live; default: a temporary one")
    given = options.parse_args()
    print(f"{'a second':<12}{'workers':>8}{'bare claims':>14}{'swept':>14}   by worker")
    with tempfile.TemporaryDirectory(dir=given.directory) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server runs as somebody else
        if find_postgres() is None:
            lines(folder, None, deadlines=given.deadlines, workers=given.workers)
            return
        with private_server(folder) as server:
            lines(folder, server, deadlines=given.deadlines, workers=given.workers)


if __name__ == "__main__":
    main()
