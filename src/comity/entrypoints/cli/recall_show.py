"""`comity recall show`: what banks' recall messages say. No node is needed; nothing is kept."""

from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of


def recall_show(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="camt.056, camt.029; MT192, MT196, MT199.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show requests for payments back, and answers to them: camt.056 and camt.029, MT192, MT196 and MT199.

    With --json each has the payment's id as a book of transfers has it: what a report of stolen money names.

    \b
    Examples:
      comity recall show recall.xml answer.xml
    """
    from comity.backends.transfers.formats import read_recalls

    found = [recall for file in files for recall in read_recalls(file)]
    if as_json:
        print_json([as_plain(one) for one in found])
        return
    table = table_of("", "payment", "amount", "by", "of", "status", "reasons", whole=("payment",))
    for one in found:
        amount = f"{one.currency} {one.amount}".strip()
        table.add_row(
            *shown(
                one.kind, one.original, amount, one.asked_by, one.asked_of, one.status, ", ".join(one.reasons),
            )
        )  # fmt: skip
    out.print(table)
