"""A large attachment between two running nodes, beside what no program can avoid.

    python -m benchmarks.attachment [--gigabytes 1] [--directory DIR] [--json]

Two nodes are founded, run as processes of their own (`comity node run`), and joined in a compact. One tells the other
something (`comity notice send --attach`); then the times are taken and the most memory that each process ever had
(VmHWM). In the same run, on the same disk and file: `cp` and fsync, which writes the bytes once; and AES-256-GCM in
chunks of 1 MiB on one core, which is the arithmetic of one of the three passes that an attachment needs (sealed,
verified as it arrives, opened). Memory must not depend on the size: try `--gigabytes 0.1` and `10`.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.model import Authority, Role
from comity.node.bootstrap import Node
from comity.node.found import found
from comity.node.home import Settings
from comity.node.people import add_person
from comity.node.registers.admit import create, join

BLOCK = 1024 * 1024
PERSON = "bench-analyst"
PATIENCE = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Seconds, and bytes of memory."""

    size: int
    copy: float
    cipher: float
    start: float
    """A command that does nothing else: what the two below also contain."""
    seal: float
    fetch: float
    save: float
    seal_memory: int
    sender_memory: int
    sender_idle: int
    receiver_memory: int
    receiver_idle: int
    save_memory: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=1.0, help="size of the file (10^9 bytes)")
    parser.add_argument("--directory", type=Path, help="on the disk to measure; by default the temporary one")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory, prefix="comity-attachment-") as folder:
        result = measure(Path(folder), int(given.gigabytes * 1e9))
    if given.json:
        print(json.dumps(asdict(result)))
    else:
        _print(result)


def measure(folder: Path, size: int) -> Result:
    exhibit = folder / "exhibit.bin"
    _write_random(exhibit, size)
    copy, cipher = _seconds(lambda: _copy(exhibit)), _seconds(lambda: _encrypt(exhibit))
    nodes, passwords = _two_nodes(folder)
    running = [_run(node) for node in nodes]
    try:
        idle = [_peak(process) for process in running]
        start, _ = _command("", "attachment", "list", str(nodes[0].home.path))
        seal, seal_memory = _command(
            passwords[0], "notice", "send", str(nodes[0].home.path), "--to", nodes[1].id,
            "--subject", "An exhibit", "--attach", str(exhibit), "--as", PERSON,
        )  # fmt: skip
        began = time.perf_counter()
        id_ = _wait_until_whole(nodes[1])
        fetch = time.perf_counter() - began
        save, save_memory = _command(
            passwords[1], "attachment", "save", str(nodes[1].home.path), id_, str(folder / "saved"), "--as", PERSON
        )  # fmt: skip
        peaks = [_peak(process) for process in running]
    finally:
        for process in running:
            process.terminate()
            process.wait()
    subprocess.run(["cmp", exhibit, folder / "saved"], check=True)
    return Result(
        size=size, copy=copy, cipher=cipher, start=start, seal=seal, fetch=fetch, save=save, seal_memory=seal_memory,
        sender_memory=peaks[0], sender_idle=idle[0], receiver_memory=peaks[1], receiver_idle=idle[1],
        save_memory=save_memory,
    )  # fmt: skip


# --- what nothing can avoid ----------------------------------------------------------------------------


def _write_random(file: Path, size: int) -> None:
    with file.open("wb") as out:
        while size > 0:
            out.write(os.urandom(min(BLOCK, size)))
            size -= BLOCK
        out.flush()
        os.fsync(out.fileno())


def _copy(exhibit: Path) -> None:
    copied = exhibit.with_name("copied")
    shutil.copyfile(exhibit, copied)
    handle = os.open(copied, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    copied.unlink()


def _encrypt(exhibit: Path) -> None:
    cipher, count = AESGCM(bytes(32)), 0
    with exhibit.open("rb") as reading:
        while block := reading.read(BLOCK):
            cipher.encrypt(count.to_bytes(12, "big"), block, None)
            count += 1


# --- the nodes -----------------------------------------------------------------------------------------


def _two_nodes(folder: Path) -> tuple[list[Node], list[str]]:
    nodes = [
        found(folder / name, _settings(name, country)).node
        for name, country in (("ca-bench", "CA"), ("hk-bench", "HK"))
    ]
    compact = folder / "compact.json"
    create(compact, [node.home.path for node in nodes], name="bench", problem="how fast")
    for node in nodes:
        join(node, compact, actor="bench")
    passwords = [add_person(node, PERSON, Role.ANALYST, actor="bench") for node in nodes]
    return nodes, passwords


def _settings(name: str, country: str) -> Settings:
    ports = []
    for _ in range(2):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            ports.append(one.getsockname()[1])
    return Settings(
        authority=Authority(id=name, name=name, jurisdiction=country, oversight=False), covers=(country,),
        host="127.0.0.1", peer_port=ports[0], web_port=ports[1], channel="police", rule="fifo", hold_hours=72,
    )  # fmt: skip


def _run(node: Node) -> "subprocess.Popen[bytes]":
    with (node.home.path / "run.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "comity", "node", "run", str(node.home.path)], stdout=log, stderr=log
        )
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((node.settings.host, node.settings.peer_port)) == 0:
                time.sleep(2.0)
                return process
        time.sleep(0.1)
    raise SystemExit(f"{node.id} did not start: see {node.home.path / 'run.log'}")


def _command(password: str, *words: str) -> tuple[float, int]:
    """Seconds and the most memory of one command."""
    before = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "comity", *words], env={**os.environ, "COMITY_PASSWORD": password},
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"comity {' '.join(words)} ended with {process.returncode}")
    return time.perf_counter() - before, usage.ru_maxrss * 1024


def _wait_until_whole(node: Node) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with node.records.reading() as tx:
            rows = tx.attachments.all()
        if rows and rows[0].state == "whole":
            return rows[0].attachment.id
        if rows and rows[0].state in ("refused", "failed"):
            raise SystemExit(f"{rows[0].state}: {rows[0].reason}")
        time.sleep(0.05)
    raise SystemExit("not whole in time")


def _peak(process: "subprocess.Popen[bytes]") -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _print(result: Result) -> None:
    rows = [
        ("cp and fsync", result.copy, 0),
        ("bare AES-256-GCM, one pass", result.cipher, 0),
        (
            "sealed and queued (comity notice send, without its start)",
            result.seal - result.start,
            result.seal_memory,
        ),
        ("fetched, verified, on the receiver's disk", result.fetch, result.receiver_memory),
        (
            "opened, verified again (comity attachment save, same)",
            result.save - result.start,
            result.save_memory,
        ),
    ]
    print(f"{result.size / 1e9:.2f} GB\n")
    print(f"{'':<58}{'s':>8}{'MB/s':>8}{'of cp':>8}{'peak MB':>9}")
    for name, seconds, memory in rows:
        print(
            f"{name:<58}{seconds:>8.2f}{result.size / 1e6 / seconds:>8.0f}{result.copy / seconds:>8.2f}"
            + (f"{memory / 1e6:>9.0f}" if memory else "")
        )
    print(
        f"\npeak memory: sender {result.sender_memory / 1e6:.0f} MB (idle {result.sender_idle / 1e6:.0f}), "
        f"receiver {result.receiver_memory / 1e6:.0f} MB (idle {result.receiver_idle / 1e6:.0f})"
    )


if __name__ == "__main__":
    main()
