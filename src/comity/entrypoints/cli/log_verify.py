"""`comity log verify`: check a published log from its files alone; in a node's directory, its events too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import read_bytes
from comity.entrypoints.cli.log_place import (
    LogKey,
    LogPlace,
    PolicyFile,
    Quorum,
    Witnesses,
    key_for,
    log_reader,
    policy_in,
    witnesses_of,
)
from comity.entrypoints.cli.log_verdict import show_verdict, verdict_json
from comity.entrypoints.cli.terminal import print_json, progress

if TYPE_CHECKING:
    from comity.backends.sql import Records
    from comity.ledger import LogReader, Policy, Verdict
    from comity.proofs.note import VerifierKey

_SETTINGS = "node.toml"
"""Where this file is, a node lives, with a database to compare its log with."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the log must have besides being whole."""

    witnesses: list[VerifierKey]
    quorum: int
    policy: Policy | None
    seen: bytes | None


def log_verify(
    log: LogPlace,
    key: LogKey = None,
    witness: Witnesses = None,
    quorum: Quorum = None,
    policy: PolicyFile = None,
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
    wrong is named, with its file and place, and the exit status is 3; hidden
    files that no log has are named as well. A log directory, or a copy of
    one, is checked from its files alone.
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
    from comity.ledger import LogWrong

    witnesses, needed = witnesses_of(witness, quorum, otherwise=lambda: _members(Path(log)))
    asked = _Asked(witnesses, needed, policy_in(policy), None if seen is None else read_bytes(seen))
    with log_reader(log) as reader:
        found, pinned = key_for(reader, key, asked.policy)
        records = _database(Path(log))
        verdict = _verify(reader, found, asked, records)
    erased = _erased(records)
    if as_json:
        print_json(verdict_json(verdict, pinned=pinned, erased=erased))
    else:
        show_verdict(verdict, pinned=pinned, erased=erased)
    if verdict.fault is not None:
        raise LogWrong(verdict.fault)


def _members(folder: Path) -> list[VerifierKey]:
    """Whose cosignatures a node can expect: those of the other members of its compacts. Elsewhere nobody's."""
    if not (folder / _SETTINGS).is_file():
        return []
    from comity.node.bootstrap import open_node
    from comity.proofs.note import VerifierKey

    return [VerifierKey.parse(one.witness_key) for one in open_node(folder).peers().values()]


def _database(folder: Path) -> Records | None:
    """The node's own events, to compare the log with, where we stand in the node's directory.

    `StorageError` if its database cannot be reached: its log/, or a copy of that, is checked from the files alone.
    """
    if not (folder / _SETTINGS).is_file():
        return None
    from comity.node.bootstrap import open_records
    from comity.node.home import Home, read_settings

    home = Home(folder)
    return open_records(home, read_settings(home))


def _verify(reader: LogReader, key: VerifierKey, asked: _Asked, records: Records | None) -> Verdict:
    if records is None:
        return _check(reader, key, asked, None)
    with records.reading() as tx:
        return _check(reader, key, asked, tx.events.recomputed_entries)


def _check(
    reader: LogReader, key: VerifierKey, asked: _Asked,
    expected: Callable[[int, int], list[bytes]] | None,
) -> Verdict:  # fmt: skip
    from comity.ledger import verify_log

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
