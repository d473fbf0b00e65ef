"""How anybody checks one event against the log, offline, with standard tools. The text of the proof page."""

from comity.node.pages.views import ProofStep


def proof_steps(public_url: str) -> tuple[ProofStep, ...]:
    """The steps, in order; `public_url` is where the log is served."""
    return (
        ProofStep(
            title="Hash the event",
            detail="Each field of the event is hashed with a salt of its own, derived from the one shown; the entry "
            "is SHA-256 over the sorted digests (spec/log.md §1, with a vector). It must equal the entry hash.",
        ),
        ProofStep(
            title="Follow the inclusion proof to the root",
            detail="The leaf is SHA-256 of one byte 00 and the 32 bytes of the entry (RFC 6962, 2.1); each "
            "hash of the proof joins it from the left or the right (2.1.1), up to the root in the checkpoint.",
        ),
        ProofStep(
            title="Check who signed the checkpoint",
            detail="The checkpoint is a C2SP signed note. The log's key signs it; the other nodes' and the "
            "oversight body's cosignatures say that they saw this tree and that it only ever grew.",
        ),
        ProofStep(
            title="Check the whole log",
            detail="This fetches every entry, computes every hash again and names the first thing that is wrong.",
            command=f"comity log verify {public_url}/log",
        ),
    )
