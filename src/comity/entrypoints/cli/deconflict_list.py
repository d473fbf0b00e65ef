"""`comity deconflict list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor
from comity.entrypoints.cli.terminal import as_plain, out, print_json, shown, table_of

if TYPE_CHECKING:
    from comity.casework.joint_rounds import Hit
    from comity.node.joint.deconflict_agree import Work


def deconflict_list(folder: NodeDir, as_json: AsJson = False) -> None:
    """List hits with their stage, rounds asked of peers (→) and by peers (←), and what is listed as targets.

    \b
    Examples:
      comity deconflict list ca
      comity deconflict list ca --json
    """
    from comity.node.bootstrap import open_node
    from comity.node.joint.deconflict_agree import work_of

    work = work_of(open_node(folder), actor=console_actor())
    if as_json:
        print_json(_document(work))
        return
    if not (work.targets or work.rounds):
        out.print("No target is listed, and nobody was asked.")
        return
    hits = table_of(
        "same target", "with", "our case", "stage", "until", "their case and contact", whole=("same target",)
    )
    for hit, stage in work.hits:
        hits.add_row(
            *shown(
                hit.reference,
                hit.peer,
                hit.case_id,
                stage,
                f"{hit.expires_at:%Y-%m-%d %H:%M} UTC",
                _told(hit),
            )
        )
    rounds = table_of("round", "", "with", "for", "state", "at", whole=("round",))
    for one in work.rounds:
        way = "→" if one.direction == "out" else "←"
        rounds.add_row(*shown(one.id, way, one.peer, one.purpose, one.state, f"{one.at:%Y-%m-%d %H:%M} UTC"))
    targets = table_of("target", "identifier", "case", "for", "until", whole=("target",))
    for target in work.targets:
        text = f"{target.identifier.kind}:{target.identifier.value}"
        targets.add_row(*shown(target.id, text, target.case_id, target.purpose, f"{target.until:%Y-%m-%d}"))
    for table in (hits, rounds, targets):
        if table.row_count:
            out.print(table)
            out.print()


def _told(hit: Hit) -> str:
    told = hit.told
    return str(told.get("withheld") or (f"{told['case']}: {told['contact']}" if told else "–"))


def _document(work: Work) -> dict[str, object]:
    """As JSON, without what only the matching may know."""
    return {
        "hits": [
            {
                "reference": hit.reference, "peer": hit.peer, "case": hit.case_id, "stage": stage,
                "until": hit.expires_at.isoformat(), "agreed_by": hit.ours_by, "told": as_plain(hit.told),
            }
            for hit, stage in work.hits
        ],
        "rounds": [
            {
                "round": one.id, "direction": one.direction, "peer": one.peer, "purpose": one.purpose,
                "state": one.state, "at": one.at.isoformat(),
            }
            for one in work.rounds
        ],
        "targets": [as_plain(one) for one in work.targets],
    }  # fmt: skip
