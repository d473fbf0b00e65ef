"""The proof of one event as a file: all that an offline check needs, without the page around it. Pure."""

from comity.errors import Conflict
from comity.node.pages.views import EventProof
from comity.proofs.canonical import canonical_bytes

FORMAT = "comity-event-proof/1"


class NotYetProven(Conflict):
    """No checkpoint covers the event yet."""

    code = "web.not-yet-proven"
    remedy = "Wait for the next checkpoint, a few seconds, and ask again."


def proof_file(proof: EventProof) -> bytes:
    """Canonical JSON. `event` is text: its UTF-8 bytes are what the salted commitment covers."""
    if proof.log_index is None or not proof.checkpoint:
        raise NotYetProven(
            f"expected an event a checkpoint covers, got {proof.event.id}, which waits for one"
        )
    return canonical_bytes(
        {
            "format": FORMAT,
            "log_origin": proof.log_origin,
            "log_key": proof.log_key,
            "log_index": proof.log_index,
            "tree_size": proof.tree_size,
            "event": proof.event_json,
            "salt": proof.salt,
            "entry_hash": proof.entry_hash,
            "inclusion": list(proof.inclusion),
            "checkpoint": proof.checkpoint,
        }
    )
