"""Checkpoints of C2SP tlog-checkpoint: what a log says its tree is at one size. Pure.

Three lines (origin, size, root) and any extension lines, as the text of a signed note. A checkpoint is read
as one only after its signature held.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from comity.errors import InputError
from comity.proofs.merkle import HASH_SIZE, MAX_SIZE
from comity.proofs.note import SignedNote, VerifierKey, check_text, decode_base64, parse_note, verify_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """`root` is the RFC 6962 root over the first `size` entries of the log named `origin`."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise InputError.because(
                expected=f"a size from 0 to 2**63 - 1 and a root of {HASH_SIZE} bytes",
                got=f"{self.size} and {len(self.root)} bytes",
            )
        if not all(lines) or any("\n" in line for line in lines):
            raise InputError.because(
                expected="an origin and extension lines that are not empty", got="others"
            )
        check_text(self.text)

    @property
    def text(self) -> str:
        """The note text that is signed and cosigned."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint note; `InputError` for any other form."""
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) < 3:
        raise InputError.because(expected="at least three lines: origin, size, root", got=repr(text[:120]))
    if _SIZE.fullmatch(lines[1]) is None:
        raise InputError.because(expected="a decimal size without leading zeroes", got=repr(lines[1][:40]))
    return Checkpoint(
        origin=lines[0], size=int(lines[1]), root=decode_base64(lines[2]), extensions=tuple(lines[3:])
    )


def open_checkpoint(
    raw: bytes, keys: Sequence[VerifierKey], *, origin: str = ""
) -> tuple[Checkpoint, SignedNote]:
    """Read a signed checkpoint of the log `origin` (or of the first key's name), once its signature holds.

    `InputError` if it is malformed or of another log; `UnknownKey` or `BadSignature` if not signed by `keys`.
    """
    note = parse_note(raw)
    verify_note(note, keys)
    checkpoint = parse_checkpoint(note.text)
    expected = origin or keys[0].name
    if checkpoint.origin != expected:
        raise InputError.because(expected=f"a checkpoint of {expected}", got=f"one of {checkpoint.origin}")
    return checkpoint, note
