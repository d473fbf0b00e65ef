"""Show some fields of an event and keep the others, provably of one log entry (spec/log.md §1.1). Pure.

A disclosure holds name, salt and value of each field shown and the digest of each that is not: together they
give the entry. Who checks it learns the fields shown and how many there are besides, not their names. What it
cannot show: that a field is not there, unless nothing is hidden; and what the holder put into the event was
true. It is the idea of RFC 9901 (SD-JWT), with sorted digests in place of shuffled ones.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comity.errors import InputError
from comity.ledger.entry import (
    BODY,
    ENTRY_SIZE,
    MAX_FIELDS,
    SALT_SIZE,
    TOP_FIELDS,
    EntryRefused,
    entry_of,
    field_digest,
    field_text,
    read_fields,
)
from comity.ledger.prove import InclusionProof, parse_proof, verify_proof
from comity.proofs.canonical import canonical_bytes, parse_strict
from comity.proofs.checkpoint import Checkpoint
from comity.proofs.merkle import HASH_SIZE
from comity.proofs.note import VerifierKey

FORMAT = "comity-disclosure/1"
FILE_FORMAT = "comity-disclosure-file/1"
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    name: str
    salt: bytes
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """`shown` by name, `hidden` digests in ascending order; well formed, not yet checked against an entry."""

    shown: tuple[ShownField, ...]
    hidden: tuple[bytes, ...]

    def __post_init__(self) -> None:
        names = [field.name for field in self.shown]
        if names != sorted(set(names)) or list(self.hidden) != sorted(set(self.hidden)):
            raise _malformed("names and digests in ascending order, each once", "another order or one twice")
        for field in self.shown:
            _check_field(field)
        if any(len(digest) != HASH_SIZE for digest in self.hidden):
            raise _malformed(f"digests of {HASH_SIZE} bytes", "another length")
        missing = [name for name in TOP_FIELDS if name not in names]
        if len(self.hidden) < len(missing) or len(names) + len(self.hidden) > MAX_FIELDS:
            raise _malformed(
                f"at most {MAX_FIELDS} fields, {', '.join(TOP_FIELDS)} shown or hidden among them",
                f"{len(names)} shown and {len(self.hidden)} hidden",
            )

    def encode(self) -> bytes:
        """Canonical JSON."""
        return canonical_bytes(self.document())

    def document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "hidden": [digest.hex() for digest in self.hidden],
            "shown": [
                {"name": field.name, "salt": field.salt.hex(), "value": field.value} for field in self.shown
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureFile:
    """A disclosure with the proof that its entry is in a log: all that an offline check needs but the keys."""

    disclosure: Disclosure
    proof: InclusionProof

    def encode(self) -> bytes:
        """Canonical JSON and a line feed; `proof` is the text of a `.tlog-proof` (C2SP tlog-proof)."""
        fields = {
            "disclosure": self.disclosure.document(),
            "format": FILE_FORMAT,
            "proof": self.proof.encode().decode("utf-8"),
        }
        return canonical_bytes(fields) + b"\n"


def disclose(event: bytes, salt: bytes, names: Collection[str]) -> Disclosure:
    """Show the fields `names` of an event; `InputError` for a name it does not have."""
    fields = read_fields(event)
    unknown = sorted(set(names) - set(fields.names))
    if unknown:
        raise InputError.because(
            expected=f"fields of this event: {', '.join(fields.names)}", got=", ".join(map(repr, unknown))
        )
    shown, hidden = [], []
    for name, own, text in zip(fields.names, fields.salts(salt), fields.texts, strict=True):
        if name in names:
            shown.append(ShownField(name=name, salt=own, value=parse_strict(text)[1]))
        else:
            hidden.append(field_digest(own, text))
    return Disclosure(shown=tuple(shown), hidden=tuple(sorted(hidden)))


def entry_shown(disclosure: Disclosure) -> bytes:
    """The entry that a disclosure gives."""
    shown = [field_digest(field.salt, field_text(field.name, field.value)) for field in disclosure.shown]
    return entry_of([*shown, *disclosure.hidden])


def check_disclosure(disclosure: Disclosure, entry: bytes) -> dict[str, Any]:
    """The fields shown, by name; `EntryRefused` unless together with the hidden ones they give `entry`."""
    found = entry_shown(disclosure)
    if found != entry or len(entry) != ENTRY_SIZE:
        raise EntryRefused(f"what is shown gives entry {found.hex()}, not {entry.hex()}")
    return {field.name: field.value for field in disclosure.shown}


def check_disclosure_file(
    file: DisclosureFile, keys: Sequence[VerifierKey]
) -> tuple[dict[str, Any], Checkpoint]:
    """The fields shown and the checkpoint they stand under, signed by one of the log's `keys`.

    `TrustError` if the signature does not hold, or the entry that the disclosure gives is not at its place.
    Cosignatures are for the caller to look for, in `file.proof.note`.
    """
    entry = entry_shown(file.disclosure)
    checkpoint = verify_proof(file.proof, entry, keys)
    return check_disclosure(file.disclosure, entry), checkpoint


def parse_disclosure(raw: bytes) -> Disclosure:
    """Read a disclosure; `InputError` for any other form."""
    return _disclosure(parse_strict(raw, where="disclosure", max_bytes=_MOST_BYTES))


def parse_disclosure_file(raw: bytes) -> DisclosureFile:
    """Read a disclosure file; `InputError` for any other form."""
    found = parse_strict(raw, where="disclosure file", max_bytes=_MOST_BYTES)
    fields = _members(found, "disclosure", "format", "proof")
    if fields["format"] != FILE_FORMAT or not isinstance(fields["proof"], str):
        raise _malformed(f"format {FILE_FORMAT} and a proof in text", "another")
    return DisclosureFile(
        disclosure=_disclosure(fields["disclosure"]), proof=parse_proof(fields["proof"].encode("utf-8"))
    )


def _disclosure(found: Any) -> Disclosure:
    fields = _members(found, "format", "hidden", "shown")
    hidden, shown = fields["hidden"], fields["shown"]
    if fields["format"] != FORMAT or not isinstance(hidden, list) or not isinstance(shown, list):
        raise _malformed(f"format {FORMAT} with lists of shown and hidden fields", "another form")
    return Disclosure(
        shown=tuple(_shown(one) for one in shown), hidden=tuple(_bytes(one, HASH_SIZE) for one in hidden)
    )


def _shown(found: Any) -> ShownField:
    fields = _members(found, "name", "salt", "value")
    if not isinstance(fields["name"], str):
        raise _malformed("a field's name in text", type(fields["name"]).__name__)
    return ShownField(name=fields["name"], salt=_bytes(fields["salt"], SALT_SIZE), value=fields["value"])


def _check_field(field: ShownField) -> None:
    if field.name not in TOP_FIELDS and not field.name.startswith(BODY):
        raise _malformed(f"{', '.join(TOP_FIELDS)} or a name below {BODY}", repr(field.name[:120]))
    if field.name in TOP_FIELDS and not isinstance(field.value, str):
        raise _malformed(f"text as {field.name}", type(field.value).__name__)
    if len(field.salt) != SALT_SIZE:
        raise _malformed(f"salts of {SALT_SIZE} bytes", str(len(field.salt)))


def _members(found: Any, *names: str) -> Mapping[str, Any]:
    if not isinstance(found, dict) or sorted(found) != sorted(names):
        raise _malformed(f"an object with {', '.join(names)} and nothing else", str(type(found).__name__))
    return found


def _bytes(found: Any, size: int) -> bytes:
    """Lower-case hexadecimal: the one spelling there is."""
    try:
        raw = bytes.fromhex(found)
    except (TypeError, ValueError) as error:
        raise _malformed(f"{size} bytes in hexadecimal", repr(found)[:120]) from error
    if len(raw) != size or raw.hex() != found:
        raise _malformed(f"{size} bytes in lower-case hexadecimal", repr(found)[:120])
    return raw


def _malformed(expected: str, got: str) -> InputError:
    return InputError.because(expected=expected, got=got, where="disclosure")
