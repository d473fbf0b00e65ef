"""`comity operation show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.joint_arguments import Operation as OperationId
from comity.entrypoints.cli.joint_arguments import entry_document, local, utc
from comity.entrypoints.cli.terminal import out, print_json, shown, table_of

if TYPE_CHECKING:
    from rich.table import Table

    from comity.node.joint.operation import Operation


def operation_show(
    folder: NodeDir,
    operation: OperationId,
    zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Show times in this zone as well, such as America/Vancouver.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show a joint operation: who acts where and when under whose authority, every member's word, results.

    Each time is shown in UTC and as clocks show it at the place. It goes only where this node itself holds every
    member's go to the plan that stands.

    \b
    Examples:
      comity operation show ca operation-5f0c…
      comity operation show ca operation-5f0c… --zone America/Vancouver
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.operation import operation_named

    found = operation_named(open_node(folder), operation, actor=console_actor())
    if as_json:
        print_json(operation_document(found))
        return
    one = found.standing
    out.print(*shown(f"{found.space.id}: {one.state.value.upper()} ({one.why})"), highlight=False)
    out.print(
        *shown(f"  led by {found.space.founder}; plan {one.version}, {one.plan.digest[:16]}…"),
        highlight=False,
    )
    for who, number in found.lacking.items():
        out.print(
            *shown(f"  entry {number} of {who} has not come here; others have seen it"), highlight=False
        )
    if found.plan is not None:
        out.print(*shown(f"  {found.plan.title}: {found.plan.purpose}"), highlight=False)
        out.print(f"  go is to be said by {utc(found.plan.decide_by)}", highlight=False)
        _print_actions(found, zone)
        for name, text in found.plan.safety.items():
            out.print(*shown(f"  victims' safety, {name.replace('_', ' ')}: {text}"), highlight=False)
        out.print(_words(found))
    for result in one.results:
        counts = ", ".join(
            f"{name.replace('_', ' ')} {count}" for name, count in result.body.get("counts", {}).items()
        )
        out.print(
            *shown(f"  {result.author}: {counts or '–'}; {result.body.get('text', 'withheld')}"),
            highlight=False,
        )


def _print_actions(found: Operation, zone: str) -> None:
    """Each with its times as clocks show them there, in UTC, and in the zone of whoever looks."""
    for one in found.plan.actions if found.plan else ():
        zones = [one.zone, "UTC", *([zone] if zone else [])]
        out.print(
            *shown(f"  {one.member}: {one.deed.value}, {one.place}, under {one.authority}"), highlight=False
        )
        for name in dict.fromkeys(zones):
            out.print(*shown(f"    {local(one.starts, name)} until {local(one.ends, name)}"), highlight=False)
        if one.note:
            out.print(*shown(f"    {one.note}"), highlight=False)


def _words(found: Operation) -> Table:
    table = table_of("member", "says", "because", "at")
    for who in found.space.members:
        word = found.standing.words.get(who)
        if word is None:
            table.add_row(*shown(who, "nothing yet", "–", "–"))
        else:
            why = str(word.body.get("authority") or word.body.get("why"))
            table.add_row(*shown(who, word.kind.partition(".")[2], why, utc(word.at)))
    return table


def operation_document(found: Operation) -> dict[str, object]:
    """As JSON: the plan as it stands, everybody's word, and every entry."""
    one = found.standing
    return {
        "operation": found.space.id, "leader": found.space.founder, "members": list(found.space.members),
        "state": one.state.value, "why": one.why, "silent": list(one.silent), "version": one.version,
        "plan_digest": one.plan.digest, "plan": dict(one.plan.body) if found.plan else None,
        "words": {who: word.kind.partition(".")[2] for who, word in one.words.items()},
        "results": [{"member": each.author, **each.body} for each in one.results], "lacking": dict(found.lacking),
        "entries": [entry_document(each) for each in found.entries],
    }  # fmt: skip
