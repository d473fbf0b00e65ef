"""`comity detect train`: learn the order of alerts from labelled transfers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json, progress, table_of


def detect_train(
    transfers: Annotated[
        Path, typer.Argument(help="CSV or Parquet file with a column is_laundering, or a folder of them.")
    ],
    model: Annotated[
        Path, typer.Option(metavar="DIR", help="New folder for the model and its card.", show_default=False)
    ],
    seed: Annotated[int, typer.Option(help="The same transfers and seed give the same model.", min=0)] = 1,
    as_json: AsJson = False,
) -> None:
    """Learn from labelled transfers in which order people should look at alerts.

    The first 60 % of the transfers in time teach, the next 20 % calibrate and set the threshold, the last 20 % judge.
    The folder gets the model as text and a card that says what it learned from, how good it is, and what it must not
    be used for.

    \b
    Examples:
      comity detect train labelled.parquet --model ranker
      comity detect train labelled.parquet --model ranker --seed 7 --json
    """
    from comity.node.detect import train_ranker

    with progress("Training") as bar:
        task = bar.add_task("", total=None)
        made = train_ranker(
            transfers, model, seed=seed, told=lambda what: bar.update(task, description=what)
        )  # fmt: skip
    if as_json:
        print_json(made)
        return
    table = table_of("Part", "Transfers", "Laundering", "F1", "Precision", "Recall", "PR-AUC")
    for name, part in (("checking", made["checked"]), ("judging", made["judged"])):
        numbers = (part[key] for key in ("f1", "precision", "recall", "pr_auc"))
        table.add_row(
            name, f"{part['transfers']:,}", f"{part['laundering']:,}", *(f"{number:.3f}" for number in numbers)
        )  # fmt: skip
    out.print(table)
    out.print(
        f"Model {made['model']} and its card are in {model}", highlight=False, markup=False, soft_wrap=True
    )
