"""The stores on SQLite and on PostgreSQL: what a durable append, message and read cost on each, in one run.

    python -m benchmarks.stores [--seconds 2] [--writers 1 8] [--postgres URL] [--directory DIR]

Every write is one transaction, durable when it counts. PostgreSQL is Debian's, started for this run on the same
disk and reached over a Unix socket, unless `--postgres` names an empty database elsewhere.
"""

import argparse
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.contract import stores as given
from tests.contract.postgres_server import private_server
from tests.vectors.forger import CANADA

from comity.backends.sql import Records
from comity.backends.sql.events import sealed

BATCH = 256
NAMES = itertools.count(1)
Work = Callable[[Records], int]
"""Does one thing; says how many rows it was worth."""


def append(records: Records) -> int:
    with records.transaction() as tx:
        tx.events.append(given.happening(next(NAMES)))
    return 1


def append_batch(records: Records) -> int:
    rows = [sealed(given.happening(next(NAMES))) for _ in range(BATCH)]
    with records.transaction() as tx:
        tx.events.append_all(rows)
    return BATCH


def send(records: Records) -> int:
    """A message with its event, as `node.post.send` stores it: the next of one queue."""
    with records.transaction() as tx:
        sequence, _ = tx.outbox.chain_end(given.COMPACT, given.PEER)
        tx.outbox.put(given.outgoing(sequence + 1, wire=WIRE), due=given.NOW)
        tx.events.append(given.happening(next(NAMES)))
    return 1


def receive(records: Records) -> int:
    """A message with its event, as `node.post.receive` stores it: place looked up, taken, chain extended."""
    with records.transaction() as tx:
        sequence = tx.inbox.known(given.COMPACT, CANADA.id, "none").last_sequence
        given.arrive(tx, sequence + 1)
        tx.events.append(given.happening(next(NAMES)))
    return 1


def read(records: Records) -> int:
    with records.reading() as tx:
        tx.outbox.counts()
        tx.inbox.to_handle(limit=4)
    return 1


WIRE = b"x" * 6_000
"""About what a sealed request weighs."""
KINDS: dict[str, tuple[Work, bool]] = {
    "events, one a transaction": (append, True),
    f"events, {BATCH} a transaction": (append_batch, False),
    "messages sent": (send, True),
    "messages received": (receive, True),
    "reads of the queues": (read, True),
}
"""True: also with several writers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    kind: str
    writers: int
    sqlite: float
    postgres: float

    def __str__(self) -> str:
        ratio = self.postgres / self.sqlite
        return f"{self.kind:<30}{self.writers:>8}{self.sqlite:>14,.0f}{self.postgres:>14,.0f}{ratio:>9.2f}"


def rate(records: Records, work: Work, *, writers: int, seconds: float) -> float:
    """Rows a second that `writers` threads store together."""
    done = [0] * writers
    end = time.perf_counter() + seconds

    def loop(writer: int) -> None:
        while time.perf_counter() < end:
            done[writer] += work(records)

    threads = [threading.Thread(target=loop, args=(writer,)) for writer in range(writers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


@contextmanager
def databases(postgres: str | None, folder: Path) -> Iterator[tuple[Records, Records]]:
    with ExitStack() as open_ones:
        if postgres is None:
            server = open_ones.enter_context(private_server(folder))
            postgres = server.url(server.database())
        pair = Records(folder / "node.db"), Records(postgres)
        for records in pair:
            open_ones.callback(records.close)
        yield pair


def measure(postgres: str | None, folder: Path, *, seconds: float, writers: list[int]) -> Iterator[Line]:
    with databases(postgres, folder) as (sqlite, server):
        for kind, (work, many) in KINDS.items():
            for count in writers if many else writers[:1]:
                rates = [rate(one, work, writers=count, seconds=seconds) for one in (sqlite, server)]
                yield Line(kind=kind, writers=count, sqlite=rates[0], postgres=rates[1])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=2.0)
    options.add_argument("--writers", type=int, nargs="+", default=[1, 8])
    options.add_argument("--postgres", help="an empty database: postgresql://USER@HOST/NAME")
    options.add_argument("--directory", type=Path, help="where the databases live; default: a temporary one")
    given_ones = options.parse_args()
    print(f"{'rows a second':<30}{'writers':>8}{'SQLite':>14}{'PostgreSQL':>14}{'ratio':>9}")
    with tempfile.TemporaryDirectory(dir=given_ones.directory) as folder:
        Path(folder).chmod(0o755)  # the server runs as somebody else
        for line in measure(
            given_ones.postgres, Path(folder), seconds=given_ones.seconds, writers=given_ones.writers
        ):
            print(line, flush=True)


if __name__ == "__main__":
    main()
