"""The tree of commands, each of which is imported when it is called and not before."""

from functools import cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from comity.entrypoints.cli.commands import COMMANDS, GROUPS, Command, Group
from comity.entrypoints.cli.help_text import help_of

ABOUT = "Find, trace, freeze and hand over across borders, and prove every step."


class Later(TyperCommand):
    """A command of which only the name and one line are known until somebody calls it."""

    def __init__(self, command: Command) -> None:
        super().__init__(command.name, short_help=command.about, rich_markup_mode="rich")
        self._command = command

    @cached_property
    def real(self) -> Any:
        """The command itself, with its parameters and its whole help."""
        module = import_module(f"{__package__}.{self._command.module}")
        function = getattr(module, self._command.function or self._command.module)
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
        alone.command(self._command.name, help=help_of(function))(function)
        return typer.main.get_command(alone)

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        """The context is the real command's: parsing, `--help` and the call itself go there."""
        return self.real.make_context(*arguments, **named)


class _Root(TyperGroup):
    """`comity`, with everything in the table."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for one in (*(Later(command) for command in COMMANDS), *(_group(group) for group in GROUPS)):
            self.add_command(one)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """`comity detect train …` is a command beside `comity detect …`; everything else as usual."""
        two = " ".join(args[:2])
        return (
            (two, self.commands[two], args[2:])
            if two in self.commands
            else super().resolve_command(ctx, args)
        )


def _group(group: Group) -> TyperGroup:
    return TyperGroup(
        name=group.name, help=group.about, commands=[Later(one) for one in group.commands],
        no_args_is_help=True, rich_markup_mode="rich",
    )  # fmt: skip


app = typer.Typer(
    help=ABOUT, cls=_Root, callback=lambda: None, add_completion=False,
    no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False,
)  # fmt: skip
