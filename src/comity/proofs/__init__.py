"""Proofs: canonical bytes, signatures, sealing, Merkle trees, signed notes. Pure, no I/O."""
