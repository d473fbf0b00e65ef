"""A log that told two stories: two signed checkpoints that cannot both be true, and the file that proves it. Pure.

Two checkpoints of one size with different roots, signed by the log's own key, need nothing else to be believed:
anyone with the log's verifier key can check them. Two of different sizes need the root that the larger tree has
at the smaller size, with the consistency proof that it has it: then the smaller one, signed too, was another tree.
That a larger checkpoint was *not shown* to continue a smaller one is a reason to ask, not a proof: whoever sent it
may have sent a wrong Merkle proof. File format: spec/log.md, Two stories.
"""

import re
from base64 import b64encode
from dataclasses import dataclass

from comity.errors import InputError
from comity.proofs.checkpoint import Checkpoint, open_checkpoint
from comity.proofs.merkle import HASH_SIZE, verify_consistency
from comity.proofs.note import ED25519, MAX_NOTE_BYTES, VerifierKey, decode_base64

HEADER = "comity/misconduct/v1"
_HEAD = re.compile(
    rf"{HEADER}\nlog (?P<key>[^\n]+)\nfirst (?P<first>[1-9][0-9]{{0,6}})\nsecond (?P<second>[1-9][0-9]{{0,6}})\n"
    r"(?:prefix (?P<prefix>[^\n]+)\n(?P<proof>(?:[^\n]+\n)*))?\n",
    re.ASCII,
)
_MOST_HASHES = 63
_MOST_BYTES = 2 * MAX_NOTE_BYTES + 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStories:
    """The signed notes, byte for byte: `trusted` came first. `conclusive` as the module explains."""

    origin: str
    trusted: bytes
    offered: bytes
    conclusive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Misconduct:
    """Two signed notes of one log, the smaller size first.

    `prefix` and `proof` are empty for equal sizes; otherwise `prefix` is the root of the second's tree at the
    first's size, and `proof` the consistency proof from there to the second's root.
    """

    key: VerifierKey
    first: bytes
    second: bytes
    prefix: bytes = b""
    proof: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The file: a head of lines, an empty line, then both notes, byte for byte."""
        lines = [HEADER, f"log {self.key}", f"first {len(self.first)}", f"second {len(self.second)}"]
        if self.prefix:
            lines.append(f"prefix {b64encode(self.prefix).decode()}")
            lines += [b64encode(value).decode() for value in self.proof]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.first + self.second


@dataclass(frozen=True, slots=True, kw_only=True)
class Conviction:
    """What a misconduct file showed: two trees that `key` signed and that cannot both be true."""

    key: VerifierKey
    first: Checkpoint
    second: Checkpoint

    def __str__(self) -> str:
        one, two = self.first, self.second
        if one.size == two.size:
            return (
                f"{one.origin} signed two trees of {one.size} entries: {one.root.hex()} and {two.root.hex()}"
            )
        return (
            f"{one.origin} signed a tree of {one.size} entries ({one.root.hex()}) that is no beginning of "
            f"the tree of {two.size} entries it also signed ({two.root.hex()})"
        )


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
            remedy="Different sizes need a proof too: `comity log mirror` makes one where a log forked.",
        )
    return TwoStories(origin=one.origin, trusted=first, offered=second, conclusive=True)


def check_misconduct(case: Misconduct, key: VerifierKey) -> Conviction:
    """Return what `case` shows about the log of `key`; `TrustError` or `InputError` if it shows nothing."""
    first, _ = open_checkpoint(case.first, [key])
    second, _ = open_checkpoint(case.second, [key])
    if first.size == second.size:
        check_split_view(case.first, case.second, key)
        if case.prefix or case.proof:
            raise InputError.because(expected="no proof for two trees of one size", got="one")
        return Conviction(key=key, first=first, second=second)
    if first.size > second.size or len(case.prefix) != HASH_SIZE:
        raise InputError.because(
            expected="the smaller tree first, and the root of the larger one at its size",
            got=f"sizes {first.size} and {second.size}, a root of {len(case.prefix)} bytes",
        )
    verify_consistency(first.size, case.prefix, second.size, second.root, case.proof)
    if case.prefix == first.root:
        raise InputError.because(
            expected="two trees that contradict each other", got="a log that grew as it should"
        )
    return Conviction(key=key, first=first, second=second)


def parse_misconduct(raw: bytes) -> Misconduct:
    """Read a misconduct file; `InputError` for any other form. Verifies nothing."""
    if len(raw) > _MOST_BYTES:
        raise InputError.because(expected=f"at most {_MOST_BYTES} bytes", got=str(len(raw)))
    head, _, notes = raw.partition(b"\n\n")
    found = _HEAD.fullmatch(head.decode("utf-8", "replace") + "\n\n")
    if found is None:
        raise InputError.because(expected=f"a file that begins with {HEADER}", got=repr(raw[:60]))
    length = int(found["first"])
    if len(notes) != length + int(found["second"]):
        raise InputError.because(
            expected=f"two notes of {length} and {found['second']} bytes", got=f"{len(notes)} bytes"
        )
    key = VerifierKey.parse(found["key"])
    if key.kind != ED25519:
        raise InputError.because(expected="a log's key (type 0x01)", got=f"one of type 0x{key.kind:02x}")
    return Misconduct(
        key=key, first=notes[:length], second=notes[length:],
        prefix=_hash(found["prefix"]) if found["prefix"] else b"", proof=_hashes(found["proof"] or ""),
    )  # fmt: skip


def _hashes(text: str) -> tuple[bytes, ...]:
    lines = text.splitlines()
    if len(lines) > _MOST_HASHES:
        raise InputError.because(expected=f"at most {_MOST_HASHES} hashes", got=str(len(lines)))
    return tuple(map(_hash, lines))


def _hash(line: str) -> bytes:
    value = decode_base64(line)
    if len(value) != HASH_SIZE:
        raise InputError.because(expected=f"a hash of {HASH_SIZE} bytes", got=f"{len(value)} bytes")
    return value
