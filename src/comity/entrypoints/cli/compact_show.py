"""`comity compact show`, and how a compact is shown."""

from typing import Any

from comity.entrypoints.cli.arguments import AsJson, NodeDir
from comity.entrypoints.cli.terminal import out, print_json, table_of
from comity.exchange import Compact
from comity.node.bootstrap import open_node


def compact_show(folder: NodeDir, as_json: AsJson = False) -> None:
    """Show the compact this node has joined: its members, their addresses and the fingerprint.

    \b
    Examples:
      comity compact show hk
      comity compact show hk --json
    """
    compact = open_node(folder).compact()
    if as_json:
        print_json(compact_json(compact))
    else:
        show(compact)


def show(compact: Compact) -> None:
    out.print(f"[bold]{compact.name}[/]  {compact.problem}")
    out.print(f"formed {compact.formed_at:%Y-%m-%d %H:%M} UTC", highlight=False)
    table = table_of(
        "member", "authority", "state", "book of", "peers reach it at", "pages", whole=("member",)
    )
    for member in compact.members:
        covers = ", ".join(member.covers) or "witness only"
        authority = member.authority
        table.add_row(
            member.id, authority.name, authority.jurisdiction, covers, member.endpoint, member.public_url
        )
    out.print(table)
    out.print("fingerprint, to be compared over another channel:")
    groups = compact.fingerprint.split()
    out.print(f"  {' '.join(groups[:8])}\n  {' '.join(groups[8:])}", highlight=False)


def compact_json(compact: Compact) -> dict[str, Any]:
    return {
        "name": compact.name, "problem": compact.problem, "formed_at": compact.formed_at.isoformat(),
        "fingerprint": compact.fingerprint,
        "members": [
            {
                "id": member.id, "name": member.authority.name,
                "jurisdiction": member.authority.jurisdiction, "oversight": member.authority.oversight,
                "covers": list(member.covers), "endpoint": member.endpoint,
                "public_url": member.public_url, "log_key": member.log_key,
                "witness_key": member.witness_key,
            }
            for member in compact.members
        ],
    }  # fmt: skip
