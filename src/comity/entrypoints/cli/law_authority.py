"""`comity law authority`: who in a jurisdiction is competent for what. No node is needed. Not legal advice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.law.authorities import CompetentAuthority, Delineation


def law_authority(
    party: Annotated[str, typer.Argument(metavar="CC", help="The jurisdiction: ISO 3166-1 code, e.g. TH.")],
    for_: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="COMPETENCE",
            help="mla, extradition, fiu, contact_24_7, police, anti_trafficking, asset_recovery, border, customs, "
            "data_protection or oversight; all if not said.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """List the authorities of a jurisdiction, what they are competent for, and how they are reached.

    Two that claim the same are shown as a conflict to settle; neither is put
    first. What the data does not hold is said to be unknown. Not legal advice.

    \b
    Examples:
      comity law authority TH
      comity law authority CN --for mla
      comity law authority VN --for fiu --json
    """
    from comity.law.authorities import as_json as plain
    from comity.law.authorities import competent
    from comity.law.bases import NOT_ADVICE

    found = competent(party, for_)
    if as_json:
        print_json({**plain(found), "not_advice": NOT_ADVICE})
    else:
        _show(found)


def _show(found: Delineation) -> None:
    from comity.law.authorities import COMPETENCES
    from comity.law.bases import NOT_ADVICE
    from comity.law.parties import name_of

    out.print(f"[bold]{name_of(found.party)}[/], competent authorities", highlight=False)
    if found.authorities:
        table = table_of("for", "authority", "reached", "how sure")
        table.padding = (0, 2, 1, 0)
        for one in found.authorities:
            table.add_row(*shown(*_row(one)))
        out.print(table)
    for conflict in found.conflicts:
        out.print(f"[yellow]To settle:[/] {shown(conflict.text)[0]}", highlight=False)
    if found.unknown:
        names = ", ".join(COMPETENCES[one] for one in found.unknown)
        out.print(f"[bold]Unknown[/] (not in the data): {names}", highlight=False)
    out.print(f"\n[dim]{NOT_ADVICE}[/]", highlight=False)


def _row(one: CompetentAuthority) -> tuple[str, str, str, str]:
    from comity.law.authorities import CHANNELS, COMPETENCES, WHOLE

    part = "" if one.scope == WHOLE else f"\n{one.scope}"
    name = "\n".join(text for text in (one.authority, one.local_name or "", one.note) if text)
    languages = ", ".join(one.languages) or "unknown"
    channel = CHANNELS[one.channel] if one.channel else "channel unknown"
    checked = "verified" if one.verified else "not verified"
    sure = f"{one.confidence} confidence, {checked}, as of {one.as_of}\n{one.source}"
    return COMPETENCES[one.competence] + part, name, f"{channel}\nlanguages: {languages}", sure
