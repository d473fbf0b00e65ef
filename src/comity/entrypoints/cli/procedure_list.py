"""`comity procedure list`. No node is needed."""

from __future__ import annotations

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of


def procedure_list(as_json: AsJson = False) -> None:
    """List the procedures that ship, with their versions, and whether one node runs them or two.

    \b
    Examples:
      comity procedure list
    """
    from comity.law import all_procedures

    if as_json:
        print_json(
            [
                {
                    "name": one.name, "version": one.version, "title": one.title, "status": one.status,
                    "sides": one.sides, "source": one.source, "confidence": one.confidence, "digest": one.digest,
                }
                for one in all_procedures()
            ]
        )  # fmt: skip
        return
    table = table_of("name", "version", "sides", "title", "confidence", whole=("name",))
    for one in all_procedures():
        table.add_row(*shown(one.name, str(one.version), one.sides, one.title, one.confidence))
    out.print(table)
