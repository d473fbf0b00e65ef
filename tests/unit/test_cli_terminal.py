"""What a peer wrote cannot deceive a terminal: neither as JSON, nor in a table, nor in an error."""

import json
import unicodedata

import pytest
from rich.console import Console
from rich.table import Table

from comity.entrypoints.cli import terminal
from comity.entrypoints.plain_text import json_text, plain
from comity.errors import InputError

HOSTILE = (
    "\x1b[2J", "\x00", "\x07", "\r", "\x7f", "\x9b31m", "\u061c", "\u180e", "\u200b", "\u200e", "\u2028", "\u202e",
    "\u2066", "\u2069", "\ufeff", "\ufff9", "\U000e0041",
)  # fmt: skip


def harmful(text: str) -> str:
    """Every character that moves the cursor, changes direction or is not seen."""
    return "".join(
        one for one in text if one not in "\n\t" and unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")
    )


@pytest.mark.parametrize("text", [*HOSTILE, "\u200d", "\u200c", "\xad", "\ud800"])
def test_json_shows_nothing_that_deceives_and_means_the_same(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    value = {"subject": f"paid{text}out", f"k{text}": [f"é 冻结 {text}"]}
    terminal.print_json(value)
    said = capsys.readouterr().out
    assert harmful(said) == ""
    assert "é 冻结" in said
    assert json.loads(said) == value


def test_json_is_laid_out_over_lines() -> None:
    assert json_text({"a": ["b\tc\n"]}) == '{\n  "a": [\n    "b\\tc\\n"\n  ]\n}'


@pytest.mark.parametrize("text", HOSTILE)
def test_an_error_shows_neither_problem_nor_remedy_as_commands(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "err", type(terminal.err)(stderr=True))
    terminal.print_error(InputError(f"got {text}", where=f"line{text}", remedy=f"Ask {text} again."))
    said = capsys.readouterr().err
    assert harmful(said) == ""
    assert "Ask \ufffd" in said


@pytest.mark.parametrize("text", HOSTILE)
def test_no_string_that_is_printed_reaches_the_terminal_as_a_command(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = type(terminal.out)()
    assert isinstance(screen, Console)
    table = Table("column", f"head{text}")
    table.add_row(f"cell{text}", "other")
    screen.print(table)
    screen.print(f"said {text}", highlight=False, markup=False)
    said = capsys.readouterr().out
    assert harmful(said) == ""
    assert "said \ufffd" in said


def test_words_that_need_joiners_are_read_as_they_are() -> None:
    assert plain("می\u200cخواهم") == "می\u200cخواهم"
