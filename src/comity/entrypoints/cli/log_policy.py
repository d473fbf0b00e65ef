"""`comity log policy`: the quorum of witnesses that this node's disclosures wait for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from comity.entrypoints.cli.arguments import AsJson, NodeDir, console_actor, read_bytes
from comity.entrypoints.cli.terminal import out, print_json, shown
from comity.errors import InputError

if TYPE_CHECKING:
    from comity.node.log.quorum import Standing


def log_policy(
    folder: NodeDir,
    new: Annotated[
        Path | None, typer.Option("--set", metavar="FILE", help="Check this policy and put it in force.")
    ] = None,
    drop: Annotated[bool, typer.Option("--remove", help="Require no witnesses any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show, set or remove the witnesses that must have cosigned before anything is disclosed.

    The policy is a file in the form of C2SP tlog-policy: witnesses with their
    keys and addresses, groups of them, and the quorum. While it is not met,
    or cannot be read, messages that disclose something wait. A witness with
    an address is asked for its cosignature there.

    \b
    Examples:
    comity log policy ./node-ca
    comity log policy ./node-ca --set witnesses.policy
    comity log policy ./node-ca --remove
    """
    from comity.node.bootstrap import open_node
    from comity.node.log.quorum import install, remove, standing

    if new is not None and drop:
        raise InputError.because(expected="--set or --remove", got="both")
    node = open_node(folder)
    if new is not None:
        install(node, read_bytes(new), actor=console_actor())
    if drop:
        remove(node, actor=console_actor())
    found = standing(node)
    if as_json:
        print_json(standing_json(found))
        return
    _show(found)


def standing_json(found: Standing) -> dict[str, Any]:
    """How the node stands with its witnesses, for programs."""
    asked = found.policy
    return {
        "required": bool(found.problem) or (asked is not None and not asked.asks_nothing),
        "problem": found.problem or None,
        "witnessed_size": found.size,
        "quorum": asked.quorum if asked else None,
        "witnesses": [
            {"name": one.name, "key": str(one.key), "url": one.url or None} for one in asked.witnesses
        ] if asked else [],
        "published": {"met": found.finding.met, "reasons": list(found.finding.reasons)} if found.finding else None,
    }  # fmt: skip


def _show(found: Standing) -> None:
    if found.problem:
        out.print(Text(f"nothing counts as witnessed: {shown(found.problem)[0]}", style="bold red"))
    if found.policy is None:
        if not found.problem:
            out.print("no witnesses are required: disclosures leave as soon as they are recorded")
        return
    out.print(f"witnessed by a quorum: {found.size:,} entries of the log")
    if found.finding is not None:
        out.print("the checkpoint published now:")
        for reason in found.finding.reasons:
            out.print(f"  {shown(reason)[0]}")
