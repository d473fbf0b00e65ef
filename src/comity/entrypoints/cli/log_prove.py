"""`comity log prove`: a portable proof that an entry is in a log (C2SP tlog-proof)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.entrypoints.cli.arguments import read_bytes
from comity.entrypoints.cli.log_place import LogKey, LogPlace, is_url, key_for, log_reader
from comity.errors import Conflict, InputError, NotFound

if TYPE_CHECKING:
    from comity.ledger import LogReader
    from comity.proofs.checkpoint import Checkpoint
    from comity.proofs.note import VerifierKey

_INDEX = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def log_prove(
    log: LogPlace,
    what: Annotated[
        str,
        typer.Argument(metavar="EVENT|INDEX", help="The id of an event of the node, or a place in the log."),
    ],
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write it (x.tlog-proof).")
    ] = None,
    key: LogKey = None,
    under: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="The signed checkpoint to prove it under."),
    ] = None,
) -> None:
    """Write the proof that an entry is in the log, to be checked anywhere, offline.

    In a node's directory it is made under the newest checkpoint that a quorum
    of witnesses cosigned, if the entry is under that already; otherwise, and
    elsewhere, under the published one.

    \b
    Examples:
    comity log prove ./node-ca event-5f0c3a9d8e7b6c5d --out hold.tlog-proof
    comity log prove https://node.example/log 1024 --key example.org/log+1a2b3c4d+AQ... --out x.tlog-proof
    comity log check-proof hold.tlog-proof --key example.org/log+1a2b3c4d+AQ... --entry 18fc00...
    """
    from comity.backends.files import write_durably
    from comity.ledger import prove_entry, verify_proof

    index = _place(log, what)
    with log_reader(log) as reader:
        found, _ = key_for(reader, key, None)
        checkpoint, note = _covering(log, reader, found, index, under)
        proof = prove_entry(reader, index, size=checkpoint.size, note=note)
        verify_proof(proof, _entry(reader, index, checkpoint.size), [found])
    if to is None:
        sys.stdout.buffer.write(proof.encode())
    else:
        write_durably(to, proof.encode())


def _place(log: str, what: str) -> int:
    """The index, or the place of the event with that id in the node's database."""
    from comity.node.bootstrap import open_records
    from comity.node.home import Home, read_settings

    if _INDEX.fullmatch(what):
        return int(what)
    home = Home(Path(log))
    if is_url(log) or not home.settings_file.is_file():
        raise InputError.because(
            expected="a place in the log (0, 1, …); events are known in a node's directory only",
            got=repr(what),
        )
    with open_records(home, read_settings(home)).reading() as tx:
        opening = tx.events.opening(what)
    if opening is None:
        raise NotFound.because(expected="an event of this node", got=repr(what))
    if opening.log_index is None:
        raise Conflict(
            f"expected an event with a place in the log, got {what}, which has none yet",
            remedy="Start the node; a few seconds later the event is in the log.",
        )
    return opening.log_index


def _covering(
    log: str, reader: LogReader, key: VerifierKey, index: int, under: Path | None
) -> tuple[Checkpoint, bytes]:
    """The checkpoint to prove it under, and its note."""
    from comity.ledger import CHECKPOINT
    from comity.proofs.checkpoint import open_checkpoint

    notes = [read_bytes(under)] if under is not None else [*_witnessed(log), reader.read(CHECKPOINT) or b""]
    sizes = []
    for note in notes:
        checkpoint, _ = open_checkpoint(note, [key])
        if index < checkpoint.size:
            return checkpoint, note
        sizes.append(checkpoint.size)
    raise InputError.because(expected=f"a place below {max(sizes)}", got=str(index))


def _witnessed(log: str) -> list[bytes]:
    from comity.node.log.quorum import WITNESSED

    file = Path(log) / WITNESSED
    return [] if is_url(log) or not file.is_file() else [file.read_bytes()]


def _entry(reader: LogReader, index: int, size: int) -> bytes:
    from comity.ledger.signed_tiles import TileFiles
    from comity.proofs.tiles import ENTRIES, WIDTH, tile_at

    bundle = tile_at(ENTRIES, index // WIDTH, size)
    return TileFiles(reader).entries(bundle)[index % WIDTH]
