"""The documents say what is: links lead somewhere, commands exist, rooms are named, the reference is current."""

import re
import shlex
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import typer
from scripts.cli_reference import PAGE, commands, page

from comity.entrypoints.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("spec/**/*.md")])
QUOTING = [document for document in DOCUMENTS if document.name != "procedures.md"]
COMMANDS = dict(commands(typer.main.get_command(app)))
GROUPS = {path.rpartition(" ")[0] for path in COMMANDS}

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_REPOSITORY_PATH = re.compile(r"(?:tests|spec|src|docs|benchmarks|scripts)/[\w./*-]*[\w/*]")


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def prose(document: Path) -> str:
    """The document without its code blocks."""
    return _FENCE.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """The anchors that headings get: lower case, words joined by hyphens, other signs dropped."""
    titles = [re.sub(r"[`*]", "", title) for title in _HEADING.findall(prose(document))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def wrong_links(document: Path) -> Iterator[str]:
    for link in _LINK.findall(prose(document)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or not target.is_relative_to(ROOT):
            yield f"{link}: no such file"
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
            yield f"{link}: no such heading"


def in_blocks(document: Path) -> Iterator[str]:
    """Command lines of shell blocks that begin with `comity`, those inside `$(…)` too."""
    for language, block in _FENCE.findall(document.read_text(encoding="utf-8")):
        if language not in ("sh", "bash", "console", ""):
            continue
        for line in block.replace("\\\n", " ").splitlines():
            yield from (inner.strip() for inner in re.findall(r"\$\((comity [^|)]*)", line))
            outer = (
                re.sub(r"\$\([^)]*\)", "VALUE", line.strip()).removeprefix("$ ").removeprefix(".venv/bin/")
            )
            found = re.match(r"(?:until )?(comity .*)", outer)
            if found:
                yield re.split(r" (?:[|&]|2?>)|; do", found[1])[0].strip()


def in_prose(document: Path) -> Iterator[str]:
    for code in _CODE.findall(prose(document)):
        if re.fullmatch(r"comity [\w| -]+", code):
            yield from (" ".join(words) for words in product(*(word.split("|") for word in code.split())))
        elif code.startswith("comity ") and "|" not in code:
            yield code


def problem_with(line: str, *, whole: bool = True) -> str:
    """Why this command line would not be understood; empty if it would. Not `whole`: it may name the command only."""
    words = shlex.split(line.replace("[", " ").replace("]", " "), comments=True)
    path = next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in COMMANDS), "")
    if not path:
        return "" if " ".join(words[:2]) in GROUPS and len(words) == 2 else "no such command"
    parameters = COMMANDS[path].params
    known = {name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if word.startswith("--") and word not in {*known, "--help"}]
    if unknown:
        return f"no option {unknown[0]}"
    return _missing(words[len(path.split()) :], parameters, whole=whole)


def _missing(words: list[str], parameters: list[Any], *, whole: bool) -> str:
    """Which argument or option is missing, or too much."""
    takes_value = {
        name for one in parameters for name in one.opts if name.startswith("-") and not one.is_flag
    }
    given, skip = 0, False
    for word in words:
        given += not skip and not word.startswith("--")
        skip = word in takes_value
    if not given and not whole:
        return ""
    arguments = [one for one in parameters if not one.opts[0].startswith("-")]
    least = sum(one.required for one in arguments)
    most = 99 if any(one.nargs == -1 for one in arguments) else len(arguments)
    if not least <= given <= most:
        return f"expected {least} to {most} arguments, got {given}"
    required = [one.opts[0] for one in parameters if one.required and one.opts[0].startswith("--")]
    absent = [name for name in required if name not in words]
    return f"without {absent[0]}" if absent else ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    assert list(wrong_links(document)) == []


