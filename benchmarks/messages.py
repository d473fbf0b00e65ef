"""Messages between two node processes, beside a bare service: `python -m benchmarks.messages [--json]`.

A message counts once its receipt is committed at the sender: it was committed there, carried over mutual TLS 1.3,
verified, opened and committed at the receiver, and the signed receipt came back. Every message is a transaction of
its own. The peer is the least that "HTTPS POST + SQLite commit" can be, in the same run: same uvicorn, httpx, TLS
and `synchronous=FULL`, a body of the same size, as many clients as there are writers; nothing is signed or sealed.

Then the delay at half of the rate that was reached, and what 100,000 queued messages add to the memory of a node
that serves and delivers.
"""

import argparse
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import uvicorn
from tests.nodes.town import free_ports

from comity.backends.keys import client_context, server_context
from comity.entrypoints.serve import Server, serve
from comity.exchange.notice import NOTICE, Notice, write_notice
from comity.model import Authority
from comity.node.bootstrap import Node, open_node, passphrase
from comity.node.found import found
from comity.node.home import Settings
from comity.node.post import deliver as delivering
from comity.node.post.send import Letter, send
from comity.node.registers.admit import create, join

SENDER, RECEIVER = "ca-sender", "hk-receiver"
NAME = "benchmark"
TEXT = "x" * 600
WRITERS = 8
OUTSTANDING = 512
MARK = "benchmark: "


# --- the nodes -----------------------------------------------------------------------------------------


def found_both(folder: Path) -> None:
    ports = iter(free_ports(4))
    homes = []
    for node_id, country in ((SENDER, "CA"), (RECEIVER, "HK")):
        settings = Settings(
            authority=Authority(id=node_id, name=node_id, jurisdiction=country, oversight=False),
            covers=(country,), host="127.0.0.1", peer_port=next(ports), web_port=next(ports),
            channel="police", rule="fifo", hold_hours=72,
        )  # fmt: skip
        node = found(folder / node_id, settings).node
        homes.append(node.home.path)
        node.records.close()
    create(folder / "compact.json", homes, name=NAME, problem="how fast")
    for home in homes:
        node = open_node(home)
        join(node, folder / "compact.json", actor="benchmark")
        node.records.close()


@dataclass
class Timings:
    """When each message was begun, and when its receipt was committed. Seconds of one clock."""

    begun: dict[str, float] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(OUTSTANDING))
    """Taken for each message that goes as fast as it can, given back with its receipt."""

    def watch(self) -> None:
        """Note the moment after each batch was settled."""
        settle = delivering.settle

        def timed(node: Node, compact: Any, tried: Any, **more: Any) -> bool:
            more_to_do = settle(node, compact, tried, **more)
            now = time.perf_counter()
            ended = {one.message_id: now for one, result in tried if result.status in (200, 202)}
            with self.lock:
                self.done.update(ended)
            if ended:
                self.room.release(len(ended))
            return more_to_do

        delivering.settle = timed

    def delays(self) -> list[float]:
        return sorted(end - self.begun[one] for one, end in self.done.items() if one in self.begun)


def say(node: Node) -> str:
    notice = Notice(origin="", case="", subject="benchmark", text=TEXT)
    with node.records.transaction() as tx:
        letter = Letter(
            compact=NAME, peer=RECEIVER, type=NOTICE, case_id="", purpose="benchmark", legal_basis="",
            payload=write_notice(notice),
        )  # fmt: skip
        return send(node, tx, letter, actor="benchmark")


def write(node: Node, times: Timings, count: int, rate: float) -> None:
    """`count` messages; at `rate` a second if it is not 0, else as fast as they are taken."""
    start = time.perf_counter()
    for number in range(count):
        if rate:
            time.sleep(max(0.0, start + number / rate - time.perf_counter()))
        if not rate:
            times.room.acquire()
        begun = time.perf_counter()
        message = say(node)
        with times.lock:
            times.begun[message] = begun


