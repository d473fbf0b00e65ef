"""`comity law bases`: on which legal basis one jurisdiction may ask another. No node is needed. Not legal
advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from comity.entrypoints.cli.terminal import out, print_json

if TYPE_CHECKING:
    from comity.law.bases import Bases, Basis

_PURPOSES = "freeze, mla, extradition, preservation, asset_recovery, joint_team, police_information or fiu_information."


def law_bases(
    from_: Annotated[str, typer.Option("--from", metavar="CC", help="Who asks: ISO 3166-1 code, e.g. CA.")],
    to: Annotated[str, typer.Option("--to", metavar="CC", help="Who is asked, e.g. HK.")],
    for_: Annotated[str, typer.Option("--for", metavar="PURPOSE", help=_PURPOSES)],
    offence: Annotated[
        str | None,
        typer.Option(
            "--offence", metavar="ID", help="fraud, ml, tip, ...: some instruments serve only some."
        ),
    ] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List the legal bases between two jurisdictions, usable ones first.

    What is signed but not in force, suspended or unknown is never usable; it
    is listed all the same, with the reason. Below stands what the data does
    not know and a lawyer must check, what may remain where nothing is usable,
    and whom to ask. Not legal advice.

    \b
    Examples:
    comity law bases --from CA --to HK --for freeze
    comity law bases --from TH --to KH --for extradition --offence fraud
    comity law bases --from TH --to MM --for police_information
    comity law bases --from MY --to CN --for mla --json
    """
    from comity.law.bases import as_json, bases

    found = bases(from_, to, for_, offence=offence)
    if as_json_:
        print_json(as_json(found))
        return
    _show(found)


def _show(found: Bases) -> None:
    from comity.law.bases import NOT_ADVICE
    from comity.law.parties import name_of

    usable = sum(one.usable for one in found.bases)
    who = f"[bold]{name_of(found.from_)} → {name_of(found.to)}[/], {found.for_}"
    out.print(f"{who}: {usable} usable of {len(found.bases)}", highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0), header_style="dim")
    for column in ("", "instrument", "standing", "why, and where from"):
        table.add_column(column, overflow="fold", no_wrap=column == "")
    for one in found.bases:
        table.add_row(*_row(one), style="" if one.usable else "dim")
    out.print(table)
    cautions = dict.fromkeys(line for one in found.bases for line in one.reasons if _is_caution(line))
    for line in cautions:
        out.print(f"[yellow]{escape(line)}[/]", highlight=False)
    if found.missing:
        out.print("[bold]Not in the data; to be checked[/]")
        for line in found.missing:
            out.print(f"  · {escape(line)}", highlight=False)
    _show_the_way_on(found)
    out.print(f"\n[dim]{NOT_ADVICE}[/]", highlight=False)


def _show_the_way_on(found: Bases) -> None:
    """What may remain where nothing is usable, and whom the register names."""
    from comity.law.authorities import WHOLE
    from comity.law.bases import remaining, to_ask

    ways = remaining(found)
    if ways:
        out.print("[bold]What may remain[/]")
    for way in ways:
        out.print(f"  · {way.kind.replace('_', ' ')}: {escape(way.text)}", highlight=False)
    asked = to_ask(found)
    out.print("[bold]Whom to ask[/]")
    for one in asked.authorities:
        checked = "verified" if one.verified else "not verified"
        part = "" if one.scope == WHOLE else f"{one.scope}; "
        sure = f"{part}{one.confidence} confidence, {checked}, as of {one.as_of}"
        out.print(f"  · {escape(one.authority)} [dim]({escape(sure)})[/]", highlight=False)
    for conflict in asked.conflicts:
        out.print(f"  [yellow]To settle:[/] {escape(conflict.text)}", highlight=False)
    if asked.unknown:
        out.print(f"  unknown: the data names no authority of {asked.party} for this", highlight=False)


def _is_caution(line: str) -> bool:
    return line.startswith("Caution:")


def _row(one: Basis) -> tuple[Text, Text, Text, Text]:
    mark = Text("✓ use", style="green") if one.usable else Text("– no")
    name = Text(one.instrument, style="bold" if one.usable else "")
    name.append(f"\n{one.kind}", style="not bold dim")
    standing = Text(one.status.replace("_", " ")).append(f"\n{one.confidence} confidence", style="dim")
    why = Text("\n".join(line for line in one.reasons if not _is_caution(line)))
    if one.articles:
        why.append(f"\narticles: {', '.join(one.articles)}", style="dim")
    return mark, name, standing, why.append(f"\nsource: {one.source}", style="dim italic")
