"""A running node and people's commands write to one database at the same time: all of it is kept, once."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comity.casework import Hold
from comity.entrypoints.cli import app
from comity.errors import ComityError, Forbidden
from comity.model import Role
from comity.node.people import add_person
from tests.nodes.story import CA, row, write_book
from tests.nodes.town import Town
from tests.unit.test_serve import run, wait_for

pytestmark = [pytest.mark.federation, pytest.mark.xdist_group("federation")]
CASES = 3
ACTORS = (Role.ADMINISTRATOR, Role.ANALYST, Role.SUPERVISOR)


def comity(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "comity", *arguments], capture_output=True, text=True, check=False
    )


def release(home: str, hold: str, role: Role, password: str) -> int:
    """The command's exit status, run in this process, which is one more that writes."""
    arguments = ["hold", "release", home, hold, "--reason", "A clean source.", "--as", f"one-{role.value}"]
    done = CliRunner().invoke(app, arguments, env={"COMITY_PASSWORD": password})
    return done.exception.exit_status if isinstance(done.exception, ComityError) else done.exit_code


def report_file(folder: Path, number: int) -> str:
    file = folder / f"report-{number}.json"
    file.write_text(f'{{"report_id": "R-{number}", "transfers": ["U-{number}"], "offence": "fraud"}}')
    return str(file)


def held(town: Town) -> list[Hold]:
    """Holds that the running node has placed, once there is one a case."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        holds = town.holds(CA)
        if len(holds) == CASES:
            return holds
        time.sleep(0.2)
    raise AssertionError(f"{len(town.holds(CA))} of {CASES} holds after 60 s")


def test_commands_beside_a_running_node(town: Town) -> None:
    town.give(
        *(row(f"U-{number}", 20 + number, f"ca-shop>ca-thief{number}", 5_000) for number in range(CASES))
    )
    more = write_book(town.folder / "more.parquet", [row("W-1", 90, "ca-a>ca-b", 5)])
    words = {role: add_person(town[CA], f"one-{role.value}", role, actor="test") for role in ACTORS}
    home = str(town.folder / CA)
    process = run(Path(home))
    try:
        wait_for(f"{town[CA].settings.public_url}/", process)
        with ThreadPoolExecutor(3) as pool:
            jobs = [
                pool.submit(comity, "report", home, report_file(town.folder, number))
                for number in range(CASES)
            ]
            jobs.append(pool.submit(comity, "transfers", "import", home, str(more)))
            jobs.append(pool.submit(comity, "person", "add", home, "mei", "--role", "analyst"))
            ends = [job.result() for job in jobs]
        assert [end.returncode for end in ends] == [0] * len(jobs), "".join(end.stderr for end in ends)
        one = held(town)[0]
        for role, password in words.items():
            assert release(home, one.id, role, password) == (
                0 if role is Role.SUPERVISOR else Forbidden.exit_status
            )
        assert release(home, one.id, Role.SUPERVISOR, "wrong") == Forbidden.exit_status
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert sorted(one.state for one in town.holds(CA)) == ["held", "held", "released"]
    with town.looking(CA) as tx:
        assert sorted(case.report["report_id"] for case in tx.cases.all()) == ["R-0", "R-1", "R-2"]
        assert tx.cases.to_pursue() == []
        assert tx.people.find("mei") is not None
    ids = town[CA].book.table()["transfer_id"].to_pylist()
    assert len(ids) == len(set(ids))
    assert "W-1" in ids
    assert len(town.events(CA, "report.received")) == CASES
    town.verify_logs()
