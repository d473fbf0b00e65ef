"""`comity hold list`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import as_plain, money, out, print_json, shown, table_of


def hold_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List holds: those this node placed, and those its partners told it of.

    \b
    Examples:
      comity hold list hk
    """
    from comity.node.bootstrap import open_node
    from comity.node.handling.reading import may_be_listed

    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "holds.listed", actor=console_actor())
        holds = [hold for hold in tx.holds.all() if may_be_listed(node, tx, hold.case_id, hold.holder)]
    if as_json:
        print_json([as_plain(hold) for hold in holds])
        return
    table = table_of(
        "hold", "account", "amount", "state", "lapses", "by", whole=("hold", "account", "amount")
    )
    for hold in holds:
        active = hold.state in ("held", "ordered")
        table.add_row(
            *shown(
                hold.id, hold.account, money(hold.amount_minor, hold.currency), hold.state,
                f"{hold.lapses_at:%d %b %H:%M}" if active else "", hold.holder,
            )
        )  # fmt: skip
    out.print(table if holds else "No hold yet.")
