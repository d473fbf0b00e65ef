"""Entries commit to every field of one event under one salt, and say nothing without it."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError
from comity.ledger import EntryRefused, check_entry, commit, event_bytes
from comity.ledger.entry import MAX_FIELDS, fields_of, read_fields
from comity.model import Event
from comity.proofs.canonical import canonical_bytes, parse_strict

AT = datetime(2025, 6, 20, 9, 30, 0, 120, tzinfo=UTC)
EVENT = Event(id="e-1", at=AT, kind="hold.placed", case_id="c-1", actor="node", body={"b": [1], "a": "é"})
WRITTEN = (
    '{"actor":"node","at":"2025-06-20T09:30:00.000120Z","body":{"a":"é","b":[1]},'
    '"case":"c-1","id":"e-1","kind":"hold.placed"}'
).encode()
SALT = bytes(range(32))
ENTRY = "ec6d36547994b82373983cb301a4ad483c61205b37469344361674075d2cbd9a"


def spelled_out(event: bytes, salt: bytes) -> bytes:
    """spec/log.md §1, word for word, with the standard library alone."""
    found = json.loads(event)
    fields = {name: value for name, value in found.items() if name != "body"}
    fields |= {f"body.{name}": value for name, value in found["body"].items()}
    salts = hashlib.shake_256(b"comity/salts/v2\n" + salt).digest(32 * len(fields))
    digests = []
    for number, name in enumerate(sorted(fields)):
        text = json.dumps([name, fields[name]], separators=(",", ":"), ensure_ascii=False, sort_keys=True)
        own = salts[32 * number : 32 * number + 32]
        digests.append(hashlib.sha256(b"comity/field/v2\n" + own + text.encode()).digest())
    count = len(fields).to_bytes(4, "big")
    return hashlib.sha256(b"comity/event/v2\n" + count + b"".join(sorted(digests))).digest()


def test_the_vector_of_the_specification() -> None:
    assert event_bytes(EVENT) == WRITTEN
    assert commit(WRITTEN, SALT) == spelled_out(WRITTEN, SALT)
    assert commit(WRITTEN, SALT).hex() == ENTRY


def test_the_same_moment_in_another_zone_is_the_same_event() -> None:
    there = Event(
        id="e-1", at=AT.astimezone(timezone(timedelta(hours=8))), kind="hold.placed", case_id="c-1",
        actor="node", body={"a": "é", "b": [1]},
    )  # fmt: skip
    assert event_bytes(there) == WRITTEN


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(TEXTS, TEXTS, TEXTS, st.datetimes(timezones=st.just(UTC)), st.dictionaries(TEXTS, VALUES, max_size=6))
def test_the_bytes_are_the_canonical_ones_and_the_entry_is_as_spelled_out(
    id_: str, case: str, actor: str, at: datetime, body: dict[str, Any]
) -> None:
    """The fast way of writing an event gives what `proofs.canonical` gives, to the byte."""
    event = Event(id=id_, at=at, kind="hold.placed", case_id=case, actor=actor, body=body)
    raw = event_bytes(event)
    when = f"{at:%m-%dT%H:%M:%S.%f}Z"
    slow = canonical_bytes(
        {
            "actor": actor,
            "at": f"{at.year:04d}-{when}",
            "body": body,
            "case": case,
            "id": id_,
            "kind": "hold.placed",
        }
    )
    assert raw == slow
    assert parse_strict(raw)["body"] == body
    assert fields_of(event).entry(SALT) == commit(raw, SALT) == spelled_out(raw, SALT)
    assert list(read_fields(raw).names) == sorted(read_fields(raw).names)


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


@pytest.mark.parametrize(
    ("at", "body"),
    [
        (AT.replace(tzinfo=None), {}),
        (AT, {"amount": 1.5}),
        (AT, {"big": 2**63}),
        (AT, {"when": AT}),
        (AT, {1: "text keys only"}),
        (AT, {1: "keys", "of": "two kinds"}),
        (AT, {"lone": "\ud800"}),
        (AT, {"\ud800": "lone"}),
        (AT, {"in": {"side": [1.5]}}),
        (AT, {"deep": nested(31)}),
        (AT, {f"m{number}": number for number in range(MAX_FIELDS - 4)}),
    ],
)
def test_what_has_no_one_byte_string_is_refused(at: datetime, body: dict[str, object]) -> None:
    with pytest.raises(InputError):
        event_bytes(Event(id="e", at=at, kind="k", case_id="", actor="node", body=body))


def test_what_is_written_can_be_read_again_down_to_the_last_level() -> None:
    raw = event_bytes(Event(id="e", at=AT, kind="k", case_id="", actor="node", body={"deep": nested(30)}))
    assert parse_strict(raw)["body"]["deep"] == nested(30)
    assert len(read_fields(raw).names) == 6


@pytest.mark.parametrize("length", [0, 31, 33])
def test_salts_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(InputError):
        commit(WRITTEN, bytes(length))


SPELLINGS = [
    WRITTEN + b" ",
    WRITTEN[1:],
    WRITTEN.replace(b'"b":[1]', b'"b":[1.0]'),
    WRITTEN.replace(b'"b":[1]', b'"b":[1],"b":[1]'),
    WRITTEN.replace(b'"case":"c-1",', b""),
    WRITTEN.replace(b'"case":"c-1"', b'"case":1'),
    WRITTEN.replace(b'"kind"', b'"kind":"x","kind"'),
    WRITTEN[:-1] + b',"more":1}',
    WRITTEN.replace("é".encode(), b"\\u00e9"),
    WRITTEN.replace(b'{"a"', b'["a"'),
    b"[" * 100_000,
    b"\xff",
    b"",
]


@pytest.mark.parametrize("raw", SPELLINGS)
def test_only_the_one_spelling_of_an_event_can_be_committed_to(raw: bytes) -> None:
    with pytest.raises(InputError):
        commit(raw, SALT)
    with pytest.raises(EntryRefused):
        check_entry(commit(WRITTEN, SALT), raw, SALT)


def test_only_this_event_under_this_salt_opens_the_entry() -> None:
    entry = commit(WRITTEN, SALT)
    check_entry(entry, WRITTEN, SALT)
    for event, salt in ((WRITTEN.replace(b"[1]", b"[2]"), SALT), (WRITTEN, bytes(32)), (WRITTEN, bytes(31))):
        with pytest.raises(EntryRefused):
            check_entry(entry, event, salt)


def test_a_member_of_the_body_is_not_taken_for_another_field() -> None:
    """Names and values that could be read as others give other entries."""

    def entry(**body: Any) -> bytes:
        return fields_of(Event(id="e", at=AT, kind="k", case_id="", actor="node", body=body)).entry(SALT)

    entries = [
        entry(), entry(a=1), entry(a="1"), entry(a=True), entry(a=None), entry(a=[]), entry(a={}), entry(b=1),
        entry(a={"b": 1}), entry(**{"a.b": 1}), entry(**{"body.a": 1}), entry(**{'a",1': 1}), entry(id="e"),
    ]  # fmt: skip
    assert len(set(entries)) == len(entries)
