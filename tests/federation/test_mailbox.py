"""A node that accepts no connections, as a real process: it fetches what others have for it, and loses nothing."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.exchange.notice import NOTICE, Notice, write_notice
from comity.model import Authority
from comity.node.bootstrap import Node, open_node
from comity.node.found import found
from comity.node.home import Settings
from comity.node.post.send import Letter, send
from comity.node.registers.admit import create, join
from tests.nodes.town import free_ports
from tests.unit.test_serve import run, wait_for

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
KEEPER, FETCHER = "ca-keeper", "hk-fetcher"
MESSAGES = 100


def two_nodes(folder: Path) -> dict[str, Node]:
    ports, homes = iter(free_ports(4)), []
    for node_id, country, inbound in ((KEEPER, "CA", True), (FETCHER, "HK", False)):
        settings = Settings(
            authority=Authority(id=node_id, name=node_id, jurisdiction=country, oversight=False),
            covers=(country,), host="127.0.0.1", peer_port=next(ports), web_port=next(ports), channel="police",
            rule="fifo", hold_hours=72, inbound=inbound,
        )  # fmt: skip
        node = found(folder / node_id, settings).node
        homes.append(node.home.path)
        node.records.close()
    create(folder / "compact.json", homes, name="test-compact", problem="x")
    nodes = {}
    for home in homes:
        nodes[home.name] = open_node(home)
        join(nodes[home.name], folder / "compact.json", actor="test")
    return nodes


def say(node: Node, peer: str, count: int) -> None:
    with node.records.transaction() as tx:
        for number in range(count):
            notice = Notice(origin="", case="", subject=f"number {number}", text="x")
            letter = Letter(
                compact="test-compact", peer=peer, type=NOTICE, case_id="", purpose="trace-and-hold",
                legal_basis="", payload=write_notice(notice),
            )  # fmt: skip
            send(node, tx, letter, actor="test")


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to hold"
        time.sleep(0.1)


def sent(node: Node, type_: str) -> dict[str, int]:
    with node.records.reading() as tx:
        rows = tx.outbox._connection.exec_driver_sql("SELECT state FROM outbox WHERE type = ?", (type_,))
        states = [row.state for row in rows]
    return {state: states.count(state) for state in set(states)}


def test_a_node_without_a_peer_port_gets_and_sends_everything_once(tmp_path: Path) -> None:
    nodes = two_nodes(tmp_path)
    keeper, fetcher = nodes[KEEPER], nodes[FETCHER]
    say(keeper, FETCHER, MESSAGES)
    processes = [run(tmp_path / KEEPER), run(tmp_path / FETCHER)]
    try:
        for node, process in zip((keeper, fetcher), processes, strict=True):
            wait_for(f"{node.settings.public_url}/", process)
        with socket.socket() as probe:
            assert probe.connect_ex((fetcher.settings.host, fetcher.settings.peer_port)) != 0
        until(lambda: sum(sent(keeper, NOTICE).get(one, 0) for one in ("accepted", "handled")) > 10)
        processes[1].kill()
        processes[1].wait()
        processes[1] = run(tmp_path / FETCHER)
        say(fetcher, KEEPER, 5)
        until(lambda: sent(keeper, NOTICE) == {"handled": MESSAGES})
        until(lambda: sent(fetcher, NOTICE) == {"handled": 5})
        began = time.monotonic()
        say(keeper, FETCHER, 1)
        until(lambda: "queued" not in sent(keeper, NOTICE), seconds=10)
        assert time.monotonic() - began < 5  # the poll was open: nobody waited for the next one
    finally:
        for process in processes:
            process.terminate()
            process.wait(timeout=30)
    with fetcher.records.reading() as tx:
        received = [one.body["sequence"] for one in tx.events.of_kinds(["message.received"])]
        alarms = [one for one in tx.events.all() if one.kind.startswith("alarm.")]
        assert sorted(received) == list(range(1, len(received) + 1))
        assert alarms == []
    for node in nodes.values():
        node.records.close()
