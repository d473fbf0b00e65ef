"""`comity item list`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of


def item_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List what was shared under obligations: by peers (←) and by us (→).

    \b
    Examples:
      comity item list ca
    """
    from comity.node.bootstrap import open_node
    from comity.node.pages.item_page import item_row

    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "items.listed", actor=console_actor())
        rows = [item_row(node, tx, item) for item in tx.items.all()]
    if as_json:
        print_json(rows)
        return
    table = table_of("item", "", "from", "case", "for", "state", "until", whole=("item",))
    for row in rows:
        table.add_row(
            *shown(
                row["id"], "→" if row["direction"] == "out" else "←", ", ".join(row["originators"]), row["case"],
                ", ".join(row["audience"]) or "nobody", row["state"], row["retain_until"][:10],
            )
        )  # fmt: skip
    out.print(table if rows else "Nothing was shared yet.")
