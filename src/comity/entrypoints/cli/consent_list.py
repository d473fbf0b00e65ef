"""`comity consent list`."""

from dataclasses import replace
from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of

ConsentId = Annotated[
    str, typer.Argument(metavar="CONSENT", help="The question's id: comity consent list DIR.")
]


def consent_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List consents: asked of peers (→) and asked by peers (←). `--json` has each answer as it was signed.

    What was written about something that was taken back, or is to be kept no longer, is withheld with it.

    \b
    Examples:
      comity consent list hk
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.reading import why_silent

    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "consents.listed", actor=console_actor())
        listed = [(row, why_silent(tx, row)) for row in tx.consents.all()]
    rows = [replace(row, document={"withheld": why}) if why else row for row, why in listed]
    if as_json:
        print_json([as_plain(row) for row in rows])
        return
    table = table_of("consent", "", "with", "to", "of", "for", "state", "until", whole=("consent",))
    for row in rows:
        table.add_row(
            *shown(
                row.id, "→" if row.direction == "out" else "←", row.peer,
                f"{row.action.replace('_', ' ')} {row.recipient}", row.item_digest[:12], row.purpose, row.state,
                f"{row.expires_at:%Y-%m-%d %H:%M} UTC",
            )
        )  # fmt: skip
    out.print(table if rows else "No consent asked yet.")
