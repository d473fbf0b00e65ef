"""Commands start without what they do not need: the table of commands says all that the root's help shows."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity.entrypoints import cli
from comity.entrypoints.cli.arguments import PURPOSE
from comity.entrypoints.cli.commands import COMMANDS, GROUPS, Command
from comity.entrypoints.cli.help_text import paragraphs
from comity.node.handling import exits, gate

EVERY = {
    **{one.name: one for one in COMMANDS},
    **{f"{group.name} {one.name}": one for group in GROUPS for one in group.commands},
}
HEAVY = {
    "alembic", "cryptography", "duckdb", "httpx", "ibis", "lightgbm", "litestar", "numba", "numpy", "pyarrow",
    "sqlalchemy", "tuf",
}  # fmt: skip
HEAVY_THEMSELVES = {"trace", "transfers_import"}
"""They still import what they work with for their help."""


@pytest.mark.parametrize("words", EVERY)
def test_the_line_that_lists_a_command_is_its_own_first_paragraph(words: str) -> None:
    assert EVERY[words].about == paragraphs(function_of(EVERY[words]))[0]


def test_every_function_with_examples_is_a_command() -> None:
    found = {
        (module.__name__.rpartition(".")[2], name)
        for module in modules()
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and "\nExamples:\n" in described(value)
    }
    assert found == {(one.module, one.function or one.module) for one in EVERY.values()}


def test_no_command_is_imported_before_it_is_called() -> None:
    loaded = imported_by(
        "from comity.entrypoints.cli import app; app(['--help'])", of="comity.entrypoints.cli."
    )
    assert loaded == {"commands", "help_text", "terminal", "tree"}


def test_help_imports_neither_database_nor_mathematics() -> None:
    light = {one.module for one in EVERY.values()} - HEAVY_THEMSELVES
    each = f"import sys\nfor name in {sorted(light)}:\n __import__(f'comity.entrypoints.cli.{{name}}')\n"
    loaded = imported_by(f"{each} assert not {HEAVY} & set(sys.modules), name", of="")
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("call", ["law bases --from CA --to HK --for freeze --json", "case list --help"])
def test_light_commands_open_no_database(call: str) -> None:
    loaded = imported_by(f"from comity.entrypoints.cli import app; app({call.split()!r})", of="")
    assert loaded.isdisjoint(HEAVY)


def test_a_constant_that_help_shows_is_the_one_that_is_used() -> None:
    assert PURPOSE == gate.PURPOSE
    assert exits.OUTSIDE == "outside"


def function_of(one: Command) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(
        import_module(f"{cli.__name__}.{one.module}"), one.function or one.module
    )
    return found


def modules() -> list[ModuleType]:
    folder = Path(cli.__file__).parent
    return [
        import_module(f"{cli.__name__}.{file.stem}")
        for file in folder.glob("*.py")
        if file.stem != "__init__"
    ]


def described(value: object) -> str:
    return "\n".join(line.strip() for line in (value.__doc__ or "").splitlines()) if callable(value) else ""


def imported_by(code: str, *, of: str) -> set[str]:
    """Names of the modules that this leaves imported: below `of`, or else the outermost of all."""
    said = f"import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n{code}"
    done = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True)
    names = done.stderr.splitlines()[-1].split()
    if of:
        return {name.removeprefix(of) for name in names if name.startswith(of)}
    return {name.partition(".")[0] for name in names}