def send_all(node: Node, count: int, rate: float) -> dict[str, float]:
    """Send `count` messages from `WRITERS` threads and wait for every receipt."""
    times = Timings()
    times.watch()
    start = time.perf_counter()
    writers = [
        threading.Thread(target=write, args=(node, times, count // WRITERS, rate / WRITERS))
        for _ in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    while len(times.done) < count // WRITERS * WRITERS:
        time.sleep(0.005)
    spent = max(times.done.values()) - start
    delays = times.delays()
    return {
        "messages": len(delays), "a_second": len(delays) / spent,
        "p50_ms": 1000 * delays[len(delays) // 2], "p99_ms": 1000 * delays[len(delays) * 99 // 100],
    }  # fmt: skip


def stop_self() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def as_sender(folder: Path, count: int, rate: float, skip: int) -> None:
    """Run the sender's node in this process; say what was measured on the standard output, and stop."""
    node = open_node(folder / SENDER)

    def measure() -> None:
        time.sleep(1.0)
        send_all(node, skip, 0.0)
        print(f"{MARK}{json.dumps(send_all(node, count, rate))}", flush=True)
        stop_self()

    serve(node, on_ready=lambda: threading.Thread(target=measure, daemon=True).start())


def as_receiver(folder: Path) -> None:
    serve(open_node(folder / RECEIVER), on_ready=lambda: print(f"{MARK}ready", flush=True))


@contextmanager
def running(*arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """This program in another role, once it says something; ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.messages", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def first_line(process: "subprocess.Popen[str]") -> str:
    """What it says to us; the node's own log goes the same way, and is passed over."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(MARK):
            return line.removeprefix(MARK).strip()
    raise SystemExit(f"{process.args!r} ended with {process.wait()}")


def nodes_do(folder: Path, count: int, rate: float) -> dict[str, float]:
    with running("receiver", str(folder)) as receiver:
        first_line(receiver)
        with running("sender", str(folder), str(count), str(rate), str(max(WRITERS, count // 10))) as sender:
            return dict(json.loads(first_line(sender)))


# --- the bare service ----------------------------------------------------------------------------------


def as_bare_service(folder: Path, port: int) -> None:
    """POST a body, have it in a table, durable; nothing else."""
    database = sqlite3.connect(folder / "bare.db", check_same_thread=False, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY, body BLOB)")

    async def app(scope: Any, receive: Any, send_: Any) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        database.execute("INSERT INTO bodies (body) VALUES (?)", (body,))
        await send_({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send_({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, http="h11", lifespan="off", access_log=False, log_config=None
    )
    config.load()
    node = open_node(folder / RECEIVER)
    certificate = node.compact().member(SENDER).tls_certificate
    config.ssl = server_context(node.home.keys, passphrase(node.home), [certificate])
    server = Server(config)
    threading.Thread(target=_say_when_started, args=(server,)).start()
    server.run()


def _say_when_started(server: Server) -> None:
    while not server.started:
        time.sleep(0.01)
    print(f"{MARK}ready", flush=True)


def bare_does(folder: Path, count: int, body: bytes) -> dict[str, float]:
    """As many clients as there are writers, each on its own connection."""
    node, (port,) = open_node(folder / SENDER), free_ports(1)
    certificate = node.compact().member(RECEIVER).tls_certificate
    delays: list[float] = []
    with running("bare", str(folder), str(port)) as service:
        first_line(service)
        context = client_context(node.home.keys, passphrase(node.home), certificate)
        call = partial(_call, context, f"https://127.0.0.1:{port}/", body, delays)
        call(max(1, count // 10))
        delays.clear()
        start = time.perf_counter()
        clients = [threading.Thread(target=call, args=(count // WRITERS,)) for _ in range(WRITERS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        spent = time.perf_counter() - start
    node.records.close()
    delays.sort()
    return {"a_second": len(delays) / spent, "p99_ms": 1000 * delays[len(delays) * 99 // 100]}


def _call(context: ssl.SSLContext, url: str, body: bytes, delays: list[float], count: int) -> None:
    with httpx.Client(verify=context, trust_env=False) as client:
        for _ in range(count):
            begun = time.perf_counter()
            client.post(url, content=body).raise_for_status()
            delays.append(time.perf_counter() - begun)


# --- memory --------------------------------------------------------------------------------------------


def queue_up(folder: Path, count: int) -> None:
    """Messages for a receiver that is away, many in a transaction."""
    node = open_node(folder / SENDER)
    usual = node.records
    while count:
        some = min(count, 500)
        with usual.transaction() as tx:
            for _ in range(some):
                letter = Letter(
                    compact=NAME, peer=RECEIVER, type=NOTICE, case_id="", purpose="benchmark", legal_basis="",
                    payload=write_notice(Notice(origin="", case="", subject="benchmark", text=TEXT)),
                )  # fmt: skip
                send(node, tx, letter, actor="benchmark")
        count -= some
    usual.close()


def as_quiet_sender(folder: Path) -> None:
    serve(open_node(folder / SENDER), on_ready=lambda: print(f"{MARK}ready", flush=True))


def memory(folder: Path, count: int, seconds: float) -> dict[str, float]:
    """The most resident memory (MB) of the sender, idle and with `count` queued, first away, then delivering."""
    idle = _peak(folder, seconds, receiver=False)
    queue_up(folder, count)
    away = _peak(folder, seconds, receiver=False)
    delivering_ = _peak(folder, seconds, receiver=True)
    return {"queued": count, "idle_mb": idle, "away_mb": away, "delivering_mb": delivering_}


def _peak(folder: Path, seconds: float, *, receiver: bool) -> float:
    with running("quiet", str(folder)) as sender:
        first_line(sender)
        if not receiver:
            return _most(sender.pid, seconds)
        with running("receiver", str(folder)) as other:
            first_line(other)
            return _most(sender.pid, seconds)


def _most(pid: int, seconds: float) -> float:
    ends, most = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        text = Path(f"/proc/{pid}/status").read_text()
        most = max(most, next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")))
        time.sleep(0.05)
    return most / 1024


# --- all of it -----------------------------------------------------------------------------------------


def wire_size(folder: Path) -> int:
    node = open_node(folder / SENDER)
    say(node)
    with node.records.reading() as tx:
        (queue,) = tx.outbox.queues(node.clock())
        head = tx.outbox.due(node.clock(), queue, most=1, most_bytes=1 << 20)
        (waiting,) = tx.outbox.with_wires(head)
    node.records.close()
    return len(waiting.wire)


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        found_both(folder)
        size = wire_size(folder)
        bare = bare_does(folder, chosen.messages, b"x" * size)
        most = nodes_do(folder, chosen.messages, 0.0)
        half = nodes_do(folder, chosen.messages // 2, most["a_second"] / 2)
        result = {
            "wire_bytes": size,
            "bare": bare,
            "most": most,
            "half": half,
            "ratio": most["a_second"] / bare["a_second"],
        }
        if chosen.queued:
            result["memory"] = memory(folder, chosen.queued, chosen.seconds)
    return result


def show(result: dict[str, Any]) -> None:
    bare, most, half = result["bare"], result["most"], result["half"]
    print(f"envelope of {result['wire_bytes']:,} bytes, {WRITERS} writers   messages/s   p50 ms   p99 ms")
    print(
        f"  bare HTTPS POST + SQLite commit              {bare['a_second']:8,.0f}        - {bare['p99_ms']:8.1f}"
    )
    for label, row in (("nodes, as fast as they can", most), ("nodes, at half of that", half)):
        print(f"  {label:<42}   {row['a_second']:8,.0f} {row['p50_ms']:8.1f} {row['p99_ms']:8.1f}")
    print(f"  ratio to the bare service                    {result['ratio']:8.2f}")
    if "memory" in result:
        row = result["memory"]
        print(
            f"memory of the sender: idle {row['idle_mb']:.0f} MB; {row['queued']:,} queued, peer away "
            f"{row['away_mb']:.0f} MB; delivering {row['delivering_mb']:.0f} MB"
        )


def main() -> None:
    roles = {"receiver": as_receiver, "quiet": as_quiet_sender}
    given = sys.argv[1:]
    if given and given[0] in roles:
        roles[given[0]](Path(given[1]))
        return
    if given and given[0] == "sender":
        as_sender(Path(given[1]), int(given[2]), float(given[3]), int(given[4]))
        return
    if given and given[0] == "bare":
        as_bare_service(Path(given[1]), int(given[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=8_000, help="for each rate")
    parser.add_argument("--queued", type=int, default=100_000, help="for the memory; 0 leaves it out")
    parser.add_argument("--seconds", type=float, default=20.0, help="to watch the memory, each time")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    result = measure(chosen)
    print(json.dumps(result, indent=1)) if chosen.json else show(result)


if __name__ == "__main__":
    main()
