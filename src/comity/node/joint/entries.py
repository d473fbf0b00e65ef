"""Read an entry of a shared space as a peer sent it, and plain fields in the bodies of entries, strictly."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from comity.casework.joint import FIRST, MOST_ENTRIES, MOST_MEMBERS, Entry
from comity.errors import InputError
from comity.exchange.fields import DIGEST, ID, LABEL, Fields

ENTRY = "joint.entry"
"""The type of the message."""
FORMAT = "comity-joint-entry/1"
LONGEST_TEXT = 4_000
LONGEST_LINE = 300
LONGEST_BY = 125
"""Two names of 60 characters, of a deputy and of whom they stand for."""


def read_entry(payload: Mapping[str, Any]) -> Entry:
    """The entry, exactly as it was hashed: a field too many or written otherwise is refused."""
    fields = Fields(payload, ENTRY)
    if fields.text("format") != FORMAT:
        raise fields.wrong("format", FORMAT, payload["format"])
    seen = fields.nested("seen")
    if len(seen.values) > MOST_MEMBERS:
        raise fields.wrong("seen", f"at most {MOST_MEMBERS} members", len(seen.values))
    entry = Entry(
        space=fields.text("space", form=LABEL), author=fields.text("author", form=ID),
        number=fields.integer("number", least=1, most=MOST_ENTRIES), kind=fields.text("kind", form=LABEL),
        previous=fields.text("previous", form=DIGEST), founding=fields.text("founding", form=DIGEST),
        seen={who: _head(seen, who) for who in seen.values}, at=read_instant(fields, "at"),
        by=fields.text("by", longest=LONGEST_BY), body=fields.nested("body").values,
    )  # fmt: skip
    if entry.document != dict(payload):
        raise InputError.because(expected=f"an entry of format {FORMAT} and nothing else", got="another text")
    return entry


def _head(seen: Fields, who: str) -> tuple[int, str]:
    Fields({"member": who}, ENTRY).text("member", form=ID)
    head = seen.nested(who)
    return head.integer("number", least=1, most=MOST_ENTRIES), head.text("digest", form=DIGEST)


def is_founding(entry: Entry) -> bool:
    return entry.number == 1 and entry.founding == FIRST and entry.previous == FIRST and not entry.seen


def read_instant(fields: Fields, name: str) -> datetime:
    """A UTC time in the one form that we write: 2026-03-10T05:30:00.000000+00:00."""
    text = fields.text(name, longest=32)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise fields.wrong(name, "a time", text) from error
    if found.tzinfo is None or write_instant(found) != text:
        raise fields.wrong(name, "a UTC time such as 2026-03-10T05:30:00.000000+00:00", text)
    return found.astimezone(UTC)


def write_instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def line(fields: Fields, name: str) -> str:
    return fields.text(name, longest=LONGEST_LINE)


def prose(fields: Fields, name: str, *, longest: int = LONGEST_TEXT) -> str:
    """Text of one or several lines, each such that it shows as what it is; not empty."""
    value = fields.values.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise fields.wrong(name, f"text of 1 to {longest} characters", value)
    for one in value.split("\n"):
        Fields({name: one}, fields.where).text_or_empty(name, longest=longest)
    return value


def only(fields: Fields, known: set[str]) -> None:
    """Refuse what this version does not know: an unread field could mean anything."""
    beyond = fields.beyond(known)
    if beyond:
        raise fields.wrong(next(iter(beyond)), f"only {', '.join(sorted(known))}", "more")


def members_of(fields: Fields, name: str = "members") -> tuple[str, ...]:
    found = fields.texts(name, most=MOST_MEMBERS, form=ID)
    if len(found) < 2:
        raise fields.wrong(name, "two members or more", found)
    return found
