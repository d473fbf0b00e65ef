"""`comity detect`: what it prints, what it writes, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.errors import ComityError, InputError, NotFound
from tests.unit.test_typologies import CYCLE, STRUCTURING
from tests.unit.typology_world import table

RUNNER = CliRunner()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    file = tmp_path / "book.parquet"
    pq.write_table(table([*CYCLE, *STRUCTURING]), file)
    return file


def run(*words: object) -> str:
    result = RUNNER.invoke(app, ["detect", *map(str, words)], env={"COLUMNS": "200", "NO_COLOR": "1"})
    if isinstance(result.exception, ComityError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_one_line_of_json_an_alert(book: Path) -> None:
    lines = [json.loads(line) for line in run(book, "--json").splitlines()]
    # Nobody in the cycle has any other transfers: it is a round trip through shells too.
    assert sorted(one["pattern"] for one in lines) == ["cycle", "round-trip", "structuring"]
    cycle = next(one for one in lines if one["pattern"] == "cycle")
    assert cycle["transfer_ids"] == ["T00000", "T00001", "T00002"]
    assert cycle["accounts"] == ["a", "b", "c"]
    assert cycle["model"] is None
    assert [one["score"] for one in lines] == sorted((one["score"] for one in lines), reverse=True)


def test_the_table_says_why(book: Path) -> None:
    page = run(book, "--pattern", "cycle")
    assert "3 transfers in time order" in page
    assert "1 alerts among 6 transfers" in page


def test_an_alert_is_traced_onward_in_one_step(book: Path, tmp_path: Path) -> None:
    alert = json.loads(run(book, "--pattern", "cycle", "--json"))
    report = tmp_path / "report.json"
    report.write_text(run(book, "--pattern", "cycle", "--report", alert["alert_id"]))
    assert json.loads(report.read_text()) == alert["report"]
    result = RUNNER.invoke(app, ["trace", str(book), "--report", str(report), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["report_id"] == alert["alert_id"]


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
def test_every_transfer_gets_a_score(book: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    run(book, "--scores", file)
    read = pyarrow.csv.read_csv if name.endswith("csv") else pq.read_table
    scores = dict(zip(*(column.to_pylist() for column in read(file).columns), strict=True))
    assert sorted(scores) == [f"T{number:05}" for number in range(6)]
    assert all(0 < score <= 1 for score in scores.values())
    with pytest.raises(InputError, match="expected a new file for the scores"):
        run(book, "--scores", file)


def test_a_threshold_makes_a_currency_looked_at(book: Path) -> None:
    assert "structuring" not in run(book, "--pattern", "structuring", "--threshold", "EUR=9000", "--json")
    assert "structuring" in run(book, "--pattern", "structuring", "--threshold", "EUR=12000", "--json")


def test_what_it_refuses(book: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="expected one of crypto-in-out"):
        run(book, "--pattern", "smurfs")
    with pytest.raises(InputError, match="expected a currency and an amount"):
        run(book, "--threshold", "EUR")
    with pytest.raises(NotFound, match="expected an alert that this detection finds"):
        run(book, "--report", "cycle-000000000000")
    with pytest.raises(InputError, match=r"ends with \.csv or \.parquet"):
        run(book, "--scores", tmp_path / "scores.txt")
    with pytest.raises(NotFound, match="expected a model"):
        run(book, "--model", tmp_path)


def test_an_empty_book_has_no_alerts(tmp_path: Path) -> None:
    file = tmp_path / "empty.parquet"
    pq.write_table(table([]), file)
    assert run(file, "--json") == ""


def test_commands_that_do_not_detect_load_nothing_heavy() -> None:
    program = (
        "import sys, comity.entrypoints.cli.detect, comity.entrypoints.cli.detect_train, comity.backends.analysis\n"
        "print(sorted({'numba', 'ibis', 'lightgbm', 'duckdb', 'pandas', 'pyspark'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
