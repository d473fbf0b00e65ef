"""`comity person list`."""

from rich.table import Table

from comity.entrypoints.cli.arguments import AsJson, NodeDir
from comity.entrypoints.cli.terminal import out, print_json


def person_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List the people of a node and their roles.

    \b
    Examples:
      comity person list hk
    """
    from comity.node.bootstrap import open_node

    with open_node(folder).records.reading() as tx:
        people = tx.people.all()
    if as_json:
        print_json(
            [{"name": one.id, "role": one.role.value, "added_at": added.isoformat()} for one, added in people]
        )
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("name")
    table.add_column("role")
    for person, _ in people:
        table.add_row(person.id, person.role.value)
    out.print(table)
