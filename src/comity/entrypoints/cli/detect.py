"""`comity detect`: look for patterns of laundering in files of transfers. No node is needed; nothing is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import err, out, print_json, progress, shown, table_of
from comity.errors import InputError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from comity.node.detect import Detected
    from comity.tracing.typologies.alerts import Alert

_SHOWN = 25


def detect(
    transfers: Annotated[Path, typer.Argument(help="CSV or Parquet file of transfers, or a folder of them.")],
    pattern: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Look for this pattern only; may be given several times."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Order alerts by this model, from `comity detect train`."),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a score for every transfer there (.csv or .parquet)."),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(
            metavar="ALERT", help="Print this alert as a report for `comity trace --report` instead."
        ),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="CUR=AMOUNT", help="What must be reported in a currency, for structuring."),
    ] = None,
    assets: Annotated[
        Path | None, typer.Option(help="CSV id,decimals of assets that are no ISO 4217 currency.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look for patterns of laundering in transfers; each alert says its rule and names its transfers.

    Patterns: crypto-in-out, cycle, dormant-active, fan-in, fan-out, gather-scatter, mule-ring, pass-through,
    peel-chain, round-trip, scatter-gather, structuring. An alert is a reason to look, and decides nothing. With
    --json each line is one alert (spec/alert.md). A file called train is written ./train.

    \b
    Examples:
      comity detect transfers.csv
      comity detect book.parquet --pattern cycle --pattern fan-in --json
      comity detect book.parquet --threshold HKD=120000 --scores scores.csv
      comity detect book.parquet --report cycle-0123456789ab
    """
    from comity.backends.transfers.papers import read_assets
    from comity.model import CRYPTO_ASSETS
    from comity.node.detect import detect as find
    from comity.node.detect import report_document

    digits = CRYPTO_ASSETS if assets is None else read_assets(assets)
    if scores is not None:
        _check_scores(scores)
    with progress("Detecting") as bar:
        task = bar.add_task("", total=None)
        found = find(
            transfers, patterns=pattern or (), model=model, thresholds=_thresholds(threshold or (), digits),
            assets=digits, told=lambda what: bar.update(task, description=what),
        )  # fmt: skip
    if scores is not None:
        _write_scores(found, scores)
    if report is not None:
        print_json(report_document(found.named(report)))
    elif as_json:
        _print_lines(found)
    else:
        _show(found)


def _thresholds(given: Sequence[str], digits: Mapping[str, int]) -> dict[str, int]:
    from comity.model import digits_of, parse_amount

    thresholds = {}
    for text in given:
        currency, sign, amount = text.partition("=")
        if not sign:
            raise InputError.because(
                expected="a currency and an amount such as EUR=10000",
                got=repr(text[:60]),
                where="--threshold",
            )
        thresholds[currency] = parse_amount(amount, digits_of(currency, digits))
    return thresholds


def _check_scores(file: Path) -> None:
    if file.suffix.lower() not in (".csv", ".parquet"):
        raise InputError.because(
            expected="a name that ends with .csv or .parquet", got=repr(file.name), where="--scores"
        )
    if file.exists():
        raise InputError.because(
            expected="a new file for the scores", got="one that exists", where=str(file),
            remedy="Name another with --scores; nothing was written.",
        )  # fmt: skip


def _write_scores(found: Detected, file: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    table = pa.table({"transfer_id": found.transfer_ids, "score": found.scores})
    write = pyarrow.csv.write_csv if file.suffix.lower() == ".csv" else pyarrow.parquet.write_table
    try:
        write(table, file)
    except OSError as error:
        raise StorageError(f"the disk refused: {error}", where=str(file)) from error
    err.print(f"{len(found.scores):,} scores are in {file}", highlight=False, markup=False)


def _print_lines(found: Detected) -> None:
    """JSON Lines: one alert a line."""
    from comity.node.detect import alert_document

    for alert in found.alerts:
        document = {**alert_document(alert), "model": found.model}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")


def _show(found: Detected) -> None:
    table = table_of("Score", "Alert", "Account", "Transfers", "Why", whole=("Score", "Alert", "Transfers"))
    for alert in found.alerts[:_SHOWN]:
        table.add_row(
            f"{alert.score:.3f}", *shown(alert.alert_id, alert.accounts[0], _count(alert), alert.rule)
        )
    if len(found.alerts) > _SHOWN:
        table.caption = f"and {len(found.alerts) - _SHOWN:,} more: --json has all"
    if found.alerts:
        out.print(table)
    by = "ordered by the model" if found.model else "each pattern's own strength, no probability"
    out.print(
        f"{len(found.alerts):,} alerts among {len(found.scores):,} transfers ({by}). An alert is a reason to look; "
        "it decides nothing.",
        highlight=False,
    )


def _count(alert: Alert) -> str:
    return f"{alert.transfers_in_all:,}"
