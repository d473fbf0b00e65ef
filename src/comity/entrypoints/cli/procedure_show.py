"""`comity procedure show`. No node is needed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.law import Procedure


_WIDEST = 6
"""Columns that a screen has room for."""


class Format(StrEnum):
    TABLE = "table"
    MERMAID = "mermaid"
    PDF = "pdf"


def procedure_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in `comity procedure list`.")],
    format_: Annotated[
        Format,
        typer.Option("--format", help="As tables here, as the source of a diagram, or as a PDF."),
    ] = Format.TABLE,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where the PDF goes; without it NAME.pdf."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a procedure: who may decide what, under which gates, in which time, and on which grounds it may be refused.

    Articles and terms are shown with their source and its confidence. Not legal advice.

    \b
    Examples:
      comity procedure show handover
      comity procedure show mla --format mermaid
      comity procedure show extradition --format pdf --output extradition.pdf
    """
    from comity.errors import InputError
    from comity.law import procedure
    from comity.law.procedure_page import diagram

    found = procedure(name)
    if output is not None and format_ is not Format.PDF:
        raise InputError.because(expected="--output with --format pdf", got=f"--format {format_}")
    if format_ is Format.PDF:
        _pdf(found, output or Path(f"{found.name}.pdf"), as_json)
    elif as_json:
        print_json({**as_plain(found), "mermaid": diagram(found)})
    elif format_ is Format.MERMAID:
        out.print(
            diagram(found).removeprefix("```mermaid\n").removesuffix("```\n"), markup=False, highlight=False
        )
    else:
        _tables(found)


def _tables(found: Procedure) -> None:
    from comity.law.procedure_tables import heading, tables

    out.print(f"[bold]{shown(found.title)[0]}[/] {found.name}", highlight=False)
    out.print(shown(heading(found))[0], highlight=False)
    for one in tables(found):
        out.print()
        rows = [shown(*(cell.replace("`", "") for cell in row)) for row in one.rows]
        if not rows:
            out.print(f"[bold]{one.title}[/]: none")
        elif len(one.columns) > _WIDEST:
            _blocks(one.title, one.columns, rows)
        else:
            table = table_of(*one.columns, title=one.title)
            for row in rows:
                table.add_row(*row)
            out.print(table)


def _blocks(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table that no screen is wide enough for: from, event and to in one line, the rest below it."""
    out.print(f"[bold]{title}[/]")
    for source, event, target, *rest in rows:
        out.print(f"[bold]{event}[/]: {source} → {target}", highlight=False)
        for column, cell in zip(columns[3:], rest, strict=True):
            if cell:
                out.print(f"  [dim]{column}:[/] {cell}", highlight=False)


def _pdf(found: Procedure, file: Path, as_json: bool) -> None:
    from hashlib import sha256

    from comity.backends.files import create_durably
    from comity.errors import Conflict
    from comity.node.letters.declared import procedure_pdf

    pdf = procedure_pdf(found)
    try:
        create_durably(file, pdf, mode=0o644)
    except FileExistsError as error:
        raise Conflict.because(
            expected="a file that does not exist", got=str(file), where="--output"
        ) from error
    digest = sha256(pdf).hexdigest()
    if as_json:
        print_json({"file": str(file), "sha256": digest})
    else:
        out.print(f"{file}: {found.title}, sha256 {digest}", highlight=False, markup=False)
