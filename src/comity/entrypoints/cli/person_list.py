"""`comity person list`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of


def person_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List the people of a node, their roles, whose accounts are one human's, and who stands in for whom.

    \b
    Examples:
      comity person list hk
    """
    from comity.model import human_of
    from comity.node.bootstrap import open_node

    node = open_node(folder)
    with node.records.transaction() as tx:
        node.record(tx, "people.listed", actor=console_actor())
        people, now = tx.people.all(), node.clock()
        deputies = [one for one in tx.deputies.all() if one.holds(now)]
    if as_json:
        print_json(
            [
                {
                    "name": one.id, "role": one.role.value, "human": human_of(one), "added_at": added.isoformat(),
                    "deputy_for": [
                        {"name": each.principal, "until": each.until.isoformat()}
                        for each in deputies if each.deputy == one.id
                    ],
                }
                for one, added in people
            ]
        )  # fmt: skip
        return
    table = table_of("name", "role", "human", "deputy for", whole=("name", "role"))
    for person, _ in people:
        standing = [
            f"{one.principal} until {one.until:%Y-%m-%d %H:%M} UTC"
            for one in deputies
            if one.deputy == person.id
        ]
        table.add_row(*shown(person.id, person.role, human_of(person), "; ".join(standing)))
    out.print(table)
