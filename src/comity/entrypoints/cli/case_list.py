"""`comity case list`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import amounts, as_plain, out, print_json, shown, table_of


def case_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List the cases of a node, newest first.

    \b
    Examples:
      comity case list ca
      comity case list ca --json
    """
    from comity.node.bootstrap import open_node
    from comity.node.pages.case_page import case_row

    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "cases.listed", actor=console_actor())
        rows = [case_row(node, tx, case) for case in tx.cases.all()]
    if as_json:
        print_json([as_plain(row) for row in rows])
        return
    if not rows:
        out.print(f"No case yet. Take a report: comity report {folder} report.json", highlight=False)
        return
    table = table_of("case", "title", "status", "reported", "held", whole=("case",))
    for row in rows:
        table.add_row(*shown(row.id, row.title, row.status, amounts(row.reported), amounts(row.held)))
    out.print(table)
