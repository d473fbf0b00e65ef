"""Four real nodes: founded on disk, each behind its proxy, each a process of its own that can be killed.

What peers are told as a node's address is its proxy's (`peer_address`); the node itself listens on `peer_port`.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from comity.model import Authority
from comity.node.found import found
from comity.node.home import Settings
from comity.node.registers.admit import create, join
from tests.faults.harness.proxy import Proxies
from tests.faults.harness.weathered import CALM
from tests.faults.harness.writer import COMPACT
from tests.nodes.town import free_ports

ROOT = Path(__file__).parents[3]
NODES = {"ca-storm": "CA", "hk-storm": "HK", "th-storm": "TH", "kh-storm": "KH"}
SMALL_DISK = "hk-storm"
"""Lives on a file system of its own that can be filled, where we may mount one."""
WEATHERED = ("th-storm", "kh-storm")
BAD_CLOCK = "kh-storm"
FETCHING = "th-storm"
"""Accepts no connection: it fetches what the others have for it."""
SMALL_DISK_MIB = 96
NO_LIMIT = resource.RLIM_INFINITY


@dataclass(slots=True)
class Field:
    """`processes` are nodes by id, and writers by `writer-` and the node's id."""

    folder: Path
    seed: int
    homes: dict[str, Path]
    small_disk: Path | None
    proxies: Proxies
    upto: int
    pace: float
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    starved: set[str] = field(default_factory=set)
    """Processes that were there while their disk was full."""

    # --- processes ---

    def start(self, name: str) -> None:
        """A node or a writer; what it says goes to a file beside the nodes."""
        self.starts[name] = self.starts.get(name, 0) + 1
        if self._disk_is_full(name):
            self.starved.add(name)
        else:
            self.starved.discard(name)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._command(name), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
            )  # fmt: skip

    def _command(self, name: str) -> list[str]:
        home = str(self.homes[name.removeprefix("writer-")])
        if name in self.homes and name in WEATHERED:
            return [sys.executable, "-m", "tests.faults.harness.weathered", str(self.weather(name)), home]
        if name in self.homes:
            return [sys.executable, "-m", "comity", "node", "run", home]
        node_id = name.removeprefix("writer-")
        return [
            sys.executable, "-m", "tests.faults.harness.writer", home, str(self.book(node_id)),
            *[one for one in self.homes if one != node_id], "--upto", str(self.upto),
            "--pace", str(self.pace), "--seed", f"{self.seed} {name} {self.starts[name]}",
        ]  # fmt: skip

    def kill(self, name: str) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        process = self.processes[name]
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def running(self, name: str) -> bool:
        return name in self.processes and self.processes[name].poll() is None

    def stop(self) -> None:
        """Ask everybody to stop; whoever does not is killed."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def callers(self) -> dict[int, str]:
        return {process.pid: name for name, process in list(self.processes.items()) if name in self.homes}

    # --- places ---

    def weather(self, node_id: str) -> Path:
        return self.folder / f"{node_id}.weather.json"

    def book(self, node_id: str) -> Path:
        return self.folder / f"{node_id}.book"

    # --- what goes wrong ---

    def set_weather(self, node_id: str, **weather: float) -> None:
        draft = self.weather(node_id).with_suffix(".new")
        draft.write_text(json.dumps({**CALM, **weather}))
        draft.replace(self.weather(node_id))

    def fill_disk(self, node_id: str) -> None:
        """No more bytes: on its own small disk, or by the kernel's limit on the size of any file it writes."""
        self.starved |= {node_id, f"writer-{node_id}"}
        if node_id == SMALL_DISK and self.small_disk is not None:
            with (self.small_disk / "ballast").open("ab", buffering=0) as ballast:
                for size in (1 << 20, 4096, 1):
                    try:
                        while ballast.write(b"\0" * size):
                            pass
                    except OSError:
                        continue
            return
        if self.running(node_id):
            size = (self.homes[node_id] / "node.db").stat().st_size // 2
            resource.prlimit(self.processes[node_id].pid, resource.RLIMIT_FSIZE, (size, NO_LIMIT))

    def free_disk(self, node_id: str) -> None:
        if node_id == SMALL_DISK and self.small_disk is not None:
            (self.small_disk / "ballast").unlink(missing_ok=True)
        elif self.running(node_id):
            resource.prlimit(self.processes[node_id].pid, resource.RLIMIT_FSIZE, (NO_LIMIT, NO_LIMIT))

    def _disk_is_full(self, name: str) -> bool:
        small = self.small_disk if name.removeprefix("writer-") == SMALL_DISK else None
        return small is not None and (small / "ballast").exists()

    def clear(self) -> None:
        """Undo what outlives the processes."""
        self.proxies.stop()
        if self.small_disk is not None:
            subprocess.run(["umount", "-l", str(self.small_disk)], check=False)


def found_field(folder: Path, *, seed: int, messages: int, seconds: float, small_disk: bool = True) -> Field:
    """Found the nodes, let them join one compact, and open the proxies. Nothing runs yet.

    `messages` are shared out among the writers, which take about `seconds` for them.
    """
    mounted = mount_small_disk(folder / "disk") if small_disk else None
    homes = {
        node_id: (mounted if node_id == SMALL_DISK and mounted else folder) / node_id for node_id in NODES
    }
    ports = free_ports(3 * len(NODES))
    outer = dict(zip(NODES, ports[: len(NODES)], strict=True))
    inner = dict(zip(NODES, ports[len(NODES) : 2 * len(NODES)], strict=True))
    web = dict(zip(NODES, ports[2 * len(NODES) :], strict=True))
    upto = -(-messages // len(NODES))
    made: list[Field] = []
    nodes = Field(
        folder=folder, seed=seed, homes=homes, small_disk=mounted, upto=upto, pace=seconds / upto,
        proxies=Proxies({one: (outer[one], inner[one]) for one in NODES}, lambda: made[0].callers(), seed),
    )  # fmt: skip
    try:
        _found_nodes(folder, homes, outer, inner, web)
        for node_id in homes:
            nodes.set_weather(node_id)
    except BaseException:
        nodes.clear()
        raise
    made.append(nodes)
    nodes.proxies.start()
    return nodes


def _found_nodes(
    folder: Path, homes: dict[str, Path], outer: dict[str, int], inner: dict[str, int], web: dict[str, int]
) -> None:
    nodes = [
        found(
            home,
            Settings(
                authority=Authority(id=node_id, name=f"Office {node_id}", jurisdiction=NODES[node_id]),
                covers=(NODES[node_id],), host="127.0.0.1", peer_port=inner[node_id], web_port=web[node_id],
                peer_address=f"https://127.0.0.1:{outer[node_id]}", inbound=node_id != FETCHING,
                channel="police", rule="fifo", hold_hours=72,
            ),
        ).node
        for node_id, home in homes.items()
    ]  # fmt: skip
    compact = folder / "compact.json"
    create(compact, [node.home.path for node in nodes], name=COMPACT, problem="A storm over four nodes")
    for node in nodes:
        join(node, compact, actor="storm")
        node.records.close()


def mount_small_disk(place: Path) -> Path | None:
    """A file system of its own, if we are allowed to make one."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return None
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m", "tmpfs", str(place)]
    return place if subprocess.run(command, check=False, capture_output=True).returncode == 0 else None
