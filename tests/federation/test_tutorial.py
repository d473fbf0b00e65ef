"""docs/tutorial.md, line by line: every command of it is run, in one shell, on two real nodes."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nodes.town import free_ports

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
PATIENCE_SECONDS = 300
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORTS = ("7443", "7080", "7444", "7081")


def script() -> str:
    """The commands of the page, on ports that are free."""
    text = "\n".join(_BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")))
    for port, free in zip(_PORTS, free_ports(len(_PORTS)), strict=True):
        text = re.sub(rf"\b{port}\b", str(free), text)
    return f"set -eu\n{text}"


@pytest.mark.federation
def test_every_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "100"}
    for secret in ("COMITY_PASSWORD", "COMITY_PASSPHRASE"):
        environment.pop(secret, None)
    with (tmp_path / "said").open("w+", encoding="utf-8") as said, subprocess.Popen(
        ["bash", "-c", script()], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL,
        stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
    ) as shell:  # fmt: skip
        try:
            status = shell.wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(shell.pid)
    output = (tmp_path / "said").read_text(encoding="utf-8")
    assert status == 0, output
    for sentence in (
        "CAD 8,000.00", "HKD 2,780,000.00", "HKD 868,000.00", "returned", "✓ the log holds",
        "ca-fraud/witness",
    ):  # fmt: skip
        assert sentence in output, sentence


def _end(group: int) -> None:
    """Nothing that the page started may outlive the test."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
