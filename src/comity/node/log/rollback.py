"""Stop publishing when it is shown that our log was put back, until it is whole again. Fails closed.

The proof is a checkpoint that our own key signed and that the published log does not continue. It lies in
`DIR/log-contradicted.note` and is weighed again before anything is published: once the log and database that it
is about are restored, it contradicts nothing any more and is put away. There is no other way around it but a new
log under a new name.
"""

from pathlib import Path

from comity.backends.files import sync_folder, write_durably
from comity.errors import InputError, StorageError, TrustError
from comity.ledger import LogRolledBack, read_checkpoint
from comity.ledger.rollback import contradiction
from comity.node.bootstrap import Node
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.note import VerifierKey

CONTRADICTED = "log-contradicted.note"


def contradicted_file(node: Node) -> Path:
    return node.home.path / CONTRADICTED


def is_contradicted(node: Node) -> bool:
    """Is there a proof that has not been answered?"""
    return contradicted_file(node).exists()


def weigh(node: Node, raw: bytes, own: VerifierKey) -> str:
    """Why the note `raw` shows that our log was put back; empty if it shows nothing.

    `InputError` or `TrustError` if it is no checkpoint by our own log's key `own`: then it is only somebody's word.
    """
    seen, _ = open_checkpoint(raw, [own])
    return contradiction(node.log, _published(node, own), seen)


def stop(node: Node, raw: bytes, *, witness: str, problem: str) -> None:
    """Keep the proof, durably, so that nothing is published any more; recorded as an alarm once a note."""
    file = contradicted_file(node)
    if not file.exists():
        write_durably(file, raw)
    text = raw.decode("utf-8", "replace")
    with node.records.transaction() as tx:
        known = [one.body for one in tx.events.of_kinds(["alarm.log-contradicted"])]
        if not any(one["seen"] == text for one in known):
            node.record(
                tx, "alarm.log-contradicted", actor="node", witness=witness, problem=problem, seen=text
            )


def refuse_contradicted(node: Node, own: VerifierKey) -> None:
    """`LogRolledBack` while the proof stands; to be called before publishing."""
    file = contradicted_file(node)
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"it could not be read: {error.strerror}", where=str(file)) from error
    try:
        problem = weigh(node, raw, own)
    except (InputError, TrustError) as error:
        problem = str(error)
    if problem:
        raise LogRolledBack(problem, where=str(file))
    file.unlink(missing_ok=True)
    sync_folder(file.parent)


def _published(node: Node, own: VerifierKey) -> Checkpoint | None:
    found = read_checkpoint(node.log, own)
    return found[0] if found else None
