"""Compare the log with the database it was made from, file by file, and make wrong files anew.

The database is where events are durable; every file of the log but the checkpoint follows from it. So a wrong
tile is mended from it, as long as it still gives the signed root. If it does not, one of the two was changed, and
nothing here may choose which: that is for people, with a backup or a mirror of the log in hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from comity.backends.sql import SqlEventStore
from comity.errors import ComityError
from comity.ledger import rebuild
from comity.ledger.entry import ENTRY_SIZE
from comity.ledger.take_up import read_checkpoint, take_up, tree_files
from comity.node.bootstrap import Node
from comity.node.erase import unaccounted
from comity.node.log.publish import log_signer
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.note import verifier_of
from comity.proofs.tiles import WIDTH, RightEdge, Tile, parse_tile_path

_STEP = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that is wrong. `mendable`: it can be made anew from the database."""

    where: str
    problem: str
    mendable: bool


def check(node: Node) -> list[Trouble]:
    """Everything that is wrong, the database first. Reads all of both; a running node is not in the way."""
    key = verifier_of(log_signer(node))
    try:
        published = read_checkpoint(node.log, key)
    except ComityError as error:
        return [Trouble(where="checkpoint", problem=error.problem, mendable=False), *_rows(node)]
    found = list(_rows(node))
    if published is None:
        with node.records.reading() as tx:
            if tx.events.size():
                found.append(
                    Trouble(where="checkpoint", problem="missing: nothing is published", mendable=True)
                )
        return found
    return [*found, *_tiles(node, published[0])]


def mend(node: Node) -> None:
    """Make every wrong file of the published tree anew; `TrustError` if the database does not give its root."""
    signer, store = log_signer(node), SqlEventStore(node.records)
    rebuild(store, node.log, verifier_of(signer))
    with node.log.exclusive():
        take_up(store, node.log, verifier_of(signer))


def _rows(node: Node) -> Iterator[Trouble]:
    """Events whose row contradicts itself, places that are missing, erasures that nobody recorded."""
    with node.records.reading() as tx:
        size = tx.events.size()
        for start in range(0, size, _STEP):
            stop = min(start + _STEP, size)
            entries = tx.events.recomputed_entries(start, stop)
            if len(entries) != stop - start:
                yield Trouble(
                    where="database", mendable=False,
                    problem=f"expected an event at each place from {start} to {stop - 1}, got {len(entries)}",
                )  # fmt: skip
            for index, entry in enumerate(entries, start):
                if len(entry) != ENTRY_SIZE:
                    yield Trouble(
                        where="database", problem=f"event {index} does not give its own entry", mendable=False
                    )
        missing = unaccounted(tx)
        if missing:
            yield Trouble(
                where="database", mendable=False,
                problem=f"{missing} more events are erased than recorded dispositions account for",
            )  # fmt: skip


def _tiles(node: Node, published: Checkpoint) -> list[Trouble]:
    store = SqlEventStore(node.records)
    if store.size() < published.size:
        problem = f"expected at least {published.size} events, got {store.size()}: it was put back to an older state"
        return [Trouble(where="database", problem=problem, mendable=False)]
    edge, wrong = RightEdge(), []
    for path, content in tree_files(edge, published.size, store):
        for each, expected in [(path, content), *_smaller(node, path, content)]:
            stored = node.log.read(each)
            if stored != expected:
                wrong.append((each, "missing" if stored is None else "not what follows from the database"))
    agrees = edge.root() == published.root
    found = [Trouble(where=path, problem=problem, mendable=agrees) for path, problem in wrong]
    if not agrees:
        problem = f"the database gives root {edge.root().hex()}, the checkpoint signs {published.root.hex()}"
        found.insert(0, Trouble(where="checkpoint", problem=problem, mendable=False))
    return found


def _smaller(node: Node, path: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """What an unfinished tile looked like under older checkpoints, as far as that is still there: beginnings of it."""
    tile = parse_tile_path(path)
    for width in node.log.widths(tile) if tile.width < WIDTH else ():
        if width < tile.width:
            yield Tile(tile.level, tile.index, width).path, content[: width * (len(content) // tile.width)]
