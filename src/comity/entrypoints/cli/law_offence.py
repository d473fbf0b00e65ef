"""`comity law offence`: the offence catalogue, the provisions, and dual criminality. No node is needed. Not legal
advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json, table_of
from comity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.law.dual_criminality import Condition, DualCriminality, Reading
    from comity.law.offences import Offence
    from comity.law.provisions import Provision

_STYLE = {"met": "green", "not_met": "red", "unknown": "yellow"}


def law_offence(
    id_: Annotated[
        str | None, typer.Argument(metavar="OFFENCE", help="fraud, ml, tip, ...; without it all are listed.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="CC", help="Compare: the jurisdiction that asks.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="CC", help="Compare: the jurisdiction that is asked.")
    ] = None,
    has: Annotated[
        list[str] | None,
        typer.Option("--has", metavar="ELEMENT", help="An element that the facts hold. May be repeated."),
    ] = None,
    lacks: Annotated[
        list[str] | None,
        typer.Option("--lacks", metavar="ELEMENT", help="An element that the facts do not hold. May be repeated."),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            "--threshold", metavar="ID", help="serious_crime, extradition, budapest_extradition or red_notice."
        ),
    ] = None,
    purpose: Annotated[
        str | None,
        typer.Option("--for", metavar="PURPOSE", help="Say whether dual criminality is a condition of this."),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show an offence: its elements, and each jurisdiction's provision and maximum penalty; or compare two of them.

    With --from and --to: would conduct with these elements be an offence in
    both? Elements are compared, never labels. What is not said, and what was
    not gathered, is unknown. Not legal advice.

    \b
    Examples:
      comity law offence
      comity law offence tip
      comity law offence fraud --from CA --to HK --has deception --has property_moved --has dishonest_intent --has amount_large --threshold serious_crime
      comity law offence tip --from TH --to HK --has recruit_transport_harbour --has means_used --has purpose_forced_labour --lacks purpose_sexual --for extradition --json
    """  # noqa: E501 - an example is one line
    from comity.law.offences import offence, offences

    if id_ is None:
        _refuse_options(from_ or to or has or lacks or threshold or purpose)
        _list(offences(), as_json=as_json)
        return
    one = offence(id_)
    if from_ is None and to is None:
        _refuse_options(has or lacks or threshold or purpose)
        _show(one, as_json=as_json)
        return
    if from_ is None or to is None:
        raise InputError.because(expected="--from and --to", got="one of them")
    found = _compared(one, from_, to, _conduct(has or [], lacks or []), threshold)
    _show_comparison(found, purpose, as_json=as_json)


def _compared(
    one: Offence, from_: str, to: str, conduct: dict[str, bool], limit: str | None
) -> DualCriminality:
    from comity.law.dual_criminality import compare
    from comity.law.provisions import threshold

    return compare(from_, to, one.id, conduct, threshold=threshold(limit) if limit else None)


def _conduct(has: Sequence[str], lacks: Sequence[str]) -> dict[str, bool]:
    both = sorted(set(has) & set(lacks))
    if both:
        raise InputError.because(
            expected="each element once", got=f"{', '.join(both)} under --has and --lacks"
        )
    return {**dict.fromkeys(has, True), **dict.fromkeys(lacks, False)}


def _refuse_options(given: object) -> None:
    if given:
        raise InputError.because(
            expected="an offence, --from and --to beside these options", got="not all of them",
            remedy="For example: comity law offence fraud --from CA --to HK --has deception",
        )  # fmt: skip


def _list(every: tuple[Offence, ...], *, as_json: bool) -> None:
    from comity.law.bases import NOT_ADVICE
    from comity.law.offence_json import catalogue_as_json

    if as_json:
        print_json({"offences": [catalogue_as_json(one) for one in every], "not_advice": NOT_ADVICE})
        return
    table = table_of("offence", "ICCS", "crime area", "name", whole=("offence", "ICCS"))
    for one in every:
        code = "unknown" if one.iccs is None else one.iccs + (f" {one.tag}" if one.tag else "")
        table.add_row(one.id, code, one.area or "–", one.name)
    out.print(table)
    out.print(f"Elements and provisions: comity law offence OFFENCE\n\n[dim]{NOT_ADVICE}[/]", highlight=False)


