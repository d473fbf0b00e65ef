"""Found nodes once, copy them for each test, and run them step by step in one process.

`Town.settle` does what the threads of running nodes do, in a fixed order and with the test's clock, until
nobody has anything left to do.
"""

import shutil
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from comity.backends.log_reader import FileLogReader
from comity.backends.register_files import load_joined
from comity.backends.sql import Transaction
from comity.casework import Case, Hold, Request
from comity.exchange import Queue, write_bundle
from comity.exchange.register.change import propose_removal
from comity.exchange.register.write import complete, sign
from comity.ledger import verify_log
from comity.model import Authority, Event, Person, Role
from comity.node.bootstrap import Node, open_node, utc_now
from comity.node.found import found
from comity.node.home import Settings
from comity.node.import_book import import_transfers
from comity.node.log.prove import Cosigning, log_signer, publish_log
from comity.node.pages.desk import NodeDesk
from comity.node.pages.views import CasePage
from comity.node.post.deliver import deliver
from comity.node.post.tell import readers
from comity.node.registers.admit import create, join
from comity.node.registers.publish import root_key
from comity.node.report import report
from comity.node.run import work
from comity.proofs.note import verifier_of
from tests.nodes.clock import Clock, Ids
from tests.nodes.story import CA, COUNTRY_OF, HK, REPORT, ROWS, TH, Row, rows_of, write_book
from tests.nodes.wires import Mortal, Wires

WATCH = "watch-body"
COMPACT = "test-compact"
EVERYBODY = (CA, HK, TH, WATCH)
ROUNDS = 400


def settings_of(node_id: str, ports: tuple[int, int]) -> Settings:
    oversight = node_id == WATCH
    country = "SG" if oversight else COUNTRY_OF[node_id]
    return Settings(
        authority=Authority(
            id=node_id, name=f"Office {node_id}", jurisdiction=country, oversight=oversight
        ),
        covers=() if oversight else (country,), host="127.0.0.1", peer_port=ports[0], web_port=ports[1],
        channel="police", rule="fifo", hold_hours=72,
    )  # fmt: skip


def found_town(folder: Path, ports: Iterable[int], rows: Iterable[Row] = ROWS) -> Path:
    """Found everybody, give each their book, and let each join one compact."""
    rows, numbers = list(rows), iter(ports)
    nodes = []
    for node_id in EVERYBODY:
        settings = settings_of(node_id, (next(numbers), next(numbers)))
        node = found(folder / node_id, settings).node
        book = rows_of(COUNTRY_OF[node_id], rows) if node_id in COUNTRY_OF else []
        if book:
            import_transfers(node, [write_book(folder / f"{node_id}.parquet", book)], actor="test")
        nodes.append(node)
    compact = folder / "compact.json"
    create(compact, [node.home.path for node in nodes], name=COMPACT, problem="Stolen payments")
    for node in nodes:
        join(node, compact, actor="test")
        node.records.close()
    return folder


