"""Arguments that the commands of joint work share, and how their times are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.entrypoints.cli.arguments import read_bytes
from comity.errors import InputError

if TYPE_CHECKING:
    from comity.node.joint.space import ShownEntry

Operation = Annotated[str, typer.Argument(metavar="OPERATION", help="Its id: comity operation list DIR.")]
Team = Annotated[str, typer.Argument(metavar="TEAM", help="Its id: comity team list DIR.")]
CompactName = Annotated[
    str | None,
    typer.Option("--compact", metavar="NAME", help="In which compact, if the node has joined several."),
]


def document_in(file: Path) -> Any:
    """What a person wrote in a YAML or JSON file."""
    from comity.law.strict_yaml import parse_yaml

    try:
        return parse_yaml(read_bytes(file).decode("utf-8"), where=str(file))
    except UnicodeDecodeError as error:
        raise InputError.because(expected="a file in UTF-8", got=str(error), where=str(file)) from error


def local(at: datetime, zone: str) -> str:
    """`2026-03-04 05:30 +07 Asia/Bangkok`: as clocks show it there."""
    from comity.backends.transfers.zones import Zone

    there = at.astimezone(Zone.named(zone).tz)
    return f"{there:%Y-%m-%d %H:%M %z} {zone}"


def utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def entry_document(one: ShownEntry) -> dict[str, object]:
    """An entry as JSON: its place in its author's chain, and what it says unless that is withheld."""
    entry = one.entry
    return {
        "author": entry.author, "number": entry.number, "kind": entry.kind, "at": entry.at.isoformat(),
        "by": entry.by, "digest": entry.digest, "previous": entry.previous, "body": dict(one.body),
        "withheld": one.withheld,
    }  # fmt: skip