@pytest.mark.parametrize("document", QUOTING, ids=name_of)
def test_every_quoted_command_line_would_be_understood(document: Path) -> None:
    wrong = {line: problem_with(line) for line in in_blocks(document)}
    wrong |= {line: problem_with(line, whole=False) for line in in_prose(document)}
    assert {line: problem for line, problem in wrong.items() if problem} == {}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_path_that_is_named_exists(document: Path) -> None:
    named = {path for code in _CODE.findall(prose(document)) for path in _REPOSITORY_PATH.findall(code)}
    patterns = {re.sub(r"\b[A-Z]{2,}\b", "*", path.rstrip("/")) for path in named if "README" not in path}
    assert [pattern for pattern in sorted(patterns) if not list(ROOT.glob(pattern))] == []


def test_the_reference_of_commands_is_current_and_names_every_command() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(), "the commands have changed: make reference"
    assert [path for path in COMMANDS if f" `{path}`\n" not in text] == []


def test_architecture_names_every_room_and_no_other() -> None:
    package = ROOT / "src" / "comity"
    rooms = {folder.parent.name for folder in package.glob("*/__init__.py")} | {"errors"}
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition("## The rooms")[2].partition("\n## ")[0]
    assert set(re.findall(r"^- `(\w+)` — ", section, re.MULTILINE)) == rooms
    order = text.partition("## Who may import whom")[2].partition("```\n")[2].partition("\n```")[0]
    assert set(re.findall(r"\w+", order)) == rooms


def test_every_function_that_architecture_names_exists() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in ROOT.glob("src/comity/**/*.py"))
    named = re.findall(r"`(?:\w+\.)*(\w+)\(\)`", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in source] == []


def test_architecture_orders_the_rooms_as_the_import_contract_does() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    order = text.partition("## Who may import whom")[2].partition("```\n")[2].partition("\n```")[0]
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layers = contract.partition("layers = [")[2].partition("\n]")[0]
    declared = [set(re.findall(r"(?<!\()\b\w+\b(?!\))", layer)) for layer in re.findall(r'"([^"]+)"', layers)]
    assert [set(re.findall(r"\w+", layer)) for layer in order.split(">")] == declared


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in _LINK.findall(contents)}
    pages = {path for path in ROOT.glob("docs/**/*.md") if path.parent.name != "decisions"}
    assert pages - linked - {ROOT / "docs" / "README.md"} == set()


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs" / "decisions"
    linked = set(_LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert linked == {path.name for path in folder.glob("0*.md")}


def test_what_the_readme_tells_make_to_do_can_be_made() -> None:
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        text = "\n".join(
            [*_CODE.findall(prose(document)), *(b for _, b in _FENCE.findall(document.read_text()))]
        )
        assert set(re.findall(r"\bmake ([a-z]+)\b", text)) <= made, document.name


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("comity demo --seed 7", ""),
        ("comity demo", ""),
        ("comity case", ""),
        ("comity case list", "expected 1 to 1 arguments, got 0"),
        ("comity hold order hk HOLD --as lau --court C --reference R", ""),
        ("comity compact create c.json ca hk --name n --problem p", ""),
        ("comity fly", "no such command"),
        ("comity demo --sed 7", "no option --sed"),
        ("comity case show ca", "expected 2 to 2 arguments, got 1"),
        ("comity case list ca extra", "expected 1 to 1 arguments, got 2"),
        ("comity hold order hk HOLD --as lau --court C", "without --reference"),
    ],
)
def test_the_check_of_command_lines_tells_right_from_wrong(line: str, problem: str) -> None:
    assert problem_with(line) == problem


def test_a_command_may_be_named_without_its_arguments() -> None:
    assert problem_with("comity hold order", whole=False) == ""
    assert problem_with("comity hold order --cort", whole=False) == "no option --cort"
    assert problem_with("comity hold ordain", whole=False) == "no such command"


def test_the_check_of_links_finds_what_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.test_docs.ROOT", tmp_path)
    (tmp_path / "there.md").write_text("# A *heading*, with: signs\n")
    document = tmp_path / "here.md"
    document.write_text(
        "[a](there.md#a-heading-with-signs) [b](gone.md) [c](there.md#no) [d](https://x.example)"
    )
    assert list(wrong_links(document)) == ["gone.md: no such file", "there.md#no: no such heading"]
