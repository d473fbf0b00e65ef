"""Build the nodes of the demo in a directory, and run each as an operating-system process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from comity.entrypoints.demo.cast import CAST, Actor
from comity.errors import ComityError
from comity.exercise import World, build_world
from comity.model import Authority, Role, digits_of
from comity.node.bootstrap import Node
from comity.node.found import found
from comity.node.home import Settings
from comity.node.import_book import import_transfers
from comity.node.log.quorum import install
from comity.node.people import add_person
from comity.node.registers.admit import create, join

COMPACT = "stolen-payments"
START_SECONDS = 30.0
Say = Callable[[str], None]


class NodeDied(ComityError):
    """A node's process ended when it should not have."""

    code = "demo.node-died"
    remedy = "Read its output: NODE/run.log (keep the directory with --keep)."


@dataclass(slots=True)
class Stage:
    """The nodes of one demo: their directories, what signs people in, and their processes."""

    folder: Path
    world: World
    nodes: dict[str, Node]
    passwords: dict[str, dict[str, str]]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def report(self) -> Path:
        return self.folder / "report.json"

    def start(self, node_id: str) -> None:
        """Start the node's process and wait until its pages answer."""
        home = self.nodes[node_id].home.path
        with (home / "run.log").open("ab") as log:
            self.processes[node_id] = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "comity", "node", "run", str(home)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_until_up(self, node_id: str) -> None:
        settings = self.nodes[node_id].settings
        deadline = time.monotonic() + START_SECONDS
        while not (
            _listens(settings.host, settings.web_port) and _listens(settings.host, settings.peer_port)
        ):
            if self.processes[node_id].poll() is not None or time.monotonic() > deadline:
                raise NodeDied(f"{node_id} did not start", where=str(self.nodes[node_id].home.path))
            time.sleep(0.05)

    def kill(self, node_id: str) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        process = self.processes[node_id]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ask every node to stop, and make sure that it has."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def build(folder: Path, *, seed: int, transfers: int, say: Say) -> Stage:
    """Make the world, the nodes, their books and the compact. Nothing runs yet."""
    say("making four countries' books of transfers")
    world = build_world(seed=seed, transfers=transfers)
    (folder / "truth").mkdir()
    say("founding five nodes: keys, databases, logs, first administrators")
    ports = _free_ports(2 * len(CAST))
    with ThreadPoolExecutor(2) as pool:
        founded = list(
            pool.map(
                lambda one: _found(folder, one[1], ports[2 * one[0]], ports[2 * one[0] + 1]), enumerate(CAST)
            )
        )
    nodes = {actor.id: node for actor, (node, _) in zip(CAST, founded, strict=True)}
    passwords = {actor.id: word for actor, (_, word) in zip(CAST, founded, strict=True)}
    say("importing each country's book into its own node")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda actor: _import(folder, nodes[actor.id], world, actor), CAST))
    say("forming the compact: every node joins it itself")
    _join_all(folder, nodes)
    stage = Stage(folder=folder, world=world, nodes=nodes, passwords=passwords)
    report = {**world.report, "title": "Law firm, Vancouver: business e-mail compromise"}
    report["offence"] = "cyber_fraud"
    stage.report.write_text(json.dumps(report, indent=2, ensure_ascii=False), encoding="utf-8")
    return stage


def _found(folder: Path, actor: Actor, peer_port: int, web_port: int) -> tuple[Node, dict[str, str]]:
    settings = Settings(
        authority=Authority(
            id=actor.id, name=actor.name, jurisdiction=actor.jurisdiction, oversight=actor.oversight
        ),
        covers=() if actor.oversight else (actor.jurisdiction,), host="127.0.0.1", peer_port=peer_port,
        web_port=web_port, channel=actor.channel, rule="fifo", hold_hours=72, log_cadence_ms=200,
        reply_tick_ms=100,
    )  # fmt: skip
    done = found(folder / actor.id, settings, policies=actor.policies)
    words = {done.administrator: done.password}
    role = Role.OVERSIGHT if actor.oversight else Role.ANALYST
    words["analyst"] = add_person(done.node, "analyst", role, actor="demo")
    return done.node, words


def _import(folder: Path, node: Node, world: World, actor: Actor) -> None:
    """Through files and the same import that people use, so that every row is validated."""
    book = world.books.get(actor.jurisdiction)
    if book is None or actor.oversight:
        return
    rows, opening = folder / "truth" / f"{book.country}.parquet", folder / "truth" / f"{book.country}.csv"
    pq.write_table(book.table, rows)
    with opening.open("w", encoding="utf-8") as out:
        out.write("account,currency,amount\n")
        out.writelines(
            f"{account},{currency},{_decimal(minor, currency)}\n"
            for (account, currency), minor in book.balances.items()
        )
    import_transfers(node, [rows], balances=opening, actor="demo")


def _decimal(minor: int, currency: str) -> str:
    digits = digits_of(currency)
    whole, fraction = divmod(minor, 10**digits)
    return f"{whole}.{fraction:0{digits}d}" if digits else str(whole)


def _join_all(folder: Path, nodes: dict[str, Node]) -> None:
    file = folder / "compact.json"
    problem = "Stolen payments that cross Canada, Hong Kong, Thailand and Cambodia"
    create(file, [node.home.path for node in nodes.values()], name=COMPACT, problem=problem)
    for node in nodes.values():
        join(node, file, actor="demo")
    for node in nodes.values():
        if node.settings.covers:
            install(node, _witness_policy(node), actor="demo")


def _witness_policy(node: Node) -> bytes:
    """Nothing leaves a node before the oversight body and any one foreign member have cosigned that it does."""
    peers = node.peers().values()
    lines = [f"witness {one.id} {one.witness_key}" for one in peers]
    foreign = " ".join(one.id for one in peers if not one.authority.oversight)
    oversight = " ".join(one.id for one in peers if one.authority.oversight)
    lines += [f"group foreign any {foreign}", f"group everybody all {oversight} foreign", "quorum everybody"]
    return "".join(f"{line}\n" for line in lines).encode()


def _free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, port)) == 0
