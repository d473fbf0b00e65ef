"""`comity demo`."""

import json
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from comity.entrypoints.cli.terminal import err, out
from comity.errors import Conflict


def demo(
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the summary for machines.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 1,
    transfers: Annotated[int, typer.Option(help="Transfers in each country's book, at least.")] = 200_000,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the nodes in this new directory.")
    ] = None,
    serve: Annotated[
        bool, typer.Option(help="Keep the nodes up until Ctrl-C and print their addresses.")
    ] = False,
) -> None:
    """Watch a stolen payment be followed and held across borders, on five real nodes.

    Canada takes the report; the money is followed to Hong Kong, Thailand, back to Hong Kong, into Cambodia
    and out to a wallet; each node traces in its own book only. One node refuses a request, one is killed in
    the middle. At the end everything is checked against the ground truth and one pooled trace.

    \b
    Examples:
      comity demo
      comity demo --serve
      comity demo --seed 7 --transfers 300000 --json summary.json --keep ./nodes
    """
    folder = _folder(keep)
    signal.signal(signal.SIGTERM, _stop_nodes_too)
    try:
        ok = _run(folder, json_file, seed=seed, transfers=transfers, serve=serve, kept=keep is not None)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(0 if ok else 1)


def _run(folder: Path, json_file: Path | None, *, seed: int, transfers: int, serve: bool, kept: bool) -> bool:
    from comity.entrypoints.demo.play import Play
    from comity.entrypoints.demo.screen import Screen, show
    from comity.entrypoints.demo.stage import build
    from comity.entrypoints.demo.summary import summarise
    from comity.entrypoints.demo.verdict import judge

    started = time.monotonic()
    with Screen(err) as screen:
        stage = build(folder, seed=seed, transfers=transfers, say=screen.say)
        play = Play(stage=stage, on_look=screen.look)
        try:
            screen.say("starting five node processes")
            play.run()
            screen.say("checking against the ground truth and one pooled trace over all books")
            verdict = judge(play)
            summary = summarise(
                play, verdict, seed=seed, transfers=transfers, seconds=time.monotonic() - started
            )
        except BaseException:
            stage.stop()
            raise
    show(out, summary)
    if kept:
        out.print(f"The nodes are in {folder}", highlight=False)
    if json_file is not None:
        json_file.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    try:
        if serve:
            _serve(stage.passwords, summary)
    finally:
        stage.stop()
    return verdict.holds


def _serve(passwords: dict[str, dict[str, str]], summary: dict[str, list[dict[str, str]]]) -> None:
    out.print("\n[bold]The nodes are up.[/] Ctrl-C stops them. Sign in as an analyst to read the case.")
    for node in summary["nodes"]:
        words = "   ".join(f"{name} {word}" for name, word in passwords[node["node"]].items())
        out.print(f"  {node['name']:<42} {node['pages']}   {words}", highlight=False, soft_wrap=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        out.print("stopping")


def _stop_nodes_too(_number: int, _frame: object) -> None:
    """End as Ctrl-C does, so that no node process is left behind."""
    raise KeyboardInterrupt


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="comity-demo-"))
    if keep.exists() and any(keep.iterdir()):
        raise Conflict.because(
            expected="a new or empty directory", got=str(keep), remedy="Choose another directory for --keep."
        )
    keep.mkdir(parents=True, exist_ok=True)
    return keep
