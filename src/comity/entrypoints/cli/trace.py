"""`comity trace`: follow reported money through files of transfers. No node is needed; nothing is sent."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import print_json, progress
from comity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from comity.backends.transfers.indexed import Indexed
    from comity.model import Report, Trace
    from comity.tracing import Rule
    from comity.tracing.bounds import Bounds
    from comity.tracing.victims import Shared

ALL = "all"


def trace(
    transfers: Annotated[Path, typer.Argument(help="CSV or Parquet file of transfers, or a folder of them.")],
    report: Annotated[
        list[Path],
        typer.Option(
            help="JSON file that names the stolen transfers. Several: the victims of one fund, who share.",
            show_default=False,
        ),
    ],
    balances: Annotated[
        Path | None, typer.Option(help="CSV account,currency,amount: clean money before the first transfer.")
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            help="Legal rule: fifo (the default), lifo, prorata, libr or poison; several, or all, side by side.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Stop after this time (inclusive), with its offset.", metavar="TIME")
    ] = None,
    assets: Annotated[
        Path | None, typer.Option(help="CSV id,decimals of assets that are no ISO 4217 currency.")
    ] = None,
    bounds: Annotated[
        bool, typer.Option("--bounds", help="The least and the most, whatever was in the accounts before.")
    ] = False,
    index: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep an index there, which makes the next trace quick."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Follow reported money through transfers, under a legal rule, to where it rests.

    Columns, meaning of each rule and output are in spec/trace.md. Nothing is sent, and nothing is stored but the
    index that --index asks for (it holds what the transfers hold). Several rules are shown side by side, with
    their authority: which of them applies is a question of law, not of arithmetic.

    \b
    Examples:
      comity trace transfers.csv --report report.json
      comity trace book/ --report report.json --rule prorata --balances opening.csv
      comity trace book.parquet --report report.json --until 2025-06-30T23:59:59+08:00 --json
      comity trace book.parquet --report report.json --rule all --bounds --index book.index
      comity trace fund.csv --report lee.json --report khan.json --rule prorata
    """
    from comity.backends.transfers.files import read_assets, read_balances, read_report
    from comity.backends.transfers.indexed import read_book
    from comity.entrypoints.cli import trace_tables as tables
    from comity.model import CRYPTO_ASSETS
    from comity.tracing import read_time

    rules = _rules(rule or ["fifo"])
    end = None if until is None else read_time(until, where="--until")
    digits = CRYPTO_ASSETS if assets is None else read_assets(assets)
    said = [read_report(file) for file in report]
    opening = {} if balances is None else read_balances(balances, digits)
    if bounds and end is not None:
        raise InputError.because(
            expected="--bounds or --until",
            got="both",
            remedy="Bounds are for the whole time of the transfers.",
        )
    Thread(target=import_module, args=("numba",)).start()  # half a second, while files are read and checked
    with progress("Reading transfers") as bar:
        task = bar.add_task("", total=None)
        read = read_book(
            transfers, balances=opening, assets=digits, index=index,
            on_progress=lambda rows: bar.update(task, description=f"{rows:,} rows"),
        )  # fmt: skip
        bar.update(task, description=f"{len(read.book):,} rows, following the money")
        answers = [_answer(read, one, said, digits, end, opening if bounds else None) for one in rules]
    if as_json:
        print_json(_document(answers, said, read))
    else:
        tables.show(answers, said, digits, read)


class Answer:
    """What was found under one rule, and what was asked for besides."""

    def __init__(self, rule: Rule, trace: Trace, bounds: Bounds | None, shared: Shared | None) -> None:
        self.rule, self.trace, self.bounds, self.shared = rule, trace, bounds, shared


def _rules(names: Sequence[str]) -> list[Rule]:
    from comity.tracing import Rule

    if ALL in names:
        return list(Rule)
    return [Rule.named(name) for name in dict.fromkeys(names)]


def _answer(
    read: Indexed,
    rule: Rule,
    said: Sequence[Report],
    digits: Mapping[str, int],
    end: datetime | None,
    known: Mapping[tuple[str, str], int] | None,
) -> Answer:
    from comity.tracing import claims_of, follow
    from comity.tracing.bounds import bounds_of
    from comity.tracing.victims import share_out

    reports = [(one.report_id, claims_of(one, read.book, digits)) for one in said]
    shared = None
    if len(reports) > 1:
        shared = share_out(read.book, rule=rule, reports=reports, until=end)
    trace = shared.trace if shared else follow(read.book, rule=rule, claims=reports[0][1], until=end)
    claims = {name: part for _, one in reports for name, part in one.items()}
    bounds = None if known is None else bounds_of(read.book, rule=rule, claims=claims, known=known)
    return Answer(rule, trace, bounds, shared)


def _document(answers: Sequence[Answer], said: Sequence[Report], read: Indexed) -> dict[str, Any]:
    """The trace contract's object for one rule; for several, one such object each under `rules`."""
    report_id = ", ".join(one.report_id for one in said)
    documents = [_one(answer, report_id) for answer in answers]
    whole: dict[str, Any] = (
        documents[0] if len(documents) == 1 else {"report_id": report_id, "rules": documents}
    )
    if read.state != "none":
        whole["index"] = {"state": read.state}
    if read.later is not None:
        whole["index"] |= {
            "added": read.later.added, "late": read.later.late, "late_transfers": list(read.later.late_transfers),
        }  # fmt: skip
    return whole


def _one(answer: Answer, report_id: str) -> dict[str, Any]:
    from comity.tracing import law_of, trace_document
    from comity.tracing.documents import bounds_document, shared_document

    document = trace_document(answer.trace, report_id=report_id)
    document["law"] = law_of(answer.rule).citation
    if answer.bounds is not None:
        document |= bounds_document(answer.bounds)
    if answer.shared is not None:
        document |= shared_document(answer.shared)
    return document
