"""Entries commit to one event under one salt, and say nothing without it."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from comity.errors import InputError
from comity.ledger import EntryRefused, check_entry, commit, event_bytes
from comity.model import Event

AT = datetime(2025, 6, 20, 9, 30, 0, 120, tzinfo=UTC)
EVENT = Event(id="e-1", at=AT, kind="hold.placed", case_id="c-1", actor="node", body={"b": [1], "a": "é"})
WRITTEN = (
    '{"actor":"node","at":"2025-06-20T09:30:00.000120Z","body":{"a":"é","b":[1]},'
    '"case":"c-1","id":"e-1","kind":"hold.placed"}'
).encode()
SALT = bytes(range(32))


def test_the_vector_of_the_specification() -> None:
    assert event_bytes(EVENT) == WRITTEN
    assert commit(WRITTEN, SALT) == hashlib.sha256(b"comity/event/v1\n" + SALT + WRITTEN).digest()
    assert commit(WRITTEN, SALT).hex() == "18fc0062b9c8f05e3944549039fadb927d030032eedff945e4896808625af88f"


def test_the_same_moment_in_another_zone_is_the_same_event() -> None:
    there = Event(
        id="e-1", at=AT.astimezone(timezone(timedelta(hours=8))), kind="hold.placed", case_id="c-1",
        actor="node", body={"a": "é", "b": [1]},
    )  # fmt: skip
    assert event_bytes(there) == WRITTEN


@pytest.mark.parametrize(
    ("at", "body"),
    [
        (AT.replace(tzinfo=None), {}),
        (AT, {"amount": 1.5}),
        (AT, {"big": 2**63}),
        (AT, {"when": AT}),
        (AT, {1: "text keys only"}),
    ],
)
def test_what_has_no_one_byte_string_is_refused(at: datetime, body: dict[str, object]) -> None:
    with pytest.raises(InputError):
        event_bytes(Event(id="e", at=at, kind="k", case_id="", actor="node", body=body))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_salts_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(InputError):
        commit(WRITTEN, bytes(length))


def test_only_this_event_under_this_salt_opens_the_entry() -> None:
    entry = commit(WRITTEN, SALT)
    check_entry(entry, WRITTEN, SALT)
    for event, salt in ((WRITTEN + b" ", SALT), (WRITTEN, bytes(32)), (WRITTEN[1:], SALT)):
        with pytest.raises(EntryRefused):
            check_entry(entry, event, salt)
