"""`comity trace`: follow reported money through files of transfers. No node is needed; nothing is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from comity.backends.transfers.files import read_assets, read_balances, read_report, read_transfers
from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json, progress
from comity.model import CRYPTO_ASSETS, Report, Trace, format_minor
from comity.tracing import Book, Rule, claims_of, follow, law_of, read_time, trace_document

_SHOWN = 25


def trace(
    transfers: Annotated[Path, typer.Argument(help="CSV or Parquet file of transfers, or a folder of them.")],
    report: Annotated[
        Path, typer.Option(help="JSON file that names the stolen transfers.", show_default=False)
    ],
    balances: Annotated[
        Path | None, typer.Option(help="CSV account,currency,amount: clean money before the first transfer.")
    ] = None,
    rule: Annotated[str, typer.Option(help=f"Legal rule: {', '.join(Rule)}.")] = Rule.FIFO.value,
    until: Annotated[
        str | None, typer.Option(help="Stop after this time (inclusive), with its offset.", metavar="TIME")
    ] = None,
    assets: Annotated[
        Path | None, typer.Option(help="CSV id,decimals of assets that are no ISO 4217 currency.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow reported money through transfers, under a legal rule, to where it rests.

    Columns, meaning of each rule and output are in spec/trace.md. Nothing is stored and nothing is sent.

    \b
    Examples:
      comity trace transfers.csv --report report.json
      comity trace book/ --report report.json --rule prorata --balances opening.csv
      comity trace book.parquet --report report.json --until 2025-06-30T23:59:59+08:00 --json
    """
    followed = Rule.named(rule)
    end = None if until is None else read_time(until, where="--until")
    digits = CRYPTO_ASSETS if assets is None else read_assets(assets)
    said = read_report(report)
    opening = {} if balances is None else read_balances(balances, digits)
    with progress("Reading transfers") as bar:
        task = bar.add_task("", total=None)
        reading = read_transfers(
            [transfers],
            assets=digits,
            on_progress=lambda rows: bar.update(task, description=f"{rows:,} rows"),
        )
        bar.update(task, description=f"{reading.table.num_rows:,} rows, following the money")
        book = Book.from_table(reading.table, balances=opening)
        found = follow(book, rule=followed, claims=claims_of(said, book, digits), until=end)
    if as_json:
        print_json(trace_document(found, report_id=said.report_id))
    else:
        _show(found, said, followed, digits)


def _show(found: Trace, said: Report, rule: Rule, digits: Mapping[str, int]) -> None:
    out.print(
        f"\nReport [bold]{escape(said.report_id)}[/], followed under [bold]{rule}[/]: {law_of(rule).meaning}"
    )
    out.print(f"[dim]{law_of(rule).citation}[/]\n")
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


def _more(count: int) -> str | None:
    return f"and {count - _SHOWN:,} more: --json has all" if count > _SHOWN else None
