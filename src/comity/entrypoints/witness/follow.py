"""Look at logs without being asked: fetch the checkpoint, have the log's tiles show its growth, and judge it.

The same checks as for a request: what is kept is what the log signed and showed to continue what was seen.
"""

import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from comity.backends.log_reader import HttpLogReader
from comity.backends.witness_folder import WitnessFolder
from comity.backends.witness_store import Witnessed
from comity.entrypoints.witness.app import cosign_offered
from comity.errors import ComityError, InputError
from comity.ledger import CHECKPOINT, LogReader, prove_growth, request_body
from comity.proofs.checkpoint import open_checkpoint
from comity.proofs.note import Signer

log = structlog.get_logger()


def look(
    folder: WitnessFolder, signer: Signer, watched: Witnessed, reader: LogReader, *, now: datetime
) -> int:
    """Judge the log's checkpoint of this moment; the status that it would have been answered."""
    raw = reader.read(CHECKPOINT)
    if raw is None:
        raise InputError.because(expected="a checkpoint", got="none", where=watched.key.name)
    offered, _ = open_checkpoint(raw, [watched.key])
    seen = watched.seen.size if watched.seen else 0
    proof = prove_growth(reader, seen, offered.size) if 0 < seen < offered.size else ()
    return cosign_offered(folder, signer, request_body(seen, proof, raw), now=now).status


def follow_all(folder: WitnessFolder, signer: Signer, *, now: datetime) -> None:
    """Look at every log that has an address; a log that cannot be read holds up no other."""
    for watched in folder.records.all():
        if not watched.follow:
            continue
        try:
            with HttpLogReader(watched.follow) as reader:
                status = look(folder, signer, watched, reader, now=now)
            if status != 200:
                log.warning("not accepted", origin=watched.key.name, status=status)
        except ComityError as error:
            log.warning("could not look", origin=watched.key.name, problem=str(error))


def following(
    folder: WitnessFolder,
    signer: Signer,
    *,
    every: float,
    clock: Callable[[], datetime],
    stop: threading.Event,
) -> threading.Thread:
    """A thread that looks every so many seconds until `stop`."""

    def run() -> None:
        while not stop.is_set():
            try:
                follow_all(folder, signer, now=clock())
            except Exception:
                log.exception("will look again")
            stop.wait(every)

    return threading.Thread(target=run, name="follow", daemon=True)
