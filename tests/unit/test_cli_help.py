"""`--help` of every command: it works, has an example, keeps the example's lines, and fits 80 columns."""

import shlex

import pytest
import typer
from scripts.cli_reference import commands
from typer.testing import CliRunner

from comity.entrypoints.cli import app
from comity.entrypoints.cli.help_text import examples, fold, help_of, paragraphs

COMMANDS = dict(commands(typer.main.get_command(app)))
ALONE = {path.split()[1] for path in COMMANDS if len(path.split()) == 2}
GROUPS = sorted({path.split()[1] for path in COMMANDS if len(path.split()) == 3} - ALONE)
RUNNER = CliRunner()


def help_page(words: list[str]) -> str:
    result = RUNNER.invoke(app, [*words, "--help"], env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert result.exit_code == 0, result.output
    return result.output


def example_lines(page: str) -> list[str]:
    """The lines under `Examples:`, without the two columns on the left that typer and we indent by."""
    lines = [line.rstrip() for line in page.splitlines()]
    assert lines.count(" Examples:") == 1, page
    after = lines[lines.index(" Examples:") + 1 :]
    return [line.removeprefix("   ") for line in after[: after.index("")]]


@pytest.mark.parametrize("path", COMMANDS)
def test_help_shows_examples_that_can_be_copied(path: str) -> None:
    page = help_page(path.split()[1:])
    lines = example_lines(page)
    assert max(map(len, page.splitlines())) <= 80
    calls = "\n".join(lines).replace("\\\n", " ").splitlines()
    assert calls
    for call in calls:
        assert call.startswith("comity ")
        assert shlex.split(call)
    assert any(call.split()[: len(path.split())] == path.split() for call in calls)


@pytest.mark.parametrize("path", COMMANDS)
def test_help_says_what_the_command_is_for_before_anything_else(path: str) -> None:
    about = paragraphs(COMMANDS[path].callback)
    assert about
    assert about[0].endswith(".")
    assert "\n" not in "".join(about)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_commands(group: str) -> None:
    page = help_page([group])
    for path in COMMANDS:
        if path.split()[1] == group:
            assert f"│ {path.split()[2]} " in page


def test_every_option_and_argument_is_explained() -> None:
    silent = [
        f"{path} {parameter.opts[0]}"
        for path, command in COMMANDS.items()
        for parameter in command.params
        if not parameter.help
    ]
    assert silent == []


def show(folder: str) -> None:
    """Show [bold]a thing[/]: one
    paragraph over two lines.

    \b
    Examples:
      comity show ca --name "two  words"
    """


def test_the_layout_of_a_docstring() -> None:
    assert paragraphs(show) == ["Show [bold]a thing[/]: one paragraph over two lines."]
    assert examples(show) == ['comity show ca --name "two  words"']
    text = help_of(show)
    assert text.startswith(r"Show \[bold]a thing\[/]: one paragraph")
    assert text.endswith('[bold]Examples:\n[/]  comity show ca --name "two  words"')


def test_a_long_example_goes_on_after_a_backslash_and_means_the_same() -> None:
    line = 'comity log verify ./node --witness a+b+c --text "words that stay together, all of them" --quorum 12 --json'
    folded = fold(line)
    assert folded != line
    assert max(map(len, folded.splitlines())) <= 76
    assert shlex.split(folded.replace("\\\n", " ")) == shlex.split(line)
    assert all(part.split()[-2 if part.endswith("\\") else -1] != "--text" for part in folded.splitlines())
    assert fold("comity demo") == "comity demo"
