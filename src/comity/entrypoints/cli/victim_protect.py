"""`comity victim reflect|protection|return`: what protects a person in the vault."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir
from comity.entrypoints.cli.terminal import as_plain, out, print_json, table_of
from comity.entrypoints.cli.victim_arguments import Person, text_in, vault_for

_YesNo = "yes, no or unknown"


def reflect(
    folder: NodeDir,
    victim: Person,
    as_: As,
    days: Annotated[
        int | None, typer.Option(help="Longer than the 30 days that are the least; never shorter.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Begin a person's reflection period, or make it longer: no removal, and no interview without consent.

    \b
    Examples:
      comity victim reflect th victim-5f0c… --as anong
      comity victim reflect th victim-5f0c… --days 90 --as anong
    """
    from comity.node.vault.protection import reflect as begin

    with vault_for(folder, as_) as vault:
        done = begin(vault, victim, days=days)
    if as_json:
        print_json(as_plain(done))
        return
    out.print(
        f"The reflection period runs until {done.ends_at:%Y-%m-%d %H:%M} UTC ({done.source})", highlight=False
    )


def protection(
    folder: NodeDir,
    victim: Person,
    as_: As,
    compelled: Annotated[
        str | None, typer.Option(help=f"Were they made to do what they are accused of? {_YesNo}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what may be done to a person now: removal, interview, return, punishment; with the reason.

    \b
    Examples:
      comity victim protection th victim-5f0c… --as anong
    """
    from comity.law.safeguards import as_json as plain
    from comity.node.vault.protection import protection as protecting

    with vault_for(folder, as_) as vault:
        found = protecting(vault, victim, compelled=compelled)
    if as_json:
        print_json(
            {
                "victim": found.victim, "reflection_ends": as_plain(found.reflection_ends),
                "removal": as_plain(found.removal), "interview": as_plain(found.interview),
                "voluntary_return": as_plain(found.voluntary_return), "non_punishment": plain(found.punishment),
            }
        )  # fmt: skip
        return
    table = table_of("", "may it?", "why")
    table.add_row("removal", found.removal.may, found.removal.reason)
    table.add_row("interview by investigators", found.interview.may, found.interview.reason)
    table.add_row("return", found.voluntary_return.may, found.voluntary_return.reason)
    table.add_row("charge, detention, fine", found.punishment.outcome.value, found.punishment.reason)
    out.print(table)
    if found.reflection_ends:
        out.print(f"The reflection period ends {found.reflection_ends:%Y-%m-%d %H:%M} UTC", highlight=False)


def return_(
    folder: NodeDir,
    victim: Person,
    as_: As,
    by: Annotated[str, typer.Option(help="Who assessed the risk: the office or organisation.")],
    assessment: Annotated[
        Path, typer.Option(metavar="FILE", help="The assessment as text; - reads standard input.")
    ],
    assessed: Annotated[
        str, typer.Option(help=f"For this very person, independently: {_YesNo}.")
    ] = "unknown",
    safe: Annotated[str, typer.Option(help=_YesNo)] = "unknown",
    voluntary: Annotated[
        str, typer.Option(help=f"Informed, free to refuse, in writing: {_YesNo}.")
    ] = "unknown",
    as_json: AsJson = False,
) -> None:
    """Record a risk assessment of a person's return: not safe, not voluntary or unknown is no return.

    \b
    Examples:
      comity victim return th victim-5f0c… --by IOM --assessment risk.txt --assessed yes --safe no --as anong
    """
    from comity.law.safeguards import as_json as plain
    from comity.node.vault.protection import assess_return

    text = text_in(assessment)
    with vault_for(folder, as_) as vault:
        done = assess_return(
            vault, victim, assessed=assessed, safe=safe, voluntary=voluntary, by=by, text=text
        )
    if as_json:
        print_json(plain(done))
        return
    may = "may return" if done.outcome.value == "clear" else "no return"
    out.print(f"[bold]{may}[/] ({done.outcome.value}): {done.reason}", highlight=False)
    if done.then:
        out.print(f"  {done.then}", highlight=False)
