"""`comity trace` as a program and as a person meet it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.errors import InputError

TRANSFERS = """transfer_id,booked_at,from_account,to_account,amount,currency
T1,2025-06-01T10:00:00Z,X,A,100.00,EUR
T2,2025-06-01T10:00:01Z,Y,A,100.00,EUR
T3,2025-06-01T10:00:02Z,A,[red]B,150.00,EUR
T4,2025-06-01T10:00:03Z,A,C,60.00,EUR
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(TRANSFERS)
    (tmp_path / "r.json").write_text('{"report_id": "R1", "transfers": ["T2"]}')
    (tmp_path / "b.csv").write_text("account,currency,amount\nA,EUR,50.00\n")
    return tmp_path


def comity(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "comity", "trace", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_json_is_the_contract_and_nothing_else(folder: Path) -> None:
    done = comity(folder, "t.csv", "--report", "r.json", "--json", "--until", "2025-06-01T18:00:02+08:00")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "rule": "fifo",
        "report_id": "R1",
        "totals": [
            {"currency": "EUR", "reported_minor": 10000, "held_minor": 10000, "reported_again_minor": 0}
        ],
        "holdings": [
            {"account": "A", "currency": "EUR", "tainted_minor": 5000, "balance_minor": 5000},
            {"account": "[red]B", "currency": "EUR", "tainted_minor": 5000, "balance_minor": 15000},
        ],
        "flows": [
            {"transfer_id": "T2", "tainted_minor": 10000},
            {"transfer_id": "T3", "tainted_minor": 5000},
        ],
        "gaps": [],
    }


def test_a_person_reads_totals_holdings_gaps_and_the_law(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, ["trace", "t.csv", "--report", "r.json", "--rule", "prorata"])
    assert done.exit_code == 0
    for words in ("R1", "rateable sharing", "EUR 100.00", "[red]B", "EUR 75.00", "Gaps", "EUR 10.00", "T4"):
        assert words in done.stdout, words


def test_balances_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, ["trace", "t.csv", "--report", "r.json", "--balances", "b.csv", "--json"])
    holdings = json.loads(done.stdout)["holdings"]
    assert [(held["account"], held["tainted_minor"]) for held in holdings] == [("C", 6000), ("A", 4000)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("t.csv", "--report", "r.json", "--rule", "lifo"), "fifo, prorata, got 'lifo'"),
        (("t.csv", "--report", "r.json", "--until", "2025-06-01T10:00:00"), "--until: expected a time"),
        (("t.csv", "--report", "t.csv"), "t.csv: expected JSON"),
        (("none.csv", "--report", "r.json"), "none.csv: expected a file"),
        (("r.json", "--report", "r.json"), "r.json, line 1: expected"),
        (("t.csv", "--report", "r.json", "--balances", "t.csv"), "t.csv, line 1: expected the columns"),
        (("t.csv", "--report", "r.json", "--assets", "b.csv"), "b.csv, line 1: expected the columns"),
    ],
)
def test_what_breaks_the_contract_is_an_input_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, ["trace", *words, "--json"])
    assert isinstance(done.exception, InputError)
    assert done.stdout == ""
    assert says in str(done.exception)


def test_input_errors_end_with_2(folder: Path) -> None:
    done = comity(folder, "t.csv", "--report", "r.json", "--rule", "lifo", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "got 'lifo'" in done.stderr
    assert "→" in done.stderr
