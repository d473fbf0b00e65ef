"""Signed notes (C2SP signed-note): text, an empty line, lines `— name base64(key id ‖ signature)`. Pure.

Ed25519 only (signature type 0x01 here, 0x04 in `cosignature`). Reading refuses what the specification and
Go's `sumdb/note` refuse, and also base64 that is not the one canonical spelling of its bytes. Signatures by
keys nobody asked about are carried along unread, byte for byte; a bad signature by a known key refuses the
note.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from comity.errors import InputError, TrustError

ED25519 = 0x01
COSIGNATURE = 0x04
COSIGNATURE_HEADER = "cosignature/v1\n"
"""What every cosigned message begins with, so that no plain note may."""
MAX_NOTE_BYTES = 128 * 1024
MAX_SIGNATURES = 100
"""As Go's `sumdb/note`; the specification asks for at least 16."""

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_VKEY = re.compile(r"(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]+=*)")


class UnknownKey(TrustError):
    """The note carries no signature by the key that was asked for."""

    code = "trust.unknown-key"
    remedy = "Ask the log's operator, over another channel, which verifier key is right, and name that one."


class BadSignature(TrustError):
    """A signature line names a known key, and the signature is not by that key over this text."""

    code = "trust.bad-signature"
    remedy = "Do not act on this text. Fetch it again; if it stays so, keep it and ask its operator."


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with the name and signature type it is used under; its text form is a vkey."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE) or len(self.public) != 32:
            raise InputError.because(
                expected="an Ed25519 key (32 bytes, signature type 0x01 or 0x04)",
                got=f"{len(self.public)} bytes of type 0x{self.kind:02x}",
            )

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ 0x0A ‖ type ‖ public key), first four bytes (signed-note, “Signatures”)."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:4]

    def __str__(self) -> str:
        """`<name>+<key id, 8 hex>+<base64(type ‖ public key)>` (signed-note, “Verifier keys”)."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a vkey; `InputError` if its form, its type or its key id is wrong."""
        found = _VKEY.fullmatch(text)
        if found is None:
            raise InputError.because(
                expected="a verifier key such as example.org/log+1a2b3c4d+AQ…=", got=repr(text[:200])
            )
        material = decode_base64(found["key"])
        key = cls(name=found["name"], kind=material[0], public=material[1:])
        if key.key_id.hex() != found["id"]:
            raise InputError.because(
                expected=f"key id {key.key_id.hex()} for this name and key", got=found["id"]
            )
        return key

    def is_signer_of(self, line: "SignatureLine") -> bool:
        """Name and key id both match; says nothing of the signature."""
        return line.name == self.name and line.key_id == self.key_id

    def accepts(self, message: bytes, signature: bytes) -> bool:
        """Is `signature` an RFC 8032 Ed25519 signature of `message` by this key?"""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLine:
    """One signature line; `signature` is what follows the key id, in the form its type defines."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """The line, with its newline."""
        return f"— {self.name} {b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A note as read: `text` ends in a newline and is what was signed. Nothing is verified by reading."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def encode(self) -> bytes:
        return (self.text + "\n" + "".join(map(str, self.signatures))).encode()


class Signer(Protocol):
    """Whoever holds the private key: a file, a card, a module. `sign` is plain Ed25519 over `message`."""

    @property
    def name(self) -> str: ...

    @property
    def public(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A signer whose private key is in memory."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


def verifier_of(signer: Signer) -> VerifierKey:
    """The key that checks notes by `signer` (type 0x01)."""
    return VerifierKey(name=signer.name, kind=ED25519, public=signer.public)


def sign_note(text: str, signer: Signer) -> SignatureLine:
    """Sign `text` with signature type 0x01; never what a cosignature by the same key would cover."""
    check_text(text)
    if text.startswith(COSIGNATURE_HEADER):
        raise InputError.because(expected="a note that does not pose as a cosignature", got=repr(text[:40]))
    key = verifier_of(signer)
    return SignatureLine(name=key.name, key_id=key.key_id, signature=signer.sign(text.encode()))


def parse_note(raw: bytes) -> SignedNote:
    """Read a signed note; `InputError` for any other form. Verifies nothing."""
    if len(raw) > MAX_NOTE_BYTES:
        raise InputError.because(expected=f"a note of at most {MAX_NOTE_BYTES} bytes", got="a longer one")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError.because(expected="a note in UTF-8", got=str(error)) from error
    if _CONTROL.search(whole):
        raise InputError.because(expected="no control characters but newline", got="one in the note")
    text, found, lines = whole.rpartition("\n\n")
    if not found or not lines:
        raise InputError.because(expected="text, an empty line and signature lines", got=repr(whole[:80]))
    return SignedNote(text=text + "\n", signatures=parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[SignatureLine, ...]:
    """Read one or more signature lines, each with its newline."""
    if not lines.endswith("\n"):
        raise InputError.because(expected="signature lines that end in newlines", got=repr(lines[-40:]))
    each = lines[:-1].split("\n")
    if len(each) > MAX_SIGNATURES:
        raise InputError.because(expected=f"at most {MAX_SIGNATURES} signature lines", got=str(len(each)))
    return tuple(_parse_signature(line) for line in each)


def _parse_signature(line: str) -> SignatureLine:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—":
        raise InputError.because(expected="a line “— name base64”", got=repr(line[:80]))
    check_name(name)
    raw = decode_base64(encoded)
    if len(raw) < 5:
        raise InputError.because(expected="a key id and a signature", got=f"{len(raw)} bytes")
    return SignatureLine(name=name, key_id=raw[:4], signature=raw[4:])


def verify_note(note: SignedNote, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Return those of `keys` (type 0x01) that signed `note`.

    `BadSignature` if one of them is named by a line that does not hold; `UnknownKey` if none signed.
    """
    message = note.text.encode()
    signed: list[VerifierKey] = []
    for line in note.signatures:
        for key in keys:
            if not key.is_signer_of(line):
                continue
            if key.kind != ED25519 or not key.accepts(message, line.signature):
                raise BadSignature(f"the signature by {key.name} ({key.key_id.hex()}) does not hold")
            if key not in signed:
                signed.append(key)
    if not signed:
        asked = ", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys) or "nobody"
        by = ", ".join(f"{line.name}+{line.key_id.hex()}" for line in note.signatures)
        raise UnknownKey(f"expected a signature by {asked}, got signatures by {by}")
    return tuple(signed)


def check_name(name: str) -> None:
    """`InputError` unless `name` may name a key: not empty, no Unicode space, plus or control character."""
    if not name or "+" in name or any(mark.isspace() for mark in name) or _CONTROL.search(name):
        raise InputError.because(expected="a key name without spaces and plus signs", got=repr(name[:80]))
    if not _is_utf8(name):
        raise InputError.because(expected="a key name in UTF-8", got=repr(name[:80]))


def check_text(text: str) -> None:
    """`InputError` unless `text` may be the text of a note."""
    if not text.endswith("\n") or _CONTROL.search(text) or not _is_utf8(text):
        raise InputError.because(
            expected="text that ends in a newline, without control characters", got=repr(text[:80])
        )


def decode_base64(text: str) -> bytes:
    """Standard Base 64 (RFC 4648 §4) in its one canonical spelling; `InputError` otherwise."""
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise InputError.because(expected="base64", got=repr(text[:80])) from error
    if not raw or b64encode(raw).decode() != text:
        raise InputError.because(expected="canonical base64 of at least one byte", got=repr(text[:80]))
    return raw


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
