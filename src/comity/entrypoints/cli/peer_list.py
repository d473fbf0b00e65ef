"""`comity peer list`."""

from typing import Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir
from comity.entrypoints.cli.terminal import out, print_json, table_of

Peer = Annotated[str, typer.Argument(metavar="MEMBER", help="The peer's id.")]


def peer_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List the peers of this node, the compacts they are in, and what this node says of them.

    \b
    Examples:
      comity peer list hk
    """
    from comity.exchange.register.peer_rules import suspended
    from comity.node.bootstrap import open_node

    node = open_node(folder)
    with node.records.reading() as tx:
        rules = tx.peer_rules.all()
    rows = [
        {
            "id": member.id, "compact": name, "key": member.signing_key_id,
            "word": rules[member.id].word.value if member.id in rules else "",
            "kept_out": suspended(member, rules) is not None,
        }
        for name, compact in node.registers().items()
        for member in compact.members
        if member.id != node.id
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    table = table_of("member", "compact", "signing key", "this node says", "kept out", whole=("member",))
    for row in rows:
        table.add_row(
            str(row["id"]), str(row["compact"]), str(row["key"]), str(row["word"]) or "–",
            "yes" if row["kept_out"] else "no",
        )  # fmt: skip
    out.print(table)
