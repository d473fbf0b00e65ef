"""A log that told two stories: two signed checkpoints that cannot both be true. Pure.

Two checkpoints of one size with different roots, signed by the log's own key, need nothing else to be
believed: anyone with the log's verifier key can check them. That a larger checkpoint was not shown to
continue a smaller one is a reason to ask, not a proof: whoever sent it may have sent a wrong Merkle proof.
"""

from dataclasses import dataclass

from comity.errors import InputError
from comity.proofs.checkpoint import open_checkpoint
from comity.proofs.note import VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStories:
    """The signed notes, byte for byte: `trusted` came first. `conclusive` as the module explains."""

    origin: str
    trusted: bytes
    offered: bytes
    conclusive: bool


def check_split_view(first: bytes, second: bytes, key: VerifierKey, *, origin: str = "") -> TwoStories:
    """Return the proof that the log of `key` signed two trees of one size.

    `TrustError` if either note is not signed by `key`; `InputError` if they do not contradict each other.
    """
    one, _ = open_checkpoint(first, [key], origin=origin)
    two, _ = open_checkpoint(second, [key], origin=origin)
    if one.size != two.size or one.root == two.root:
        raise InputError.because(
            expected="two checkpoints of one size with different roots",
            got=f"sizes {one.size} and {two.size}, roots {one.root.hex()} and {two.root.hex()}",
        )
    return TwoStories(origin=one.origin, trusted=first, offered=second, conclusive=True)
