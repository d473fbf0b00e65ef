"""`comity team list`."""

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of


def team_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List joint investigation teams: who is in, whether each is in force, and until when.

    \b
    Examples:
      comity team list ca
    """
    from comity.entrypoints.cli.team_show import team_document
    from comity.node.bootstrap import open_node
    from comity.node.joint.team import teams

    found = teams(open_node(folder), actor=console_actor())
    if as_json:
        print_json([team_document(one) for one in found])
        return
    table = table_of("team", "title", "members", "stands", "because", whole=("team",))
    for one in found:
        title = str(one.standing.agreement.body.get("title", "(taken back)"))
        members = ", ".join(one.standing.present)
        table.add_row(*shown(one.space.id, title, members, one.standing.state.value, one.standing.why))
    out.print(table if found else "No joint investigation team yet.")
