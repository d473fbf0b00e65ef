"""`comity law check`: what the safeguards say to given facts. No node is needed. Not legal advice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json, table_of
from comity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.law.safeguards import Decision, Table

_STYLE = {
    "clear": "green",
    "barred": "red",
    "unknown": "yellow",
    "condition": "yellow",
    "discretion": "yellow",
}


def law_check(
    name: Annotated[
        str | None, typer.Argument(metavar="SAFEGUARD", help="torture, death_penalty, nationals, ...")
    ] = None,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="STEP",
            help="All safeguards of a step: extradition, handover, mla, asset_recovery, police_information, "
            "fiu_information, notice or prosecution.",
        ),
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            "--fact", metavar="NAME=ANSWER",
            help="yes, no or unknown; with --for the name is SAFEGUARD.FACT. May be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say what the safeguards make of the facts, with the reason, the article and what is still to be asked.

    What is not said is unknown, and unknown is never taken as clear. Without a
    safeguard and without --for the safeguards are listed. Not legal advice.

    \b
    Examples:
      comity law check
      comity law check death_penalty --fact threatened=yes --fact assured=no
      comity law check --for handover --fact torture.danger=no --fact torture.claim=no
      comity law check non_punishment --fact screened=yes --json
    """
    from comity.law.bases import NOT_ADVICE
    from comity.law.safeguards import as_json as plain
    from comity.law.safeguards import decide, tables, worst

    chosen = _chosen(name, for_)
    if not chosen and fact:
        raise InputError.because(expected="a safeguard or --for beside --fact", got="neither")
    if not chosen:
        _list(tuple(tables().values()), as_json=as_json)
        return
    facts = _facts(fact or [], chosen, alone=name is not None)
    found = [decide(one, facts[one.name]) for one in chosen]
    if as_json:
        print_json({
            "outcome": worst(found).value, "safeguards": [plain(one) for one in found], "not_advice": NOT_ADVICE,
        })  # fmt: skip
    else:
        _show(found, worst(found).value)


def _chosen(name: str | None, step: str | None) -> tuple[Table, ...]:
    from comity.law.safeguards import table, tables_for

    if name is not None and step is not None:
        raise InputError.because(
            expected="a safeguard or --for, not both", got=f"{name} and --for {step}",
            remedy="Leave one of them out.",
        )  # fmt: skip
    if name is not None:
        return (table(name),)
    return tables_for(step) if step is not None else ()


def _facts(given: Sequence[str], chosen: Sequence[Table], *, alone: bool) -> dict[str, dict[str, str]]:
    """`NAME=ANSWER` or `SAFEGUARD.NAME=ANSWER` for each of the chosen."""
    facts: dict[str, dict[str, str]] = {one.name: {} for one in chosen}
    for text in given:
        path, _, answer = text.partition("=")
        where, _, name = path.rpartition(".")
        where = where or (chosen[0].name if alone else "")
        if where not in facts or not name or not answer:
            expected = "NAME=ANSWER" if alone else f"SAFEGUARD.NAME=ANSWER of {', '.join(facts)}"
            raise InputError.because(expected=expected, got=repr(text), where="--fact")
        if facts[where].setdefault(name, answer) != answer:
            raise InputError.because(
                expected="one answer for each fact", got=f"two for {path}", where="--fact"
            )
    return facts


def _list(every: tuple[Table, ...], *, as_json: bool) -> None:
    from comity.law.bases import NOT_ADVICE
    from comity.law.safeguards import table_as_json

    if as_json:
        print_json({"safeguards": [table_as_json(one) for one in every], "not_advice": NOT_ADVICE})
        return
    table = table_of("safeguard", "question", "facts it asks for", whole=("safeguard",))
    for one in every:
        table.add_row(one.name, one.question, ", ".join(fact.name for fact in one.facts))
    out.print(table)
    out.print(f"\n[dim]{NOT_ADVICE}[/]", highlight=False)


def _show(found: Sequence[Decision], together: str) -> None:
    from comity.law.bases import NOT_ADVICE

    table = table_of("outcome", "safeguard", "why", whole=("outcome",))
    table.padding = (0, 2, 1, 0)
    for one in found:
        why = Text(one.reason)
        if one.article:
            why.append(f" ({one.article})", style="dim")
        if one.then:
            why.append(f"\n→ {one.then}")
        for fact in one.open:
            why.append(f"\n? {fact.name}: {fact.question}", style="yellow")
        checked = "verified" if one.verified else "not verified"
        why.append(f"\n{one.confidence} confidence, {checked}", style="dim italic")
        table.add_row(Text(one.outcome, style=_STYLE[one.outcome]), one.title, why)
    out.print(table)
    if len(found) > 1:
        out.print(Text.assemble("Together: ", (together, f"bold {_STYLE[together]}")))
    out.print(f"\n[dim]{NOT_ADVICE}[/]", highlight=False)
