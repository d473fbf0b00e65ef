"""Write docs/reference/cli.md from the commands themselves: `make reference`. A test fails when it is not current."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from comity.entrypoints.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
_HEAD = """# The command line

Written by `make reference` from the commands; `--help` after any of them says the same in a terminal.

Results go to standard output, everything else (progress, questions, errors) to standard error. With `--json` standard
output holds one JSON value and nothing else. An error says what was expected, what was got and what to do next.

| exit status | meaning |
| --- | --- |
| 0 | done |
| 1 | something else, and for `comity demo`: a check failed |
| 2 | bad input; nothing was changed |
| 3 | trust: a signature, key, proof or log does not hold |
| 4 | not allowed: by the law, the procedure or the node's policy |
| 5 | network: a peer or a log could not be reached |
| 6 | storage: the disk or the database refused; what was in progress was rolled back |

| environment | meaning |
| --- | --- |
| `COMITY_PASSPHRASE` | opens the private keys; without it the file `passphrase` in the node's directory is read |
| `COMITY_PASSWORD` | the password of the person named by `--as`; without it the terminal asks |
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_sections(typer.main.get_command(app))])


def commands(root: Any, path: str = "comity") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with the words that call it."""
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command.real


def _sections(root: Any) -> Iterator[str]:
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            yield f"## `comity {name}`\n\n{command.help}\n"
            for each in command.commands.values():
                yield _command(f"comity {name} {each.name}", each.real, "###")
        else:
            yield _command(f"comity {name}", command.real, "##")


def _command(path: str, command: Any, level: str) -> str:
    about, _, examples = Text.from_markup(command.help).plain.partition("\n\nExamples:\n")
    lines = "\n".join(line.removeprefix("  ") for line in examples.splitlines())
    return (
        f"{level} `{path}`\n\n{about}\n\n```\n{_usage(path, command)}\n```\n\n"
        f"| | meaning |\n| --- | --- |\n{_parameters(command)}\n\nExamples:\n\n```sh\n{lines}\n```\n"
    )


def _usage(path: str, command: Any) -> str:
    lines, words = [], path
    for part in [_usage_of(parameter) for parameter in command.params]:
        if len(words) + len(part) > 100:
            lines.append(words)
            words = " " * len(path)
        words += f" {part}"
    return "\n".join([*lines, words])


def _usage_of(parameter: Any) -> str:
    shown = _shown(parameter) + ("..." if parameter.multiple or parameter.nargs == -1 else "")
    return shown if parameter.required else f"[{shown}]"


def _shown(parameter: Any) -> str:
    if not parameter.opts[0].startswith("-"):
        return str(parameter.metavar or parameter.name.upper()).removesuffix("…")
    if parameter.is_flag:
        return str(parameter.opts[0])
    name = str(parameter.opts[0])
    return f"{name} {parameter.metavar or name.strip('-').upper().replace('-', '_')}"


def _parameters(command: Any) -> str:
    return "\n".join(
        f"| `{_shown(parameter)}` | {_text(parameter.help)}{_default(parameter)} |"
        for parameter in command.params
    )


def _default(parameter: Any) -> str:
    if parameter.required:
        return ""
    if getattr(parameter, "is_flag", False) or parameter.default is None or not parameter.show_default:
        return ""
    return f" Default: `{parameter.default}`."


def _text(about: str) -> str:
    """Help as a cell of a table: ends like a sentence, no bars."""
    text = about.replace("|", "\\|").replace("<", "&lt;")
    return text if text.endswith((".", "…")) else f"{text}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