def _show(one: Offence, *, as_json: bool) -> None:
    from comity.law.bases import NOT_ADVICE
    from comity.law.elements import elements
    from comity.law.offence_json import offence_as_json
    from comity.law.parties import known_jurisdictions
    from comity.law.provisions import all_provisions

    rows = [row for row in all_provisions() if row.offence == one.statutes]
    silent = [code for code in known_jurisdictions() if code not in {row.party for row in rows}]
    if as_json:
        print_json({**offence_as_json(one, rows, silent), "not_advice": NOT_ADVICE})
        return
    out.print(f"[bold]{one.name}[/], ICCS {one.iccs or 'unknown'}", highlight=False)
    for asked in one.conduct:
        out.print(
            "  · " + ", or ".join(f"{elements()[name].text} ({name})" for name in asked.one_of),
            highlight=False,
        )
    table = table_of("", "provision", "maximum", "asks for", whole=("",))
    for row in rows:
        table.add_row(row.party, _named(row), _maximum(row), ", ".join(map(str, row.requires)) or "unknown")
    out.print(table)
    out.print(f"[bold]Unknown[/] (no provision in the data): {', '.join(silent) or 'none'}", highlight=False)
    out.print(f"\n[dim]No provision is verified unless it says so. {NOT_ADVICE}[/]", highlight=False)


def _named(row: Provision) -> Text:
    checked = "verified" if row.verified else "not verified"
    text = Text(row.provision).append(f"\n{row.confidence} confidence, {checked}", style="dim")
    return text.append(f"\n{row.note}", style="dim") if row.note else text


def _maximum(row: Provision) -> str:
    graver = f"; {row.aggravated} if graver" if row.aggravated else ""
    corporal = "; corporal penalty" if row.corporal else ""
    return (str(row.maximum) if row.maximum else "unknown") + graver + corporal


def _show_comparison(found: DualCriminality, purpose: str | None, *, as_json: bool) -> None:
    from comity.law.bases import NOT_ADVICE
    from comity.law.dual_criminality import condition
    from comity.law.offence_json import comparison_as_json

    needed = condition(purpose) if purpose else None
    if as_json:
        print_json({**comparison_as_json(found, needed), "not_advice": NOT_ADVICE})
        return
    word = found.verdict.replace("_", " ")
    out.print(Text.assemble("Dual criminality: ", (word, f"bold {_STYLE[found.verdict]}")))
    table = table_of("", "provision", "result", "present", "absent", "unknown", whole=("",))
    for side in found.sides:
        for one in side.readings:
            table.add_row(side.party, *_reading(one))
    out.print(table)
    _notes(found, needed)
    out.print(f"\n[dim]{NOT_ADVICE}[/]", highlight=False)


def _reading(one: Reading) -> tuple[str | Text, ...]:
    result = Text(one.verdict.replace("_", " "), style=_STYLE[one.verdict])
    if not one.provision.requires:
        result.append("\nelements not gathered", style="dim")
    return (
        f"{one.provision.provision}\n{_maximum(one.provision)}",
        result,
        ", ".join(one.present),
        ", ".join(one.absent),
        ", ".join(one.unknown),
    )


def _notes(found: DualCriminality, needed: Condition | None) -> None:
    if needed is not None:
        article = f" ({needed.article})" if needed.article else ""
        said = f"For {needed.purpose}: {needed.condition.replace('_', ' ')}; {needed.text}{article}"
        out.print(said, highlight=False, markup=False)
    for side in found.sides:
        for reason in side.reasons:
            out.print(f"  {side.party}: {reason}", highlight=False, markup=False)
    if found.to_check:
        out.print("[bold]To be checked[/]")
        for line in found.to_check:
            out.print(f"  · {line}", highlight=False, markup=False)
