"""`comity token list`."""

from comity.entrypoints.cli.arguments import As, AsJson, NodeDir, signed_in
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of


def token_list(folder: NodeDir, as_: As, as_json: AsJson = False) -> None:
    """List the tokens of programs: whose, until when, when last used, and what became of them.

    The tokens themselves are kept nowhere.

    \b
    Examples:
      comity token list hk --as administrator
    """
    from comity.node.bootstrap import open_node
    from comity.node.tokens import listed, standing

    node = open_node(folder)
    found, now = listed(node, by=signed_in(node, as_)), node.clock()
    if as_json:
        print_json([{**as_plain(one), "standing": standing(one, now)} for one in found])
        return
    table = table_of(
        "token", "for", "role", "may", "until", "last used", "standing", "what for", whole=("token",)
    )
    for one in found:
        used = f"{one.last_used_at:%Y-%m-%d %H:%M} UTC" if one.last_used_at else "never"
        table.add_row(
            *shown(
                one.id, one.person, one.role, one.only or "all of the role", f"{one.expires_at:%Y-%m-%d %H:%M} UTC",
                used, standing(one, now), one.note,
            )
        )  # fmt: skip
    out.print(table if found else "No token yet.")
