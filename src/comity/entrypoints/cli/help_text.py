"""What `--help` says about a command: its docstring, laid out so that it reads well at 80 columns.

A docstring is plain paragraphs and, last, the paragraph that begins with `Examples:`. Paragraphs become one line
each, which the terminal wraps; examples keep their lines, and one that is too long goes on after a backslash, so
that it can still be copied. Nothing in a docstring is markup.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

from rich.markup import escape

_WIDTH = 76
_GOES_ON = " \\\n      "
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')


def help_of(command: Callable[..., Any]) -> str:
    """The help of a command as rich markup.

    The heading ends on the next line: typer dedents help, and would otherwise take the examples' indent away.
    """
    lines = "\n".join(f"  {line}" for line in examples(command))
    return escape("\n\n".join(paragraphs(command))) + f"\n\n[bold]Examples:\n[/]{escape(lines)}"


def paragraphs(command: Callable[..., Any]) -> list[str]:
    """What the docstring says before the examples, a line each."""
    return [" ".join(part.split()) for part in _parts(command) if not part.startswith("Examples:")]


def examples(command: Callable[..., Any]) -> list[str]:
    """The command lines of the examples, each fit for 80 columns."""
    parts = [part for part in _parts(command) if part.startswith("Examples:")]
    return [fold(line.strip()) for part in parts for line in part.splitlines()[1:]]


def fold(line: str) -> str:
    """Break a long command line between words, never between an option and its value."""
    if len(line) <= _WIDTH:
        return line
    folded, current = [], ""
    for word in _words(line):
        if current and len(current) + 1 + len(word) > _WIDTH - len(_GOES_ON):
            folded.append(current)
            current = word
        else:
            current = f"{current} {word}".strip()
    return _GOES_ON.join([*folded, current])


def _words(line: str) -> list[str]:
    """The words of a command line, an option together with its value."""
    words: list[str] = []
    for word in _WORD.findall(line):
        if words and words[-1].startswith("--") and " " not in words[-1] and not word.startswith("-"):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


def _parts(command: Callable[..., Any]) -> list[str]:
    text = inspect.cleandoc(command.__doc__ or "").replace("\b\n", "")
    return [part for part in text.split("\n\n") if part.strip()]
