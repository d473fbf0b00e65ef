"""Log entries: salted commitments to events, never the events (design §5; spec/log.md §1). Pure.

An event is taken apart into fields: `actor`, `at`, `case`, `id`, `kind` and every member of its body
(`body.x`). Each is hashed with a salt of its own, and the entry is the hash over the sorted field digests, so
that the holder can show some fields and keep the others (`ledger.disclose`; the idea is RFC 9901, SD-JWT).
Without the salt an entry says nothing; destroying the salt makes it say nothing for ever. What stays visible
to whoever is shown one field: how many fields there are.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

import msgspec

from comity.errors import InputError, TrustError
from comity.model import Event
from comity.proofs.canonical import canonical_bytes

ENTRY_SIZE = 32
SALT_SIZE = 32
MAX_FIELDS = 4096
TOP_FIELDS = ("actor", "at", "case", "id", "kind")
"""The fields that every event has once; all others are members of its body."""
BODY = "body."

_EVENT_DOMAIN = b"comity/event/v2\n"
_FIELD_DOMAIN = b"comity/field/v2\n"
_SALTS_DOMAIN = b"comity/salts/v2\n"
_INT64 = 2**63
_WORDS = {True: b"true", False: b"false"}


class EntryRefused(TrustError):
    """What is shown of an event is not what the log entry commits to."""

    code = "ledger.entry-refused"


class Fields:
    """An event taken apart: its `raw` bytes, `at` in text, canonical `[name,value]` of each field in name order.

    A plain class, as one is made for every event.
    """

    __slots__ = ("_members", "at", "raw", "texts")

    def __init__(self, raw: bytes, at: str, members: Sequence[str], texts: Sequence[bytes]) -> None:
        self.raw = raw
        self.at = at
        self.texts = texts
        self._members = members

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, as `texts` has them."""
        return ("actor", "at", *(BODY + name for name in self._members), "case", "id", "kind")

    def salts(self, salt: bytes) -> list[bytes]:
        """The salt of each field: 32 bytes of SHAKE-256 a field, out of the event's own."""
        run = self._salts(salt)
        return [run[at : at + SALT_SIZE] for at in range(0, len(run), SALT_SIZE)]

    def entry(self, salt: bytes) -> bytes:
        """The entry that commits to these fields under `salt`: 32 random bytes, used once."""
        sha256, run, at = hashlib.sha256, self._salts(salt), 0
        digests = []
        for text in self.texts:  # `field_digest`, written out: this runs for every field of every event
            digests.append(sha256(_FIELD_DOMAIN + run[at : at + SALT_SIZE] + text).digest())
            at += SALT_SIZE
        return entry_of(digests)

    def _salts(self, salt: bytes) -> bytes:
        if len(salt) != SALT_SIZE:
            raise InputError.because(expected=f"a salt of {SALT_SIZE} bytes", got=str(len(salt)))
        return hashlib.shake_256(_SALTS_DOMAIN + salt).digest(SALT_SIZE * len(self.texts))


def field_digest(salt: bytes, text: bytes) -> bytes:
    """What stands in an entry for one field: `text` is its canonical `[name,value]`."""
    return hashlib.sha256(_FIELD_DOMAIN + salt + text).digest()


def entry_of(digests: Sequence[bytes]) -> bytes:
    """The entry over these field digests, in whatever order they come: they are hashed sorted."""
    return hashlib.sha256(
        _EVENT_DOMAIN + len(digests).to_bytes(4, "big") + b"".join(sorted(digests))
    ).digest()


def fields_of(event: Event) -> Fields:
    """Take an event apart; `InputError` if its body is no JSON or `at` has no zone."""
    if event.at.utcoffset() is None:
        raise InputError.because(expected="a time with its zone", got=event.at.isoformat(), where=event.id)
    return _fields(event.actor, _time(event.at), event.case_id, event.id, event.kind, event.body)


def event_bytes(event: Event) -> bytes:
    """The one byte string that stands for `event`; `InputError` if body is no JSON or `at` has no zone."""
    return fields_of(event).raw


def read_fields(event: bytes) -> Fields:
    """Take event bytes apart; `InputError` unless they are the one canonical spelling of an event."""
    try:
        found = msgspec.json.decode(event)
        top = {name: found[name] for name in TOP_FIELDS}
        if any(type(value) is not str for value in top.values()) or type(found["body"]) is not dict:
            raise TypeError("a field of another type")
        fields = _fields(top["actor"], top["at"], top["case"], top["id"], top["kind"], found["body"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, KeyError) as error:
        raise InputError.because(
            expected="the bytes of an event", got=str(error) or "another form"
        ) from error
    if fields.raw != event:
        raise InputError.because(expected="the canonical bytes of an event", got="another spelling")
    return fields


def commit(event: bytes, salt: bytes) -> bytes:
    """Return the entry for these event bytes; `salt` is 32 random bytes, used once."""
    return read_fields(event).entry(salt)


def check_entry(entry: bytes, event: bytes, salt: bytes) -> None:
    """Raise `EntryRefused` unless `entry` commits to these event bytes under `salt`."""
    try:
        found = commit(event, salt)
    except InputError as error:
        raise EntryRefused(f"what is shown is no event with its salt: {error}") from error
    if found != entry:
        raise EntryRefused(f"the event shown does not hash to entry {entry.hex()}")


def field_text(name: str, value: Any) -> bytes:
    """The canonical `[name,value]` of a field."""
    return b"[" + _text(name) + b"," + _value(value) + b"]"


def _fields(actor: str, at: str, case: str, name: str, kind: str, body: Mapping[str, Any]) -> Fields:
    """Encode each name and value once, for both the event's bytes and the fields'."""
    try:
        keys = sorted(body)
    except TypeError as error:
        raise InputError.because(expected="text keys", got=str(error), where=name) from error
    if len(keys) + len(TOP_FIELDS) > MAX_FIELDS:
        raise InputError.because(expected=f"at most {MAX_FIELDS} fields", got=str(len(keys)), where=name)
    by, when, about, own, what = _text(actor), _text(at), _text(case), _text(name), _text(kind)
    texts = [b'["actor",' + by + b"]", b'["at",' + when + b"]"]
    members = []
    for key in keys:
        label, value = _key(key), _value(body[key])
        members.append(label + b":" + value)
        texts.append(b'["body.' + label[1:] + b"," + value + b"]")
    texts += (b'["case",' + about + b"]", b'["id",' + own + b"]", b'["kind",' + what + b"]")
    raw = b'{"actor":%b,"at":%b,"body":{%b},"case":%b,"id":%b,"kind":%b}' % (
        by, when, b",".join(members), about, own, what,
    )  # fmt: skip
    return Fields(raw, at, keys, texts)


def _time(at: datetime) -> str:
    """UTC with six decimals and a Z."""
    return at.astimezone(UTC).isoformat("T", "microseconds")[:26] + "Z"


@lru_cache(maxsize=4096)
def _key(name: object) -> bytes:
    if not isinstance(name, str):
        raise InputError.because(expected="text keys", got=type(name).__name__)
    return _text(name)


def _text(value: str) -> bytes:
    try:
        return encode_basestring(value).encode()
    except UnicodeEncodeError as error:
        raise InputError.because(expected="text that UTF-8 can hold", got="a lone surrogate") from error


def _value(value: Any) -> bytes:
    """The canonical bytes of a body member; plain values without the machinery that nested ones need."""
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is int and -_INT64 <= value < _INT64:
        return b"%d" % value
    if kind is bool:
        return _WORDS[value]
    return canonical_bytes([[value]])[2:-2]  # as deep as it stands in the event, so that it can be read again
