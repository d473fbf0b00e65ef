"""`comity account list`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of


def account_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List the accounts at which tracing ends, who said so, why, and the request that would pierce each.

    \b
    Examples:
      comity account list hk
    """
    from comity.law.chokes import piercing
    from comity.node.bootstrap import open_node

    with open_node(folder).records.reading() as tx:
        marks = tx.account_marks.all()
    if as_json:
        print_json(
            [
                {**as_plain(one), "request": piercing(one.kind).request, "basis": piercing(one.kind).basis}
                for one in marks
            ]
        )
        return
    table = table_of("account", "kind", "reason", "by", "since", "what would pierce it", whole=("account",))
    for one in marks:
        way = piercing(one.kind)
        table.add_row(
            *shown(
                one.account, one.kind.value, one.reason, one.by, f"{one.at:%Y-%m-%d %H:%M} UTC", way.request
            )
        )
    out.print(table if marks else "No account is marked.")
