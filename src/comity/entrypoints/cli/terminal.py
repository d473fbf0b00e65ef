"""How `comity` speaks: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from comity.entrypoints.plain_text import json_text, plain
from comity.errors import ComityError, InputError

if TYPE_CHECKING:
    from rich.progress import Progress

    from comity.node.pages.views import Amount


class _Screen(Console):
    """Whatever string is printed, alone or in a table: nothing in it reaches the terminal as a command."""

    def render_str(self, text: str, **named: Any) -> Text:
        return super().render_str(plain(text), **named)


out = _Screen()
err = _Screen(stderr=True)


def print_json(value: Any) -> None:
    """One JSON value on standard output, nothing else there, and nothing in it that deceives a terminal."""
    sys.stdout.write(json_text(value) + "\n")


def shown(*texts: str) -> tuple[str, ...]:
    """Text that may come from a peer or a file: no control characters, and no markup of ours in it."""
    return tuple(escape(plain(text)) for text in texts)


def table_of(*headings: str, whole: Sequence[str] = (), title: str | None = None) -> Table:
    """A calm table. Columns named in `whole` are never cut: an id must be copied, an amount read."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in headings:
        if heading in whole:
            table.add_column(heading, no_wrap=True, min_width=len(heading))
        else:
            table.add_column(heading, overflow="fold")
    return table


def as_plain(value: Any) -> Any:
    """Frozen values as JSON values: times in RFC 3339, durations in seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: as_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(as_plain(item) for item in value)
    return value


def money(minor: int, currency: str) -> str:
    """`CAD 2,300,000.00`; an asset this node does not know is shown in its minor units."""
    from comity.model import format_minor

    try:
        return format_minor(minor, currency)
    except InputError:
        return f"{currency} {minor:,} (minor units)"


def amounts(found: Sequence[Amount]) -> str:
    return ", ".join(money(one.minor, one.currency) for one in found) or "–"


def print_error(error: ComityError) -> None:
    """What was expected and got, then what to do next."""
    err.print(f"[bold red]error[/] [dim]{error.code}[/]", highlight=False)
    err.print(f"  {plain(str(error))}", highlight=False, markup=False, soft_wrap=True)
    err.print(f"  → {plain(error.next_step)}", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """A bar on standard error that leaves nothing behind; silent when that is no terminal."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(), TextColumn(what), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    ) as bar:  # fmt: skip
        yield bar
