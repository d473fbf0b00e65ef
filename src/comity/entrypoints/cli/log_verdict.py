"""How the verdict on a log is told: to programs, and to people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from comity.entrypoints.cli.terminal import out
from comity.entrypoints.plain_text import plain

if TYPE_CHECKING:
    from comity.ledger import Verdict

_NOT_PINNED = "taken from the log itself; pin it with --key"


def verdict_json(verdict: Verdict, *, pinned: bool, erased: int | None) -> dict[str, Any]:
    """The verdict for programs: `ok`, what was signed, who cosigned, hidden files, and the first `fault` (or null)."""
    checkpoint, fault = verdict.checkpoint, verdict.fault
    of_database = {} if erased is None else {"erased": erased}
    return {
        "ok": verdict.holds,
        "key": str(verdict.key),
        "key_pinned": pinned,
        "origin": checkpoint.origin if checkpoint else None,
        "size": checkpoint.size if checkpoint else None,
        "root": checkpoint.root.hex() if checkpoint else None,
        "time": _time(verdict.dated),
        "entries_checked": verdict.entries_checked,
        "cosigned": [
            {"name": one.key.name, "key": str(one.key), "time": _time(one.at)} for one in verdict.cosigned
        ],
        "not_cosigned": [{"name": key.name, "key": str(key)} for key in verdict.missing],
        "quorum": {"met": verdict.finding.met, "reasons": list(verdict.finding.reasons)} if verdict.finding else None,
        "hidden": list(verdict.hidden),
        "fault": {"file": fault.file, "index": fault.index, "problem": fault.problem} if fault else None,
        **of_database,
    }  # fmt: skip


def show_verdict(verdict: Verdict, *, pinned: bool, erased: int | None) -> None:
    """What was checked and by whom it is cosigned. The fault itself is the error that ends the command."""
    table = Table.grid(padding=(0, 2))
    for name, value in _lines(verdict, pinned=pinned):
        table.add_row(Text(name, style="dim"), value)
    if erased:
        table.add_row(
            Text("erased", style="dim"), Text(f"{erased:,} events: their entries say nothing any more")
        )
    if verdict.holds:
        out.print(Text("✓ the log holds", style="bold green"))
    out.print(table)


def _lines(verdict: Verdict, *, pinned: bool) -> Iterator[tuple[str, Text]]:
    checkpoint = verdict.checkpoint
    if checkpoint is not None:
        yield "log", Text(plain(checkpoint.origin))
        yield "size", Text(f"{checkpoint.size:,} entries, {verdict.entries_checked:,} checked")
        yield "root", Text(checkpoint.root.hex(), overflow="fold")
        if verdict.dated is not None or verdict.holds:
            yield "time", Text(_time(verdict.dated) or "the log did not date it")
    for one in verdict.cosigned:
        yield "cosigned", Text(f"{one.key.name}, {_time(one.at)}")
    for key in verdict.missing:
        yield "not cosigned", Text(key.name, style="yellow")
    for reason in verdict.finding.reasons[-1:] if verdict.finding else ():
        yield "policy", Text(reason, style="green" if verdict.finding and verdict.finding.met else "red")
    for path in verdict.hidden:
        yield "hidden", Text(f"{plain(path)}: no part of the log, and served to nobody", style="yellow")
    yield (
        "key",
        Text(str(verdict.key), overflow="fold").append("" if pinned else f"\n{_NOT_PINNED}", style="yellow"),
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"
