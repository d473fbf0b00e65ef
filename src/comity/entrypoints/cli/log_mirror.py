"""`comity log mirror`: keep a verified copy of somebody's log."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import AsJson
from comity.entrypoints.cli.log_place import LogKey, key_for, log_reader, policy_in
from comity.entrypoints.cli.terminal import err, out, print_json, progress
from comity.errors import InputError

if TYPE_CHECKING:
    from comity.ledger import Mirrored, MirrorRefused
    from comity.proofs.note import VerifierKey


def log_mirror(
    log: Annotated[str, typer.Argument(metavar="URL|DIR", help="The log: http(s)://…/log, or a directory.")],
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="Where the copy is or will be.")],
    key: LogKey = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="C2SP tlog-policy whose quorum must have cosigned."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy a log, or bring a copy up to date; the copy is itself a log.

    Every hash is checked before anything is laid down, and only what is new
    is fetched. A log that shows less than was copied before, or another tree,
    is refused: the copy stays as it was, and what was refused is kept beside
    it. Where two of its signed checkpoints contradict each other, the proof
    is written to a file that anybody can check.

    \b
    Examples:
    comity log mirror https://node.example/log ./copy --key example.org/log+1a2b3c4d+AQ...
    comity log mirror https://node.example/log ./copy --policy witnesses.policy
    comity log verify ./copy --key example.org/log+1a2b3c4d+AQ...
    """
    from comity.backends.log_copy import CopyStore
    from comity.ledger import MirrorRefused, mirror

    asked = policy_in(policy)
    if key is None and (asked is None or not asked.logs):
        raise InputError.because(
            expected="--key, or a --policy that names the log", got="neither",
            remedy="Ask the log's operator for its key over a channel you trust (comity log key DIR).",
        )  # fmt: skip
    with log_reader(log) as reader, progress("copying entries") as bar:
        found, _ = key_for(reader, key, asked)
        task = bar.add_task("", total=None)
        try:
            done = mirror(
                reader, CopyStore(copy), found, policy=asked,
                progress=lambda now, total: bar.update(
                    task, completed=now, total=total, description=f"{now:,} of {total:,}"
                ),
            )  # fmt: skip
        except MirrorRefused as error:
            _keep(copy, error)
            raise
    _report(done, found, as_json=as_json)


def _keep(copy: Path, error: MirrorRefused) -> None:
    """What was refused, and the proof if it is one, beside the copy; neither is part of the log."""
    from comity.backends.files import write_durably

    name = hashlib.sha256(error.offered).hexdigest()[:16]
    refused = copy / f".refused-{name}.checkpoint"
    write_durably(refused, error.offered)
    err.print(f"kept: {refused}", highlight=False, markup=False)
    if error.misconduct is not None:
        proof = copy / f".misconduct-{name}.txt"
        write_durably(proof, error.misconduct.encode())
        err.print(f"proof: {proof} (comity log misconduct {proof})", highlight=False, markup=False)


def _report(done: Mirrored, key: VerifierKey, *, as_json: bool) -> None:
    checkpoint = done.checkpoint
    if as_json:
        print_json(
            {
                "origin": checkpoint.origin, "key": str(key), "size": checkpoint.size,
                "root": checkpoint.root.hex(), "before": done.before, "files": done.files,
                "quorum": {"met": done.finding.met, "reasons": list(done.finding.reasons)} if done.finding else None,
            }
        )  # fmt: skip
        return
    out.print(
        f"{checkpoint.origin}: {checkpoint.size:,} entries, {checkpoint.size - done.before:,} of them new, "
        f"{done.files:,} files laid down",
        highlight=False, markup=False,
    )  # fmt: skip
