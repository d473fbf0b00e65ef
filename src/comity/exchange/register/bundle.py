"""A register in one file that can be carried by hand: canonical JSON, path → text (spec/register.md §6). Pure.

`files` are those a mirror serves. `proposed` are files that some states have signed and others still must:
nobody acts on them before the thresholds are met.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from comity.errors import InputError
from comity.exchange.fields import Fields, Malformed, read_object
from comity.exchange.register.layout import MAX_METADATA, is_file
from comity.proofs.canonical import canonical_bytes
from comity.proofs.signatures import MAX_JWS

MAX_BUNDLE = 32 * 1024 * 1024
MAX_FILES = 4096
MAX_FILE = max(MAX_METADATA, MAX_JWS)
VERSION = 2


class OldCompactFile(InputError):
    """A compact of version 1: one unsigned document, before there was a register."""

    code = "compact.old-file"
    remedy = "Form the compact again from the members' cards: comity compact create; every member joins it."


class IncompleteRegister(InputError):
    """States have still to sign."""

    code = "register.incomplete"
    remedy = "Each state that is named signs: comity compact sign DIR FILE."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    files: Mapping[str, bytes]
    proposed: Mapping[str, bytes] = field(default_factory=dict)


def write_bundle(bundle: Bundle) -> bytes:
    value: dict[str, Any] = {"v": VERSION, "files": _texts(bundle.files)}
    if bundle.proposed:
        value["proposed"] = _texts(bundle.proposed)
    return canonical_bytes(value)


def read_bundle(document: bytes, *, where: str = "compact") -> Bundle:
    """Check size and form of every file, or raise `Malformed`. Nothing is verified yet."""
    fields = read_object(document, where=where, max_bytes=MAX_BUNDLE)
    if "members" in fields.values and "files" not in fields.values:
        raise OldCompactFile("expected a register (version 2), got a compact file of version 1", where=where)
    fields.integer("v", least=VERSION, most=VERSION)
    proposed = read_files(fields, "proposed") if "proposed" in fields.values else {}
    return Bundle(files=read_files(fields, "files"), proposed=proposed)


def read_files(fields: Fields, name: str) -> dict[str, bytes]:
    """An object of path → text, each path one that a register may have."""
    values = fields.nested(name).values
    if len(values) > MAX_FILES:
        raise fields.wrong(name, f"at most {MAX_FILES} files", len(values))
    found = {}
    for path, text in values.items():
        if not is_file(path):
            raise Malformed(f"{name}: expected paths of a register, got {path!r:.80}", where=fields.where)
        if not isinstance(text, str) or len(text) > MAX_FILE:
            raise Malformed(f"{path}: expected text of at most {MAX_FILE} bytes", where=fields.where)
        found[path] = text.encode("utf-8")
    return found


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: content.decode("utf-8") for path, content in files.items()}