@dataclass
class Town:
    """`nodes` are open; `reopen` is what a restart sees: everything from the disk, nothing from memory."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    ids: Ids = field(default_factory=Ids)
    nodes: dict[str, Node] = field(default_factory=dict)
    wires: Wires = field(default_factory=Wires)

    @classmethod
    def copied(cls, template: Path, folder: Path, *, after: "Town | None" = None) -> "Town":
        """A town of its own in `folder`; `after` another one lends the time and the names it had used."""
        shutil.copytree(template, folder, dirs_exist_ok=True)
        town = cls(folder=folder)
        town.wires.on_death = town.reopen
        if after is not None:
            town.clock, town.ids = deepcopy(after.clock), deepcopy(after.ids)
        for node_id in EVERYBODY:
            town.reopen(node_id)
        return town

    def reopen(self, node_id: str) -> Node:
        before = self.nodes.get(node_id)
        if before is not None:
            before.records.close()
        node = open_node(self.folder / node_id)
        node.clock, node.new_id = self.clock.of(node_id), self.ids.of(node_id)
        if before is not None:
            node._keys, node._keys_stamp = before._keys, before._keys_stamp
        self.nodes[node_id] = node
        self.wires.connect(node)
        return node

    def doom(self, node_id: str, *, fuse: int, after: bool) -> None:
        """Let the node die at its nth transaction from now, before or just after the commit."""
        records = self[node_id].records
        self[node_id].records = Mortal(records, fuse=fuse, after=after)  # type: ignore[assignment] # stands in

    def close(self) -> None:
        for node in self.nodes.values():
            node.records.close()

    def __getitem__(self, node_id: str) -> Node:
        return self.nodes[node_id]

    # --- doing ---

    def law(self, node_id: str, cedar: str) -> None:
        """Add a policy to the node's own law and start it again."""
        (self.folder / node_id / "policy" / "test.cedar").write_text(cedar)
        self.reopen(node_id)

    def give(self, *rows: Row) -> None:
        """Import more transfers into every book that shows them."""
        for node_id, country in COUNTRY_OF.items():
            if book := rows_of(country, rows):
                file = self.folder / f"{node_id}-{rows[0]['transfer_id']}.parquet"
                import_transfers(self[node_id], [write_book(file, book)], actor="test")

    def report(self, node_id: str = CA, **changes: Any) -> Case:
        return report(self[node_id], {**REPORT, **changes}, actor="test")

    def settle(self, *, down: Iterable[str] = (), patience: timedelta = timedelta(days=1)) -> None:
        """Until nothing is left to do; time moves only where a message waits for its next attempt, up to
        `patience`.
        """
        give_up, pause = self.clock() + patience, timedelta(seconds=15)
        up = [node_id for node_id in self.nodes if node_id not in set(down)]
        self.wires.down = set(down)
        for _ in range(ROUNDS):
            if self.round(up):
                pause = timedelta(seconds=15)
            elif any(self.waiting(node_id) for node_id in up) and self.clock() < give_up:
                pause = min(2 * pause, timedelta(hours=2), give_up - self.clock())
                self.clock.advance(seconds=pause.total_seconds())
            else:
                return
        raise AssertionError(f"still at work after {ROUNDS} rounds")

    def round(self, up: Iterable[str] | None = None) -> bool:
        """Everybody works once; True if anything happened."""
        busy = False
        for node_id in up if up is not None else list(self.nodes):
            busy |= work(self[node_id])
            for peer in self.nodes:
                while peer != node_id and self.deliver(node_id, peer):
                    busy = True
        return busy

    def deliver(self, node_id: str, peer: str, random: float = 0.5) -> bool:
        """Try what waits at the node for `peer`, in each compact; True if there may be more to do at once."""
        wire = self.wires.of(node_id)
        queues = [Queue(name, peer) for name in self[node_id].compacts()]
        done = [deliver(self[node_id], queue, wire, random=random) for queue in queues]
        return any(done)

    def cosign(self) -> None:
        """Publish every log and have it cosigned by everybody."""
        for node in self.nodes.values():
            publish_log(node)
        for node in self.nodes.values():
            Cosigning().gather(node, self.wires.of(node.id))  # type: ignore[arg-type] # stands in for PeerCourier

    def remove(self, gone: str) -> None:
        """Take a member out of the compact: the other states sign that, and the file is carried to each of them.

        Registers are of the present, when the town was founded; the story's own time may be another.
        """
        stay = [node for node in self.nodes.values() if node.id != gone]
        file, now = self.folder / f"without-{gone}.json", utc_now() + timedelta(seconds=2)
        bundle = propose_removal(load_joined(stay[0].home.compacts / COMPACT).files, gone, now=now)
        for node in stay:
            bundle = sign(bundle, root_key(node, None))
        file.write_bytes(write_bundle(complete(bundle, [stay[0].keys.online], now=now)))
        for node in stay:
            clock, node.clock = node.clock, lambda: now
            join(node, file, actor="test")
            node.clock = clock

    # --- looking ---

    @contextmanager
    def looking(self, node_id: str) -> Iterator[Transaction]:
        with self[node_id].records.reading() as tx:
            yield tx

    def events(self, node_id: str, *kinds: str) -> list[Event]:
        with self.looking(node_id) as tx:
            return [event for event in tx.events.all() if not kinds or event.kind in kinds]

    def case(self, node_id: str, case_id: str = "") -> Case:
        with self.looking(node_id) as tx:
            return next(one for one in tx.cases.all() if case_id in ("", one.id, one.origin_case))

    def requests(self, node_id: str) -> list[Request]:
        with self.looking(node_id) as tx:
            return list(tx.requests.all())

    def holds(self, node_id: str, *, own: bool = True) -> list[Hold]:
        """Holds in this node's book; with `own=False` the ones it was told of."""
        with self.looking(node_id) as tx:
            return [hold for hold in tx.holds.all() if (hold.holder == node_id) is own]

    def hold_on(self, account: str) -> Hold:
        return next(hold for node_id in COUNTRY_OF for hold in self.holds(node_id) if hold.account == account)

    def case_page(self, node_id: str, case_id: str) -> CasePage:
        """The page as somebody who works on cases sees it."""
        return NodeDesk(self[node_id]).case(self.person(node_id, Role.ANALYST), case_id)

    def queued(self, node_id: str) -> int:
        with self.looking(node_id) as tx:
            return tx.outbox.counts().get("queued", 0)

    def waiting(self, node_id: str) -> bool:
        """Whether something is to leave the node later: a message, or the word of what became of one."""
        with self.looking(node_id) as tx:
            return bool(tx.outbox.counts().get("queued") or tx.inbox.to_tell(1, readers(self[node_id])))

    def found(self, case_id: str, origin: str = CA) -> Counter[Any]:
        """Where the origin knows that the money rests, or left to where nobody has a book."""
        amounts: Counter[Any] = Counter()
        with self.looking(origin) as tx:
            for one in tx.cases.traces(case_id):
                for holding in one.trace.holdings:
                    amounts[holding.account, holding.currency] += holding.tainted_minor
                for crossing in one.trace.exits:
                    if crossing.to_country not in COUNTRY_OF.values():
                        amounts[crossing.to_account, crossing.currency] += crossing.tainted_minor
        return amounts

    def person(self, node_id: str, role: Role, name: str = "") -> Person:
        """Somebody of that role. Deciding needs no row: who signs in is another test's matter."""
        return Person(id=name or f"{role.value}-{node_id}", role=role)

    def verify_logs(self) -> None:
        for node in self.nodes.values():
            publish_log(node)
            with node.records.reading() as tx:
                found = verify_log(
                    FileLogReader(node.home.log), verifier_of(log_signer(node)),
                    expected_entries=tx.events.recomputed_entries,
                )  # fmt: skip
                assert found.fault is None, f"{node.id}: {found.fault}"
                assert found.entries_checked == tx.events.size() >= len(list(tx.events.all()))


def counts(events: Iterable[Event], key: str) -> Mapping[Any, int]:
    return Counter(event.body[key] for event in events)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
