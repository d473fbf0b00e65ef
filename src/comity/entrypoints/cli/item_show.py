"""`comity item show`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.consent_ask import ItemId
from comity.entrypoints.cli.terminal import out, print_json, shown


def item_show(folder: NodeDir, item: ItemId, as_json: AsJson = False) -> None:
    """Show an item's obligations: who gave it, who may have it, for what, what may be done, and its codes.

    Also the codes of other schemes that promise no more (TLP 2.0, PAP, Europol, 3x5x2), and what must be said
    beside them. What it says is in its case: `comity case show`.

    \b
    Examples:
      comity item show ca message-77ab…
    """
    from comity.node.bootstrap import open_node
    from comity.node.pages.item_page import item_page

    node = open_node(folder)
    with node.records.transaction() as tx:
        page = item_page(node, tx, item)
        node.record(tx, "item.read", case_id=page["case"], actor=console_actor(), item=page["id"])
    if as_json:
        print_json(page)
        return
    lines = [
        ("from", ", ".join(page["originators"])), ("state", page["state"]), ("withheld", page["withheld"]),
        ("case", page["case"]),
        ("for", ", ".join(page["audience"]) or "nobody"), ("purposes", ", ".join(page["purposes"]) or "none"),
        *((action.replace("_", " "), permission) for action, permission in page["actions"].items()),
        ("kept until", page["retain_until"][:10]), ("codes", ", ".join(page["codes"])),
        *(("caveat", one) for one in page["caveats"]),
        *((scheme, f"{marked['code']}  {' '.join(marked['besides'])}") for scheme, marked in page["as_codes"].items()),
    ]  # fmt: skip
    out.print(f"[bold]{shown(page['id'])[0]}[/]", highlight=False)
    for name, text in lines:
        if text:
            out.print(f"  {name:<16} {shown(text)[0]}", highlight=False, soft_wrap=True)
