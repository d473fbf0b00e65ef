"""`comity log verify`: check a published log from its files alone; in a node's directory, its events too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from comity.backends.log_reader import FileLogReader, HttpLogReader
from comity.backends.sql import Records
from comity.entrypoints.cli.terminal import out, print_json, progress
from comity.errors import InputError, NotFound
from comity.exchange import read_compact
from comity.ledger import LogReader, LogWrong, Verdict, verify_log
from comity.node.home import Home
from comity.proofs.note import COSIGNATURE, ED25519, VerifierKey

_NOT_PINNED = "taken from the log itself; pin it with --key"


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Check a log: signature, every tile of every level, root, cosignatures.

    Every hash is computed anew from the entries. The first thing that is
    wrong is named, with its file and place, and the exit status is 3.
    In a node's directory the entries are also compared with the events in
    its database, and the members of its compact are looked for as witnesses.

    \b
    Examples:
    comity log verify ./node-ca
    comity log verify https://node.example/log --key example.org/log+1a2b3c4d+AQ...
    comity log verify ./node-ca --witness oversight.example+5e6f7a8b+BA... --json
    """
    witnesses = [_witness_key(text) for text in witness or []]
    needed = len(witnesses) if quorum is None else quorum
    home = Home(Path(log))
    if not witnesses and home.compact.is_file():
        witnesses = _members(home)
    if needed > len(witnesses):
        raise InputError.because(
            expected=f"at least {needed} different --witness keys", got=str(len(witnesses))
        )
    with _reader(log) as reader:
        found = _log_key(key) if key is not None else key_in(reader)
        verdict = _verify(reader, found, witnesses, needed, _database(home))
    if as_json:
        print_json(verdict_json(verdict, pinned=key is not None))
    else:
        _show(verdict, pinned=key is not None)
    if verdict.fault is not None:
        raise LogWrong(verdict.fault)


def log_folder(directory: Path) -> Path:
    """The log in a node's directory, or the directory itself if it is a log."""
    if (directory / "log").is_dir():
        return directory / "log"
    if any((directory / name).exists() for name in ("checkpoint", "key", "tile")):
        return directory
    raise NotFound.because(
        expected="a node's directory or a log directory (checkpoint, key, tile/)",
        got=f"{directory}, which {'has neither' if directory.is_dir() else 'is no directory'}",
        remedy="Name the directory that `comity node init` made, or a copy of its log/.",
    )


def key_in(reader: LogReader) -> VerifierKey:
    """The verifier key that lies beside the log."""
    raw = reader.read("key")
    if raw is None:
        raise NotFound.because(
            expected="a file `key` beside the checkpoint", got="none", remedy="Name the log's key with --key."
        )
    return _log_key(raw.decode("utf-8", errors="replace").removesuffix("\n"))


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
        "fault": {"file": fault.file, "index": fault.index, "problem": fault.problem} if fault else None,
    }  # fmt: skip


@contextmanager
def _reader(log: str) -> Iterator[LogReader]:
    if log.startswith(("http://", "https://")):
        with HttpLogReader(log) as reader:
            yield reader
    else:
        yield FileLogReader(log_folder(Path(log)))


def _members(home: Home) -> list[VerifierKey]:
    """Whose cosignatures a node can expect: those of the other members of its compact."""
    compact = read_compact(home.compact.read_bytes())
    own = (home.log / "key").read_text(encoding="utf-8").strip()
    return [VerifierKey.parse(one.witness_key) for one in compact.members if one.log_key != own]


def _database(home: Home) -> Records | None:
    """The node's own events, to compare the log with, where we stand in the node's directory."""
    return Records(home.database) if home.database.is_file() else None


def _verify(
    reader: LogReader, key: VerifierKey, witnesses: list[VerifierKey], quorum: int, records: Records | None
) -> Verdict:
    if records is None:
        return _check(reader, key, witnesses, quorum, None)
    with records.reading() as tx:
        return _check(reader, key, witnesses, quorum, tx.events.recomputed_entries)


def _check(
    reader: LogReader, key: VerifierKey, witnesses: list[VerifierKey], quorum: int,
    expected: Callable[[int, int], list[bytes]] | None,
) -> Verdict:  # fmt: skip
    with progress("checking entries") as bar:
        task = bar.add_task("", total=None)
        return verify_log(
            reader, key, witnesses, quorum=quorum, expected_entries=expected,
            progress=lambda done, total: bar.update(
                task, completed=done, total=total, description=f"{done:,} of {total:,}"
            ),
        )  # fmt: skip


def _log_key(text: str) -> VerifierKey:
    key = VerifierKey.parse(text)
    if key.kind != ED25519:
        raise InputError.because(
            expected="a log's key (signature type 0x01)", got=f"one of type 0x{key.kind:02x}", where="--key"
        )
    return key


def _witness_key(text: str) -> VerifierKey:
    key = VerifierKey.parse(text)
    if key.kind != COSIGNATURE:
        raise InputError.because(
            expected="a cosignature key (type 0x04)", got=f"one of type 0x{key.kind:02x}", where="--witness"
        )
    return key


def _show(verdict: Verdict, *, pinned: bool) -> None:
    table = Table.grid(padding=(0, 2))
    for name, value in _lines(verdict, pinned=pinned):
        table.add_row(Text(name, style="dim"), value)
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
    yield (
        "key",
        Text(str(verdict.key), overflow="fold").append("" if pinned else f"\n{_NOT_PINNED}", style="yellow"),
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"
