"""A matter as the command line shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comity.casework.matter_documents import proposal_document, step_document
from comity.entrypoints.cli.terminal import out, shown, table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.casework import Deadline
    from comity.casework.matter import Matter
    from comity.law.procedures import Procedure
    from comity.node.matters import Opening


def document(matter: Matter) -> dict[str, Any]:
    """The half as `--json` prints it."""
    return {
        "id": matter.id, "procedure": matter.procedure, "version": matter.version, "digest": matter.digest,
        "side": matter.side, "requesting": matter.requesting, "requested": matter.requested,
        "compact": matter.compact, "case": matter.case_id, "state": matter.state, "number": matter.number,
        "chain": matter.chain, "facts": dict(matter.facts), "problem": matter.problem,
        "pending": proposal_document(matter.pending) if matter.pending else None,
        "steps": [step_document(one) for one in matter.steps], "opened_at": matter.opened_at.isoformat(),
        "updated_at": matter.updated_at.isoformat(),
    }  # fmt: skip


def show(matter: Matter, one: Procedure, openings: Sequence[Opening], deadlines: Sequence[Deadline]) -> None:
    arrow = "to" if matter.side == "requesting" else "from"
    out.print(
        f"[bold]{matter.id}[/]  {one.title}, {arrow} {shown(matter.peer)[0]}: {matter.state.replace('_', ' ')}",
        highlight=False,
    )
    out.print(f"  {one.states[matter.state].text}", highlight=False)
    if matter.problem:
        out.print(f"  [bold]the halves disagree:[/] {shown(matter.problem)[0]}", highlight=False)
    if matter.pending:
        out.print(f"  proposed to the other side: {matter.pending.event}", highlight=False)
    for line in deadlines:
        if line.state == "pending":
            kind = "legal" if line.kind == "L" else "target"
            out.print(
                f"  due {line.due_at:%Y-%m-%d %H:%M} UTC ({kind}): {line.name}",
                highlight=False,
            )
    _steps(matter)
    _openings(openings)


def _steps(matter: Matter) -> None:
    table = table_of("step", "at", "event", "state", "decided by", whole=("event",))
    for one in matter.steps:
        who = f"{one.actor.by} ({one.actor.role}, {one.actor.side})"
        table.add_row(*shown(str(one.number), one.at[:16].replace("T", " "), one.event, one.target, who))
    out.print(table)


def _openings(openings: Sequence[Opening]) -> None:
    if not openings:
        out.print("Nothing for this side to decide here.")
        return
    table = table_of("you may", "leads to", "decides", "states", "stands against it", whole=("you may",))
    for one in openings:
        table.add_row(*shown(one.event, one.target, one.who, ", ".join(one.records), one.shut or "nothing"))
    out.print(table)
