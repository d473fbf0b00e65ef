"""`comity hold list`."""

from rich.table import Table

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import as_plain, money, out, print_json, shown
from comity.node.bootstrap import open_node


def hold_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List holds: those this node placed, and those its partners told it of.

    \b
    Examples:
      comity hold list hk
    """
    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "holds.listed", actor=console_actor())
        holds = tx.holds.all()
    if as_json:
        print_json([as_plain(hold) for hold in holds])
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("hold", "by", "account", "amount", "state", "placed", "lapses"):
        table.add_column(heading)
    for hold in holds:
        active = hold.state in ("held", "ordered")
        table.add_row(
            *shown(
            hold.id, hold.holder, hold.account, money(hold.amount_minor, hold.currency), hold.state,
            f"{hold.placed_at:%Y-%m-%d %H:%M:%S}", f"{hold.lapses_at:%Y-%m-%d %H:%M} UTC" if active else "",
            )
        )  # fmt: skip
    out.print(table if holds else "No hold yet.")
