"""How `comity trace` looks to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from comity.entrypoints.cli.terminal import out
from comity.model import format_minor
from comity.tracing import law_of
from comity.tracing.victims import CITATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from comity.backends.transfers.indexed import Indexed
    from comity.entrypoints.cli.trace import Answer
    from comity.model import Report, Trace
    from comity.tracing.bounds import Bounds
    from comity.tracing.victims import Shared

_SHOWN = 25


def show(answers: Sequence[Answer], said: Sequence[Report], digits: Mapping[str, int], read: Indexed) -> None:
    """Print what was found: rules side by side where there are several, everything where there is one."""
    names = ", ".join(f"[bold]{escape(one.report_id)}[/]" for one in said)
    if len(answers) > 1:
        out.print(f"\nReport {names}, followed under {len(answers)} rules\n")
        out.print(_side_by_side(answers, digits))
        for answer in answers:
            out.print(f"[dim]{answer.rule}: {law_of(answer.rule).meaning}. {law_of(answer.rule).citation}[/]")
    for answer in answers:
        if len(answers) == 1:
            law = law_of(answer.rule)
            out.print(f"\nReport {names}, followed under [bold]{answer.rule}[/]: {law.meaning}")
            out.print(f"[dim]{law.citation}[/]\n")
            _found(answer.trace, digits)
        if answer.shared is not None:
            out.print(_shares(answer.shared, answer.rule, digits))
            out.print(f"[dim]{CITATION}[/]")
        if answer.bounds is not None:
            out.print(_bounds(answer.bounds, answer.rule, digits))
            _missing(answer.bounds, digits)
    _index(read)


def _found(found: Trace, digits: Mapping[str, int]) -> None:
    out.print(_totals(found, digits))
    if found.holdings:
        out.print(_holdings(found, digits))
    out.print(f"{len(found.flows):,} transfers carried this money; it rests in {len(found.holdings):,} pots.")
    if found.gaps:
        out.print(_gaps(found, digits))
        out.print(
            "A gap: the account paid out more than the transfers show it had. Ask its bank what is missing."
        )


def _totals(found: Trace, digits: Mapping[str, int]) -> Table:
    table = Table("", "Reported", "Still there", "Reported again", title="Totals", title_justify="left")
    for total in found.totals:
        minors = (total.reported_minor, total.held_minor, total.reported_again_minor)
        table.add_row(total.currency, *(format_minor(minor, total.currency, digits) for minor in minors))
    return table


def _holdings(found: Trace, digits: Mapping[str, int]) -> Table:
    table = Table("Account", "Institution", "Country", title="Where it rests", title_justify="left")
    table.add_column("Of the reported money", justify="right")
    table.add_column("Whole balance", justify="right")
    for held in found.holdings[:_SHOWN]:
        table.add_row(
            *(escape(text) for text in (held.account, held.institution, held.country)),
            format_minor(held.tainted_minor, held.currency, digits),
            format_minor(held.balance_minor, held.currency, digits),
        )
    table.caption = _more(len(found.holdings))
    return table


def _gaps(found: Trace, digits: Mapping[str, int]) -> Table:
    table = Table("Transfer", "Account", title="Gaps", title_justify="left")
    table.add_column("Not explained", justify="right")
    for gap in found.gaps[:_SHOWN]:
        minor = format_minor(gap.unexplained_minor, gap.currency, digits)
        table.add_row(escape(gap.transfer_id), escape(gap.account), minor)
    table.caption = _more(len(found.gaps))
    return table


def _side_by_side(answers: Sequence[Answer], digits: Mapping[str, int]) -> Table:
    """Each pot with each sum that some rule finds there, the rules that find it beside it."""
    table = Table("Account", title="Where it rests, rule by rule", title_justify="left")
    table.add_column("Of the reported money", justify="right", no_wrap=True)
    table.add_column("Under")
    held: dict[tuple[str, str], dict[str, int]] = {}
    for answer in answers:
        for one in answer.trace.holdings:
            held.setdefault((one.account, one.currency), {})[answer.rule] = one.tainted_minor
    order = sorted(held, key=lambda pot: (-max(held[pot].values()), pot))
    for account, currency in order[:_SHOWN]:
        under: dict[int, list[str]] = {}
        for answer in answers:
            under.setdefault(held[account, currency].get(answer.rule, 0), []).append(str(answer.rule))
        for number, (minor, rules) in enumerate(under.items()):
            who = "every rule" if len(under) == 1 else ", ".join(rules)
            table.add_row("" if number else escape(account), format_minor(minor, currency, digits), who)
    table.caption = _more(len(order))
    return table


def _shares(shared: Shared, rule: str, digits: Mapping[str, int]) -> Table:
    title = f"Shared among the victims in proportion to their losses ({rule})"
    table = Table("Account", "Victim's report", title=title, title_justify="left")
    table.add_column("Share", justify="right")
    for share in shared.shares[:_SHOWN]:
        minor = format_minor(share.share_minor, share.currency, digits)
        table.add_row(escape(share.account), escape(share.report_id), minor)
    table.caption = _more(len(shared.shares))
    if shared.unshared:
        told = f"{len(shared.unshared)} pots are not shared: their victims lost money in different currencies"
        table.caption = told if table.caption is None else f"{table.caption}; {told}"
    return table


def _bounds(bounds: Bounds, rule: str, digits: Mapping[str, int]) -> Table:
    title = f"Whatever was in the accounts before ({rule})"
    table = Table("Account", title=title, title_justify="left")
    table.add_column("At least", justify="right")
    table.add_column("At most", justify="right")
    table.add_column("")
    for bound in bounds.bounds[:_SHOWN]:
        most = (
            "no limit" if bound.most_minor is None else format_minor(bound.most_minor, bound.currency, digits)
        )
        least = format_minor(bound.least_minor, bound.currency, digits)
        table.add_row(escape(bound.account), least, most, "exact" if bound.exact else "not beyond")
    table.caption = _more(len(bounds.bounds))
    return table


def _missing(bounds: Bounds, digits: Mapping[str, int]) -> None:
    if bounds.missing is not None:
        one = bounds.missing
        depends = format_minor(one.depends_minor, one.currency, digits)
        out.print(
            f"What would narrow this most: what was in [bold]{escape(one.account)}[/] ({one.currency}) before its "
            f"first transfer. Where {depends} went depends on it. Ask its bank, then give it with --balances."
        )


def _index(read: Indexed) -> None:
    if read.later is not None:
        out.print(
            f"The index was extended by {read.later.added:,} transfers, {read.later.late:,} of them late."
        )
        if read.later.late:
            shown = ", ".join(escape(name) for name in read.later.late_transfers[:_SHOWN])
            out.print(f"[dim]Late (booked before the last transfer that was there): {shown}[/]")


def _more(count: int) -> str | None:
    return f"and {count - _SHOWN:,} more: --json has all" if count > _SHOWN else None
