"""Where a node keeps a register it has joined: one file, replaced whole, so that a kill leaves the old version.

`register.json` holds the files a mirror serves, and what only this node knows: when another node last said
that they are the newest, and the cards of the past. It is verified again each time it is read.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from comity.backends.files import write_durably
from comity.errors import NotFound, StorageError
from comity.exchange import Card, Compact, read_card, read_register
from comity.exchange.fields import Fields, Malformed, read_object, write_instant
from comity.exchange.register.bundle import MAX_BUNDLE, read_files
from comity.exchange.register.layout import metadata_path
from comity.proofs.canonical import canonical_bytes

STAMP = "register.json"
"""Its modification time changes with every new version."""
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A register as this node holds it. `files` are a mirror's; `past` are cards no version lists any more."""

    files: Mapping[str, bytes]
    fresh_at: datetime
    past: tuple[Card, ...] = ()

    @property
    def anchor(self) -> bytes:
        """Root version 1, whose fingerprint people compared."""
        return self.files[metadata_path("root", 1)]

    def compact(self) -> Compact:
        """Verify everything again, and read it."""
        return read_register(self.files, past=self.past, fresh_at=self.fresh_at)


def read_joined(folder: Path) -> Compact:
    """The compact whose register stands in `folder`, verified again from its anchor on."""
    return load_joined(folder).compact()


def load_joined(folder: Path) -> Joined:
    """Read the file; nothing in it is verified yet."""
    file = folder / STAMP
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise NotFound.because(
            expected="a compact that this node has joined", got=str(folder),
            remedy="Join it: comity compact join DIR FILE.",
        ) from error  # fmt: skip
    except OSError as error:
        raise StorageError(
            f"expected a register that can be read: {error.strerror}", where=str(file)
        ) from error
    fields = read_object(content, where=str(file), max_bytes=2 * MAX_BUNDLE)
    fields.integer("v", least=VERSION, most=VERSION)
    past = tuple(_read_card(one) for one in fields.objects("past", least=0, most=100_000))
    return Joined(files=read_files(fields, "files"), fresh_at=fields.instant("fresh_at"), past=past)


def save_joined(folder: Path, joined: Joined) -> None:
    """Replace the register in `folder`; durable when this returns. Only after `Joined.compact` held."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"the disk refused: {error.strerror}", where=str(folder)) from error
    value = {
        "v": VERSION,
        "files": {path: content.decode("utf-8") for path, content in joined.files.items()},
        "fresh_at": write_instant(joined.fresh_at),
        "past": [_write_card(card) for card in joined.past],
    }
    write_durably(folder / STAMP, canonical_bytes(value))


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Hold the register's lock: reading, verifying and replacing it is one step among all processes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(f"the disk refused: {error.strerror}", where=str(folder)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_card(card: Card) -> dict[str, object]:
    return {
        "card": card.text, "number": card.number, "valid_from": write_instant(card.valid_from),
        "retired_at": "" if card.retired_at is None else write_instant(card.retired_at),
        "revoked_at": "" if card.revoked_at is None else write_instant(card.revoked_at),
        "reason": card.reason,
    }  # fmt: skip


def _read_card(fields: Fields) -> Card:
    text = fields.values.get("card")
    if not isinstance(text, str):
        raise Malformed("expected the card's text", where=fields.where)
    return Card(
        member=read_card(text), number=fields.integer("number", least=1, most=10**6), text=text,
        valid_from=fields.instant("valid_from"),
        retired_at=fields.instant("retired_at") if fields.values.get("retired_at") else None,
        revoked_at=fields.instant("revoked_at") if fields.values.get("revoked_at") else None,
        reason=fields.text_or_empty("reason"),
    )  # fmt: skip
