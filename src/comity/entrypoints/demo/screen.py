"""What the demo looks like in a terminal: progress while it runs, then the summary and the checks."""

from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from comity.entrypoints.cli.terminal import money
from comity.entrypoints.demo.cast import CAST, KILLED
from comity.entrypoints.demo.play import Play, Seen
from comity.entrypoints.plain_text import plain
from comity.node.pages.event_words import is_step, summary_of

_SHOWN = 14
_NAMES = {actor.id: "Oversight" if actor.oversight else actor.name.split(":")[0] for actor in CAST}


class Screen:
    """A live view on a terminal; plain lines where there is none."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = ""
        self._printed = 0
        self._play: Play | None = None
        self._live = Live(console=console, refresh_per_second=8, transient=True, get_renderable=self._render)

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def say(self, step: str) -> None:
        """What is being done now."""
        self._step = step
        if not self._console.is_terminal:
            self._console.print(f"· {step}", highlight=False)

    def look(self, play: Play) -> None:
        """Take up what has happened since the last look."""
        self._play = play
        self._step = "the nodes are at work"
        if self._console.is_terminal:
            return
        fresh = [one for one in play.seen[self._printed :] if _telling(one)]
        self._printed = len(play.seen)
        for one in fresh:
            self._console.print(_line(play, one), soft_wrap=True)

    def _render(self) -> Group:
        parts: list[Any] = [Text(f"  {self._step} …", style="bold")]
        if self._play is not None:
            parts += [_nodes(self._play), Text("")]
            parts += [_line(self._play, one) for one in [s for s in self._play.seen if _telling(s)][-_SHOWN:]]
        return Group(*parts)


def _telling(one: Seen) -> bool:
    return bool(one.event.case_id) and not is_step(one.event)


def _line(play: Play, one: Seen) -> Text:
    since = (one.event.at - play.reported_at).total_seconds() if play.reported_at else 0.0
    line = Text(f"  {since:7.2f} s  ", style="dim")
    line.append(f"{_NAMES[one.node]:<12}", style="bold")
    style = "red" if "refused" in one.event.kind else "green" if one.event.kind == "hold.placed" else ""
    return line.append(plain(summary_of(one.event)), style=style)


def _nodes(play: Play) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    for heading in ("node", "process", "events", "messages", "holds"):
        table.add_column(heading, justify="left" if heading in ("node", "process") else "right")
    for actor in CAST:
        mine = [one.event.kind for one in play.seen if one.node == actor.id]
        down = actor.id == KILLED and play.killed_at is not None and play.back_at is None
        table.add_row(
            actor.name, Text("killed, starting again", style="red") if down else Text("running", style="green"),
            str(len(mine)), str(sum(kind in ("message.queued", "message.received") for kind in mine)),
            str(mine.count("hold.placed")),
        )  # fmt: skip
    return table


def show(console: Console, summary: dict[str, Any]) -> None:
    """The summary: money by state, times, requests, and every check."""
    reported = ", ".join(money(minor, currency) for currency, minor in summary["reported_minor"].items())
    console.print(f"\n[bold]Reported[/] {reported}   case {summary['case']}", highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "traced to rest there", "held"):
        table.add_column(heading, no_wrap=True)
    for heading in ("holds", "first hold", "log", "cosigned"):
        table.add_column(heading, justify="right", no_wrap=True)
    for node in summary["nodes"]:
        first = node["first_hold_seconds"]
        table.add_row(
            _NAMES[node["node"]], _lines(node["traced_minor"]), _lines(node["held_minor"]),
            str(node["holds"] or ""), "" if first is None else f"{first:.1f} s", str(node["log_size"]),
            f"{len(node['cosigned_by'])} of {len(CAST) - 1}",
        )  # fmt: skip
    table.add_row("No book", _lines(summary["beyond_minor"]), "", "", "", "", "")
    console.print(table, width=max(console.width, 92), crop=False)
    console.print("\n[bold]Requests[/]")
    for one in summary["requests"]:
        said = f"refused: {one['refusal']['ground']}" if one["refusal"] else one["state"]
        style = "red" if one["refusal"] else "green"
        console.print(
            f"  {_NAMES[one['peer']]:<12} on {one['basis']:<24} [{style}]{said}[/]", highlight=False
        )
    times = [hold["seconds_after_report"] for hold in summary["holds"]]
    if times:
        console.print(
            f"\n[bold]Time to hold[/] {len(times)} holds, first after {times[0]:.1f} s, last after {times[-1]:.1f} s",
            highlight=False,
        )
    console.print("\n[bold]Checks[/]")
    for check in summary["checks"]:
        mark = "[green]✓[/]" if check["held"] else "[bold red]✗[/]"
        console.print(f"  {mark} {check['name']}  [dim]{check['detail']}[/]", highlight=False, soft_wrap=True)
    said = "[bold green]All checks held[/]" if summary["ok"] else "[bold red]A CHECK FAILED[/]"
    console.print(f"\n{said} in {summary['seconds']:.0f} s", highlight=False)


def _lines(amounts: dict[str, int]) -> str:
    return "\n".join(money(minor, currency) for currency, minor in amounts.items())
