"""Many deadlines that are over, and a process that sweeps them: for the storm and the benchmark.

    python -m tests.contract.sweeping DIR GO [--bare]

waits until the file GO is there, lets everything come due, and prints how many it handled. `--bare` only claims the
rows, each in a transaction, and lets nothing follow.
"""

import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from comity.casework.deadline import REMIND
from comity.node.bootstrap import Node, open_node
from comity.node.sweep import sweep
from tests.contract import stores as given

EACH = 4
"""Deadlines of one hold."""
_RULES = {
    "holder-notice": (24, "notice_overdue"), "order-reminder": (48, "order_reminder"),
    f"hold-lapse{REMIND}": (70, ""), "hold-lapse": (72, "lapse"),
}  # fmt: skip
"""Hours after the hold was placed, and what then happens: as `urgent_freeze` sets them, with a reminder."""
WAIT_SECONDS = 0.005
PATIENCE = 300.0


def miss_deadlines(node: Node, count: int) -> None:
    """Holds of a case of the node's own, whose deadlines came and went while it was off: `count` in all.

    They are put in backwards and mixed with one another, so that no order but that of their time is right.
    """
    now = node.clock()
    with node.records.transaction() as tx:
        tx.cases.add(given.case(origin=node.id))
        for number in reversed(range(count // EACH)):
            name = f"hold-{number:05}"
            placed = now - timedelta(days=30) + timedelta(minutes=number * 37 % 5_000)
            tx.holds.put(given.hold(id=name, holder=node.id, placed_at=placed, lapses_at=placed))
            for rule, (hours, event) in _RULES.items():
                due = given.deadline(
                    id=f"deadline-{name}-{rule}", subject_id=name, rule=f"urgent_freeze/1/{rule}", event=event,
                    set_at=placed, due_at=placed + timedelta(hours=hours),
                )  # fmt: skip
                tx.deadlines.add(replace(due, escalate="supervisor" if rule == "hold-lapse" else ""))


def start_worker(folder: Path, go: Path, *, bare: bool = False) -> "subprocess.Popen[str]":
    words = [
        sys.executable,
        "-m",
        "tests.contract.sweeping",
        str(folder),
        str(go),
        *(["--bare"] if bare else []),
    ]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def claim(node: Node) -> int:
    """Only claim what is over: what any sweeper has to do at least, once for each row."""
    now, done = node.clock(), 0
    while True:
        with node.records.transaction() as tx:
            one = tx.deadlines.next_due(now)
            if one is None:
                return done
            done += tx.deadlines.finish(one.id)


def main(folder: str, go: str, *options: str) -> None:
    node = open_node(Path(folder))
    work = claim if "--bare" in options else sweep
    print("ready", flush=True)
    while not Path(go).exists():
        time.sleep(WAIT_SECONDS)
    print(work(node), flush=True)
    node.records.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
