"""A letter as values: what it says and in which order. How it looks is the template's, what it says `compose`'s."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A heading or the name of a field: English, and the receiving authority's language ("" if none is asked for, or
    there are no words). `note` is what the field is to hold, `article` the provision that asks for it.
    """

    english: str
    local: str = ""
    note: str = ""
    article: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`value` is JSON: a text, a number, yes or no, a list, a mapping. None is not stated."""

    label: Label
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: Label
    rows: tuple[Row, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An authority as a letter names it. `local` is its own name for itself."""

    authority: str
    local: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Room to sign by hand. `under` stands below the line."""

    label: Label
    under: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter, whole. `language` is that of the words beside the English (`en`: none are).

    `banner` says what nobody may overlook (a draft). `message` is the machine-readable message that is attached, as
    bytes of JSON under the name `message_name`; b"" attaches none. `at` is when the letter was made, UTC.
    """

    reference: str
    at: datetime
    language: str
    sender: Office
    addressee: Office
    references: tuple[Row, ...]
    title: Label
    to: Label
    page: Label
    approval: Section
    markings: tuple[str, ...] = ()
    banner: str = ""
    opening: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    signatures: tuple[Signature, ...] = ()
    notes: tuple[str, ...] = ()
    message: bytes = b""
    message_name: str = "message.json"


def texts_of(value: Any) -> Sequence[str]:
    """Every text in a value, keys too: what fonts must have."""
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (str(key), *texts_of(one))]
    if isinstance(value, (list, tuple)):
        return [text for one in value for text in texts_of(one)]
    return [] if value is None else [str(value)]


def written_in(letter: Letter) -> list[str]:
    """Every text that the letter prints."""
    rows = [*letter.references, *letter.approval.rows, *(row for one in letter.sections for row in one.rows)]
    offices = (letter.sender, letter.addressee)
    return [
        letter.reference, letter.banner, *letter.markings, *letter.opening, *letter.notes,
        *(text for one in offices for text in (one.authority, one.local, one.place)),
        *(one.note for one in letter.sections), *(one.under for one in letter.signatures),
        *(text for row in rows for text in texts_of(row.value)),
        *(text for row in rows for text in (row.label.note, row.label.article)),
    ]  # fmt: skip
