"""`comity team show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.joint_arguments import Team as TeamId
from comity.entrypoints.cli.joint_arguments import entry_document, utc
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.node.joint.team import Team

_TEXTS = ("purpose", "evidence", "evaluation", "costs", "data_protection")


def team_show(folder: NodeDir, team: TeamId, as_json: AsJson = False) -> None:
    """Show a team: its agreement and digest, who has signed, what its members shared, and the head of each chain.

    Compare the heads with another member's: where they differ after all messages have come, somebody was shown
    something else.

    \b
    Examples:
      comity team show ca team-5f0c…
      comity team show ca team-5f0c… --json
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.team import team_named

    found = team_named(open_node(folder), team, actor=console_actor())
    if as_json:
        print_json(team_document(found))
        return
    one = found.standing
    body = one.agreement.body
    out.print(*shown(f"{found.space.id}: {one.state.value.upper()} ({one.why})"), highlight=False)
    out.print(*shown(f"  {body.get('title', 'withheld')}; led by {body.get('leader', '–')}"), highlight=False)
    out.print(f"  digest of the agreement: {one.agreement.digest}", highlight=False)
    for name in _TEXTS:
        out.print(*shown(f"  {name.replace('_', ' ')}: {body.get(name, 'withheld')}"), highlight=False)
    parties = table_of("member", "authority", "powers", "signed", "entries", "head")
    for party in body.get("parties", ()):
        who = party["member"]
        number, head = found.heads.get(who, (0, ""))
        state = "left" if who not in one.present else "no" if who in one.unsigned else "yes"
        parties.add_row(
            *shown(who, party["authority"], party["powers"], state, str(number), head[:16] or "–")
        )
    out.print(parties)
    for who, number in found.lacking.items():
        out.print(
            *shown(f"  entry {number} of {who} has not come here; others have seen it"), highlight=False
        )
    for each in found.entries:
        said = each.withheld or str(each.body.get("text") or "")
        if each.entry.kind in ("team.share", "team.evaluation", "team.leave") and not one.unsigned:
            what = f"{each.entry.kind.partition('.')[2]} {each.body.get('title', '')}".rstrip()
            out.print(*shown(f"  {utc(each.entry.at)} {each.entry.author}, {what}: {said}"), highlight=False)


def team_document(found: Team) -> dict[str, object]:
    """As JSON: the agreement, who has signed, the heads, and every entry."""
    one = found.standing
    return {
        "team": found.space.id, "state": one.state.value, "why": one.why, "until": one.until.isoformat(),
        "agreement": dict(one.agreement.body), "digest": one.agreement.digest, "present": list(one.present),
        "unsigned": list(one.unsigned), "lacking": dict(found.lacking),
        "heads": {who: {"number": number, "digest": digest} for who, (number, digest) in found.heads.items()},
        "entries": [entry_document(each) for each in found.entries],
    }  # fmt: skip
