"""Evidence files between real processes: told and saved by commands, fetched by running nodes, each killed on the way.

kill -9 of the receiver and of the sender at random moments; after they are back the file is whole, once, and every log
verifies. The seed is in the test's name.
"""

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.backends.sql.attachments import CarriedAttachment
from comity.model import Role
from comity.node.attachments.attach import files_of
from comity.node.people import add_person
from tests.federation.test_mailbox import FETCHER, KEEPER, two_nodes
from tests.nodes.attaching import attachments, states
from tests.nodes.story import CA, HK
from tests.nodes.town import Town
from tests.unit.test_serve import run, wait_for

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
SIZE = 96_000_000
PATIENCE = 120.0


def comity(password: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "comity", *words], capture_output=True, text=True, check=False,
        env={**os.environ, "COMITY_PASSWORD": password},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def until(what: str, holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, f"{what}: not in {PATIENCE:.0f} s"
        time.sleep(0.01)


@pytest.mark.parametrize("seed", [1, 2])
def test_both_ends_killed_while_a_file_is_fetched(town: Town, seed: int) -> None:
    dice = random.Random(f"attachment {seed}")
    exhibit = town.folder / "exhibit.bin"
    with exhibit.open("wb") as out:
        for _ in range(SIZE // 1_000_000):
            out.write(dice.randbytes(1_000_000))
    words = {node_id: add_person(town[node_id], "nadia", Role.ANALYST, actor="test") for node_id in (CA, HK)}
    homes = {node_id: town.folder / node_id for node_id in (CA, HK)}
    processes = {node_id: run(home) for node_id, home in homes.items()}

    def up(node_id: str) -> None:
        wait_for(f"{town[node_id].settings.public_url}/", processes[node_id])

    def arrived() -> int:
        found = attachments(town, HK)
        return files_of(town[HK]).arrived(CA, found[0].attachment.id) if found else 0

    try:
        for node_id in processes:
            up(node_id)
        comity(
            words[CA], "notice", "send", str(homes[CA]), "--to", HK, "--subject", "An exhibit", "--as", "nadia",
            "--attach", str(exhibit),
        )  # fmt: skip
        for victim, share in (
            (HK, dice.uniform(0.05, 0.3)),
            (CA, dice.uniform(0.35, 0.6)),
            (HK, dice.uniform(0.65, 0.9)),
        ):
            until(f"{share:.0%} fetched", lambda share=share: arrived() >= share * SIZE)  # type: ignore[misc] # bound now
            before = arrived()
            processes[victim].kill()
            processes[victim].wait()
            print(f"killed {victim} at {before:,} bytes ({states(town, HK)})")
            processes[victim] = run(homes[victim])
            up(victim)
            assert arrived() >= min(before, SIZE) - 5_000_000
        until("whole", lambda: states(town, HK) == ["whole"])
        until("said so", lambda: states(town, CA) == ["whole"])
        (one,) = attachments(town, HK)
        saved = town.folder / "saved.bin"
        comity(
            words[HK],
            "attachment",
            "save",
            str(homes[HK]),
            one.attachment.id[:16],
            str(saved),
            "--as",
            "nadia",
        )
        assert _digest(saved) == _digest(exhibit) == one.attachment.digest
        assert "An exhibit" in comity("", "notice", "list", str(homes[HK]))
        assert '"state": "whole"' in comity("", "attachment", "list", str(homes[CA]), "--json")
    finally:
        for process in processes.values():
            process.terminate()
            process.wait(timeout=60)
    assert [len(town.events(HK, kind)) for kind in ("notice.received", "attachment.announced", "attachment.whole")] == [
        1, 1, 1,
    ]  # fmt: skip
    assert [len(town.events(CA, kind)) for kind in ("notice.sent", "attachment.told")] == [1, 1]
    town.verify_logs()


def _digest(file: Path) -> str:
    with file.open("rb") as reading:
        return hashlib.file_digest(reading, "sha256").hexdigest()


def test_a_node_that_accepts_no_connections_sends_and_gets_files(tmp_path: Path) -> None:
    """It brings its own and fetches the others'; killed in the middle of both."""
    nodes = two_nodes(tmp_path)
    exhibits = {}
    for node_id, node in nodes.items():
        exhibits[node_id] = tmp_path / f"{node_id}.bin"
        exhibits[node_id].write_bytes(random.Random(node_id).randbytes(40_000_000))
        password = add_person(node, "nadia", Role.ANALYST, actor="test")
        (peer,) = set(nodes) - {node_id}
        comity(
            password, "notice", "send", str(node.home.path), "--to", peer, "--subject", "An exhibit",
            "--attach", str(exhibits[node_id]), "--as", "nadia",
        )  # fmt: skip
    processes = {node_id: run(node.home.path) for node_id, node in nodes.items()}

    def arriving(node_id: str) -> list[CarriedAttachment]:
        with nodes[node_id].records.reading() as tx:
            return [one for one in tx.attachments.all() if one.direction == "in"]

    try:
        until("begun", lambda: any(arriving(one) and arriving(one)[0].state != "announced" for one in nodes))
        processes[FETCHER].kill()
        processes[FETCHER].wait()
        processes[FETCHER] = run(nodes[FETCHER].home.path)
        until("both whole", lambda: all([one.state for one in arriving(each)] == ["whole"] for each in nodes))
    finally:
        for process in processes.values():
            process.terminate()
            process.wait(timeout=60)
    assert arriving(KEEPER)[0].attachment.digest == _digest(exhibits[FETCHER])
    assert arriving(FETCHER)[0].attachment.digest == _digest(exhibits[KEEPER])
