"""Make proofs from a published log: that an entry is in it, that a tree continues another. Reads tiles only.

Also the portable form, C2SP tlog-proof: index, inclusion proof and signed checkpoint in one text that anyone
with the log's key can check offline.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from comity.errors import InputError, NotFound
from comity.ledger.cosign import cosignatures_on
from comity.ledger.ports import LogReader
from comity.ledger.quorum import Finding, Policy, judge
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.merkle import (
    HASH_SIZE,
    HashAt,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    verify_inclusion,
)
from comity.proofs.note import MAX_NOTE_BYTES, UnknownKey, VerifierKey, decode_base64, parse_note
from comity.proofs.tiles import Tile, TileHashes

_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_LONGEST = 63
_MISSING = (
    "Check the log (`comity log verify`); a tree size that was never published has no tiles of its own."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That the entry at `index` is under the checkpoint in the signed note `note`."""

    index: int
    hashes: tuple[bytes, ...]
    note: bytes

    def encode(self) -> bytes:
        """The text of a `.tlog-proof` file."""
        lines = (_HEADER, f"index {self.index}", *(b64encode(value).decode() for value in self.hashes))
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.note


def prove_entry(reader: LogReader, index: int, *, size: int, note: bytes) -> InclusionProof:
    """Prove that entry `index` is in the tree of `size` that the signed checkpoint `note` is about."""
    return InclusionProof(index=index, hashes=prove_inclusion(index, size, _hashes(reader, size)), note=note)


def prove_growth(reader: LogReader, old: int, new: int) -> tuple[bytes, ...]:
    """The consistency proof from size `old` to `new`; empty from size 0, where there is nothing to prove."""
    return prove_consistency(old, new, _hashes(reader, new)) if old else ()


def parse_proof(raw: bytes) -> InclusionProof:
    """Read a `.tlog-proof`; `InputError` for any other form. Extra data is dropped: nobody signed it."""
    if len(raw) > 2 * MAX_NOTE_BYTES:
        raise InputError.because(expected=f"at most {2 * MAX_NOTE_BYTES} bytes", got=str(len(raw)))
    head, found, note = raw.partition(b"\n\n")
    lines = head.decode("utf-8", errors="replace").split("\n")
    if not found or lines[0] != _HEADER:
        raise InputError.because(expected=f"a proof that begins with {_HEADER}", got=repr(lines[0][:60]))
    rest = lines[1:]
    if rest and rest[0].startswith("extra "):
        decode_base64(rest.pop(0).removeprefix("extra "))
    index = _INDEX.fullmatch(rest[0]) if rest else None
    if index is None or len(rest) > 1 + _LONGEST:
        raise InputError.because(expected="a line “index <n>” and up to 63 hashes", got=repr(rest[:1]))
    return InclusionProof(index=int(index[1]), hashes=_parse_hashes(rest[1:]), note=note)


def verify_proof(
    proof: InclusionProof, entry: bytes, keys: Sequence[VerifierKey], *, origin: str = ""
) -> Checkpoint:
    """Return the signed checkpoint `entry` is under; `TrustError` if signature or proof does not hold."""
    checkpoint, _ = open_checkpoint(proof.note, keys, origin=origin)
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What a proof showed: under which checkpoint the entry stands, and what the policy says to that."""

    checkpoint: Checkpoint
    finding: Finding | None


def check_proof(
    proof: InclusionProof, entry: bytes, keys: Sequence[VerifierKey], *, policy: Policy | None = None
) -> Proven:
    """As `verify_proof`, for a log of any of `keys`, each under its own name; the quorum of `policy` is judged.

    A quorum that is not met is for the caller to refuse: the finding says why.
    """
    origin = parse_note(proof.note).text.partition("\n")[0]
    key = next((key for key in keys if key.name == origin), None)
    if key is None:
        names = ", ".join(key.name for key in keys)
        raise UnknownKey(f"expected a checkpoint of {names}, got one of {origin!r}")
    checkpoint = verify_proof(proof, entry, [key])
    if policy is None:
        return Proven(checkpoint=checkpoint, finding=None)
    cosigned = cosignatures_on(parse_note(proof.note), policy.keys)
    return Proven(checkpoint=checkpoint, finding=judge(policy, cosigned, log=key))


def _parse_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    hashes = tuple(decode_base64(line) for line in lines)
    if any(len(value) != HASH_SIZE for value in hashes):
        raise InputError.because(expected=f"hashes of {HASH_SIZE} bytes", got="another length")
    return hashes


def _hashes(reader: LogReader, size: int) -> HashAt:
    def read(tile: Tile) -> bytes:
        raw = reader.read(tile.path)
        if raw is not None:
            return raw
        full = reader.read(tile.full.path)
        if full is None:
            raise NotFound("a tile that the proof needs is missing", where=tile.path, remedy=_MISSING)
        return full[: tile.width * HASH_SIZE]

    return TileHashes(size, read).hash_at
