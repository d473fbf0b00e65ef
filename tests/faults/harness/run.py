"""One storm from beginning to end: found, rage, calm, wait, stop, look."""

import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.faults.harness.director import Director
from tests.faults.harness.field import NODES, Field, found_field
from tests.faults.harness.outside import Findings, at_rest, look
from tests.faults.harness.writer import committed

PATIENCE_SECONDS = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`findings.wrong` is empty if every message had one effect, every log holds and every row is accounted for."""

    seed: int
    findings: Findings
    faults: Counter[str]
    diary: list[str]
    seconds: float

    def lines(self) -> list[str]:
        counts = [f"  {count:7} {name}" for name, count in sorted(self.findings.counts.items())]
        faults = [f"  {count:7} {name}" for name, count in sorted(self.faults.items())]
        wrong = [f"  WRONG {one}" for one in self.findings.wrong[:40]]
        head = f"storm with seed {self.seed}: {self.seconds:.0f} s, {len(self.findings.wrong)} things wrong"
        return [head, "faults:", *faults, "found:", *counts, *wrong]


def run_storm(folder: Path, *, seed: int, messages: int, seconds: float) -> Outcome:
    """`messages` in about `seconds` of storm, and however long the nodes need afterwards."""
    began = time.monotonic()
    field = found_field(folder, seed=seed, messages=messages, seconds=seconds)
    director = Director(field, random.Random(f"storm {seed}"))
    try:
        for node_id in NODES:
            field.start(node_id)
            field.start(f"writer-{node_id}")
        director.storm(until=lambda: all_said(field), most_seconds=6 * seconds + PATIENCE_SECONDS)
        director.calm()
        wait_for_rest(field)
        field.stop()
        findings = look(field)
    finally:
        field.stop()
        field.clear()
    faults = director.counts + Counter(
        {f"pieces through a link {k}": n for k, n in field.proxies.counts.items()}
    )
    return Outcome(
        seed=seed, findings=findings, faults=faults, diary=director.diary, seconds=time.monotonic() - began
    )


def all_said(field: Field) -> bool:
    return all(committed(field.book(node_id)) >= field.upto for node_id in field.homes)


def wait_for_rest(field: Field) -> None:
    """Until nothing is under way any more; `AssertionError` says what still is."""
    until, waiting = time.monotonic() + PATIENCE_SECONDS, "?"
    while time.monotonic() < until:
        waiting = at_rest(field)
        if not waiting:
            return
        time.sleep(0.5)
    raise AssertionError(
        f"seed {field.seed}: after {PATIENCE_SECONDS:.0f} s of calm still {waiting}; see {field.folder}"
    )
