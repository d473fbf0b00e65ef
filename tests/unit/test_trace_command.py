"""`comity trace` as a program and as a person meet it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.errors import InputError, StorageError

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
        "law": "Clayton's case, Devaynes v Noble (1816) 1 Mer 572",
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
        (("t.csv", "--report", "r.json", "--rule", "last"), "fifo, lifo, prorata, libr, poison, got 'last'"),
        (("t.csv", "--report", "r.json", "--until", "2025-06-01T10:00:00"), "--until: expected a time"),
        (("t.csv", "--report", "t.csv"), "t.csv: expected JSON"),
        (("none.csv", "--report", "r.json"), "none.csv: expected a file"),
        (("r.json", "--report", "r.json"), "r.json, "),
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
    done = comity(folder, "t.csv", "--report", "r.json", "--rule", "last", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "got 'last'" in done.stderr
    assert "→" in done.stderr


def test_all_rules_side_by_side_with_their_law(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    words = ["trace", "t.csv", "--report", "r.json", "--rule", "all", "--bounds"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    for text in (
        "Hallett",
        "Clayton",
        "Barlow Clowes",
        "EUR 75.00",
        "At least",
        "no limit",
        "narrow this most",
    ):
        assert text in done.stdout, text
    document = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert [one["rule"] for one in document["rules"]] == ["fifo", "lifo", "prorata", "libr", "poison"]
    assert document["rules"][0]["missing"]["account"] == "A"
    assert all(one["law"] for one in document["rules"])


def test_several_victims_share(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "s.json").write_text('{"report_id": "R2", "transfers": ["T1"]}')
    words = ["trace", "t.csv", "--report", "r.json", "--report", "s.json"]
    assert "in proportion" in CliRunner().invoke(app, words).stdout
    document = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert document["report_id"] == "R1, R2"
    shares = {(one["account"], one["report_id"]): one["share_minor"] for one in document["shares"]}
    assert shares["[red]B", "R1"] == shares["[red]B", "R2"] == 7500


def test_an_index_is_kept_extended_and_made_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is the same with an index as without, whatever became of it; late rows are named."""
    monkeypatch.chdir(folder)
    (folder / "in").mkdir()
    (folder / "t.csv").rename(folder / "in" / "a.csv")

    def traced(*more: str) -> tuple[object, dict[str, object]]:
        done = CliRunner().invoke(app, ["trace", "in", "--report", "r.json", "--json", *more])
        assert done.exit_code == 0, done.exception
        document = json.loads(done.stdout)
        return document.pop("index", None), document

    assert traced("--index", "kept") == ({"state": "built"}, traced()[1])
    assert traced("--index", "kept") == ({"state": "kept"}, traced()[1])
    late = "T0,2025-06-01T09:00:00Z,W,A,30.00,EUR\nT9,2025-06-02T09:00:00Z,C,D,60.00,EUR\n"
    (folder / "in" / "b.csv").write_text(TRANSFERS.splitlines()[0] + "\n" + late)
    state = {"state": "extended", "added": 2, "late": 1, "late_transfers": ["T0"]}
    assert traced("--index", "kept") == (state, traced()[1])
    assert traced("--index", "kept") == ({"state": "kept"}, traced()[1])
    assert traced("--index", "kept", "--balances", "b.csv")[0] == {"state": "built"}
    (folder / "in" / "b.csv").unlink()
    assert traced("--index", "kept") == ({"state": "built"}, traced()[1])
    for name in ("amount.npy", "rows.arrow", "index.json"):
        file = folder / "kept" / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        done = CliRunner().invoke(app, ["trace", "in", "--report", "r.json", "--index", "kept"])
        assert isinstance(done.exception, StorageError), name
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    done = CliRunner().invoke(app, ["trace", "in", "--report", "r.json", "--index", "in"])
    assert isinstance(done.exception, InputError)
    assert (folder / "in" / "a.csv").exists()
