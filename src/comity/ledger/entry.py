"""Log entries: salted commitments to events, never the events (design §5; spec/log.md §1). Pure.

entry = SHA-256("comity/event/v1\\n" ‖ salt ‖ canonical event bytes), 32 raw bytes. Whoever is shown an event
and its salt can check that exactly this event is in the log; without the salt an entry says nothing, and
destroying the salt makes it say nothing for ever.
"""

import hashlib
from datetime import UTC

from comity.errors import InputError, TrustError
from comity.model import Event
from comity.proofs.canonical import canonical_bytes

ENTRY_SIZE = 32
SALT_SIZE = 32
_DOMAIN = b"comity/event/v1\n"


class EntryRefused(TrustError):
    """The event and salt shown are not the ones that the log entry commits to."""

    code = "ledger.entry-refused"


def event_bytes(event: Event) -> bytes:
    """The one byte string that stands for `event`; `InputError` if body is no JSON or `at` has no zone."""
    if event.at.utcoffset() is None:
        raise InputError.because(expected="a time with its zone", got=event.at.isoformat(), where=event.id)
    at = event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = {
        "id": event.id, "at": at.rjust(27, "0"), "kind": event.kind, "case": event.case_id,
        "actor": event.actor, "body": dict(event.body),
    }  # fmt: skip
    return canonical_bytes(fields)


def commit(event: bytes, salt: bytes) -> bytes:
    """Return the entry for these event bytes; `salt` is 32 random bytes, used once."""
    if len(salt) != SALT_SIZE:
        raise InputError.because(expected=f"a salt of {SALT_SIZE} bytes", got=str(len(salt)))
    return hashlib.sha256(_DOMAIN + salt + event).digest()


def check_entry(entry: bytes, event: bytes, salt: bytes) -> None:
    """Raise `EntryRefused` unless `entry` commits to these event bytes under `salt`."""
    if commit(event, salt) != entry:
        raise EntryRefused(f"the event shown does not hash to entry {entry.hex()}")
