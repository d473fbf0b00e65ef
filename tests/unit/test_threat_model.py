"""docs/threat-model.md keeps its word: every threat that must be there is there, with tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
THREATS = (
    "A gate walked around", "Stolen program token",
    "Replay", "Reorder, drop, truncate", "Surreptitious forwarding", "Re-encryption", "Algorithm downgrade",
    "Type confusion", "Different plaintext per recipient", "Stolen signing key", "Stolen decryption key",
    "Log equivocation", "Log tail truncation", "Log rollback", "Log back-dating",
    "Back-dated signatures", "Register rollback",
    "Register freeze", "Foreign injection into the register", "Organisation spoofing", "Confused deputy",
    "Identifier normalisation bypass", "Oversized messages", "Slow messages", "Decompression bombs",
    "Nesting bombs", "XXE", "Code or hidden text in a letter", "SSRF through peer addresses",
    "Yes/no oracle by timing or size",
    "Probing a book", "Dictionary attack on commitments", "Traffic analysis", "Revoked member pulling through a third",
    "Obligations made wider by another", "Made to ask",
    "Fishing by deconfliction", "Two stories in joint work",
    "Central outage", "Queue poisoning", "Clock skew", "Insider misuse", "Dependency tampering",
    "Victims exposed", "A victim handed over",
)  # fmt: skip
CONTROLS = (
    "the network", "a member's node", "a signing key", "a sealing key", "a TLS key", "a log's key", "a witness",
    "the register's online keys", "one state's register key", "fewer root keys", "a node's database",
    "an account of a person", "an investigator's laptop", "an administrator's account", "a mirror",
    "the package index",
)  # fmt: skip


def rows(heading: str) -> list[list[str]]:
    """Cells of the table under a heading, without its head."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@cache
def named_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )  # fmt: skip


def missing(named: str) -> str:
    """What is wrong with a test's name; empty if it exists."""
    path, found, name = named.partition("::")
    if not found or not (ROOT / path).is_file():
        return f"{named}: no such file"
    return "" if name in named_in(ROOT / path) else f"{named}: no such test"


THREAT_ROWS = rows("Threats and the tests that try them")


def test_every_threat_is_there_once() -> None:
    assert sorted(row[0] for row in THREAT_ROWS) == sorted(THREATS)


@pytest.mark.parametrize("row", THREAT_ROWS, ids=lambda row: row[0])
def test_every_threat_has_tests_that_exist(row: list[str]) -> None:
    threat, tried, stopped_by, tests = row
    assert tried
    assert stopped_by
    named = re.findall(r"`([^`]+)`", tests)
    assert named, f"{threat}: no test"
    assert [problem for one in named if (problem := missing(one))] == []


def test_whoever_could_be_broken_into_is_in_the_table() -> None:
    told = [row[0] for row in rows("Who controls what")]
    assert [one for one in CONTROLS if not any(row.startswith(one) for row in told)] == []
    assert all(len(row) == 3 and all(row) for row in rows("Who controls what"))


def test_a_test_that_does_not_exist_is_found() -> None:
    assert missing("tests/unit/test_threat_model.py::test_every_threat_is_there_once") == ""
    assert missing("tests/unit/test_threat_model.py::test_of_nothing").endswith("no such test")
    assert missing("tests/unit/test_nothing.py::test_x").endswith("no such file")
