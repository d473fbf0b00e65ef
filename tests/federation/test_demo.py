"""`comity demo` as a user runs it: it ends by itself, its checks hold, and it leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
NODES = 5


def play(folder: Path, *options: str) -> tuple["subprocess.CompletedProcess[str]", dict[str, Any], Path]:
    temporary = folder / "tmp"
    temporary.mkdir()
    summary = folder / "summary.json"
    done = subprocess.run(
        [sys.executable, "-m", "comity", "demo", "--json", str(summary), *options],
        env={**os.environ, "TMPDIR": str(temporary), "COLUMNS": "120"}, capture_output=True, text=True,
        check=False, timeout=180,
    )  # fmt: skip
    return done, json.loads(summary.read_text()) if summary.exists() else {}, temporary


@pytest.mark.parametrize("keep", [False, True])
def test_the_demo_holds_its_own_checks(tmp_path: Path, keep: bool) -> None:
    """Two seeds; once leaving nothing at all, once leaving five nodes that bear being looked at."""
    kept, seed = tmp_path / "kept", 3 if keep else 1
    more = ("--keep", str(kept)) if keep else ()
    done, summary, temporary = play(tmp_path, "--transfers", "20000", "--seed", str(seed), *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [check["name"] for check in summary["checks"] if not check["held"]] == []
    assert (summary["ok"], summary["seed"], len(summary["nodes"])) == (True, seed, NODES)
    assert summary["seconds"] < 60
    assert all(len(node["cosigned_by"]) == NODES - 1 for node in summary["nodes"])
    assert sum(summary["traced_minor"].values()) > 0
    assert summary["killed"]["back_at_seconds"] > summary["killed"]["at_seconds"]
    assert any(request["refusal"] for request in summary["requests"])
    assert all(node["transfers"] >= 20_000 for node in summary["nodes"] if node["transfers"])
    assert list(temporary.iterdir()) == []
    if keep:
        can_be_looked_at(kept)


def can_be_looked_at(kept: Path) -> None:
    """Each log verifies offline with the command that people use, and no output holds a secret or a crash."""
    nodes = [folder for folder in kept.iterdir() if (folder / "node.toml").is_file()]
    assert len(nodes) == NODES
    verified = subprocess.run(
        [sys.executable, "-m", "comity", "log", "verify", str(nodes[0])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for node in nodes:
        log = (node / "run.log").read_text()
        assert (node / "passphrase").read_text().strip() not in log
        assert "Traceback" not in log


def test_what_cannot_be_played_is_said_at_once(tmp_path: Path) -> None:
    for options in (("--transfers", "5"), ("--seed", "-1")):
        folder = tmp_path / options[0]
        folder.mkdir()
        done, summary, temporary = play(folder, *options)
        assert done.returncode == 2
        assert summary == {}
        assert "expected" in done.stderr
        assert list(temporary.iterdir()) == []
