"""`comity log verify`: check a published log from its files alone; in a node's directory, its events too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from comity.backends.sql import Records
from comity.entrypoints.cli.arguments import read_bytes
from comity.entrypoints.cli.log_place import key_for, log_reader, policy_in, witness_key_of
from comity.entrypoints.cli.terminal import out, print_json, progress
from comity.errors import InputError
from comity.ledger import LogReader, LogWrong, Policy, Verdict, verify_log
from comity.node.bootstrap import open_node, open_records
from comity.node.home import Home, read_settings
from comity.proofs.note import VerifierKey

_NOT_PINNED = "taken from the log itself; pin it with --key"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the log must have besides being whole."""

    witnesses: list[VerifierKey]
    quorum: int
    policy: Policy | None
    seen: bytes | None


def log_verify(
    log: Annotated[
        str,
        typer.Argument(metavar="DIR|URL", help="A node's directory, a log directory, or http(s)://…/log."),
    ],
    key: Annotated[
        str | None, typer.Option("--key", metavar="VKEY", help="The log's verifier key, from its operator.")
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", metavar="VKEY", help="A witness's cosignature key; repeat for several."),
    ] = None,
    quorum: Annotated[
        int | None,
        typer.Option("--quorum", min=0, help="How many of the witnesses must have cosigned (default: all)."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="C2SP tlog-policy: logs, witnesses and their quorum."),
    ] = None,
    seen: Annotated[
        Path | None,
        typer.Option(
            "--seen", metavar="FILE", help="A checkpoint kept from before, which the log must continue."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Check a log: signature, every tile of every level, root, cosignatures.

    Every hash is computed anew from the entries. The first thing that is
    wrong is named, with its file and place, and the exit status is 3.
    In a node's directory the entries are also compared with the events in
    its database, and the members of its compact are looked for as witnesses.
    A checkpoint that was kept from an earlier check shows with --seen that
    nothing was taken out, put in or dated back since.

    \b
    Examples:
    comity log verify ./node-ca
    comity log verify https://node.example/log --key example.org/log+1a2b3c4d+AQ...
    comity log verify ./node-ca --witness oversight.example+5e6f7a8b+BA... --json
    comity log verify https://node.example/log --policy witnesses.policy --seen kept.checkpoint
    """
    witnesses = [witness_key_of(text) for text in witness or []]
    needed = len(witnesses) if quorum is None else quorum
    home = Home(Path(log))
    if not witnesses and home.settings_file.is_file():
        witnesses = _members(home)
    if needed > len(witnesses):
        raise InputError.because(
            expected=f"at least {needed} different --witness keys", got=str(len(witnesses))
        )
    asked, kept = policy_in(policy), None if seen is None else read_bytes(seen)
    with log_reader(log) as reader:
        found, pinned = key_for(reader, key, asked)
        records = _database(home)
        verdict = _verify(reader, found, _Asked(witnesses, needed, asked, kept), records)
    erased = _erased(records)
    if as_json:
        print_json(verdict_json(verdict, pinned=pinned) | ({} if erased is None else {"erased": erased}))
    else:
        _show(verdict, pinned=pinned, erased=erased)
    if verdict.fault is not None:
        raise LogWrong(verdict.fault)


def verdict_json(verdict: Verdict, *, pinned: bool) -> dict[str, Any]:
    """The verdict for programs: `ok`, what was signed, who cosigned, and the first `fault` (or null)."""
    checkpoint, fault = verdict.checkpoint, verdict.fault
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
        "fault": {"file": fault.file, "index": fault.index, "problem": fault.problem} if fault else None,
    }  # fmt: skip


def _members(home: Home) -> list[VerifierKey]:
    """Whose cosignatures a node can expect: those of the other members of its compacts."""
    return [VerifierKey.parse(one.witness_key) for one in open_node(home.path).peers().values()]


def _database(home: Home) -> Records | None:
    """The node's own events, to compare the log with, where we stand in the node's directory.

    `StorageError` if its database cannot be reached: a copy of its log/ alone is checked from the files.
    """
    return open_records(home, read_settings(home)) if home.settings_file.is_file() else None


def _verify(reader: LogReader, key: VerifierKey, asked: _Asked, records: Records | None) -> Verdict:
    if records is None:
        return _check(reader, key, asked, None)
    with records.reading() as tx:
        return _check(reader, key, asked, tx.events.recomputed_entries)


def _check(
    reader: LogReader, key: VerifierKey, asked: _Asked,
    expected: Callable[[int, int], list[bytes]] | None,
) -> Verdict:  # fmt: skip
    with progress("checking entries") as bar:
        task = bar.add_task("", total=None)
        return verify_log(
            reader, key, asked.witnesses, quorum=asked.quorum, policy=asked.policy, seen=asked.seen,
            expected_entries=expected,
            progress=lambda done, total: bar.update(
                task, completed=done, total=total, description=f"{done:,} of {total:,}"
            ),
        )  # fmt: skip


def _erased(records: Records | None) -> int | None:
    """How many events of the node's database were erased: their entries are in the log and say nothing."""
    if records is None:
        return None
    with records.reading() as tx:
        return tx.events.count_erased()


def _show(verdict: Verdict, *, pinned: bool, erased: int | None = None) -> None:
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
        yield "log", Text(checkpoint.origin)
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
    yield (
        "key",
        Text(str(verdict.key), overflow="fold").append("" if pinned else f"\n{_NOT_PINNED}", style="yellow"),
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"
