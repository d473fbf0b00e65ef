"""Wire documents: round trips, and one case for each way in which a hostile one is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import InputError
from comity.model import Claim, Crossing, Gap, Holding, Piece
from comity.proofs.canonical import canonical_bytes, parse_strict
from comity.tracing import (
    crossing_document,
    gap_document,
    holding_document,
    read_crossing,
    read_gap,
    read_holding,
    read_report,
    read_time,
    time_text,
)

MAX = 2**63 - 1
TEXT = st.text(
    st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=200
)
ANY_TEXT = st.just("") | TEXT
AMOUNT = st.integers(0, MAX)
TIMES = st.datetimes(timezones=st.just(UTC))
PIECES = st.lists(
    st.builds(Piece, amount_minor=st.integers(0, MAX // 10), tainted=st.booleans()), min_size=1, max_size=9
)
CROSSINGS = st.builds(
    Crossing,
    transfer_id=TEXT,
    booked_at=TIMES,
    from_country=ANY_TEXT,
    to_account=TEXT,
    to_institution=ANY_TEXT,
    to_country=ANY_TEXT,
    currency=TEXT,
    pieces=PIECES.map(tuple),
    sent_currency=ANY_TEXT,
    sent_minor=AMOUNT,
)
HOLDINGS = st.builds(
    Holding,
    account=TEXT,
    institution=ANY_TEXT,
    country=ANY_TEXT,
    currency=TEXT,
    tainted_minor=st.integers(0, 9),
    balance_minor=st.integers(9, MAX),
)
GAPS = st.builds(Gap, transfer_id=TEXT, account=TEXT, currency=TEXT, unexplained_minor=AMOUNT)


def crossing() -> dict[str, Any]:
    return {
        "transfer_id": "T",
        "booked_at": "2025-06-01T02:00:00.000000Z",
        "from_country": "CA",
        "to_account": "A",
        "to_institution": "",
        "to_country": "HK",
        "currency": "EUR",
        "pieces": [{"amount_minor": 5, "tainted": True}],
        "sent_currency": "EUR",
        "sent_minor": 5,
    }


def holding() -> dict[str, Any]:
    return {
        "account": "A",
        "institution": "",
        "country": "HK",
        "currency": "EUR",
        "tainted_minor": 5,
        "balance_minor": 6,
    }


@settings(max_examples=60, deadline=None)
@given(one=CROSSINGS, held=HOLDINGS, gap=GAPS)
def test_round_trips(one: Crossing, held: Holding, gap: Gap) -> None:
    assert read_crossing(parse_strict(canonical_bytes(crossing_document(one)))) == one
    assert read_holding(parse_strict(canonical_bytes(holding_document(held)))) == held
    assert read_gap(parse_strict(canonical_bytes(gap_document(gap)))) == gap


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from([*crossing(), "more"]), junk=JUNK)
def test_whatever_a_peer_sends_is_read_or_refused(key: str, junk: Any) -> None:
    for document in (junk, crossing() | {key: junk}, crossing() | {"pieces": [junk]}):
        try:
            read_crossing(document)
        except InputError:
            continue


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"more": 1}, "unknown 'more'"),
        ({"transfer_id": ""}, "transfer_id"),
        ({"transfer_id": None}, "null"),
        ({"transfer_id": "x" * 201}, "201 characters"),
        ({"to_account": "a\0b"}, "NUL"),
        ({"booked_at": "2025-06-01T02:00:00"}, "booked_at"),
        ({"booked_at": "2025-02-30T02:00:00Z"}, "booked_at"),
        ({"booked_at": 5}, "an integer"),
        ({"pieces": []}, "1 to 10000"),
        ({"pieces": [{"amount_minor": 0, "tainted": True}] * 10_001}, "10001"),
        ({"pieces": {"amount_minor": 5}}, "an object"),
        ({"pieces": [{"amount_minor": -1, "tainted": True}]}, r"pieces\[0\].amount_minor"),
        ({"pieces": [{"amount_minor": MAX + 1, "tainted": True}]}, "2\\^63"),
        ({"pieces": [{"amount_minor": 10**5000, "tainted": True}]}, "2\\^63"),
        ({"pieces": [{"amount_minor": True, "tainted": True}]}, "true or false"),
        ({"pieces": [{"amount_minor": 1.0, "tainted": True}]}, "a float"),
        ({"pieces": [{"amount_minor": "5", "tainted": True}]}, "text"),
        ({"pieces": [{"amount_minor": 5, "tainted": 1}]}, "tainted"),
        ({"pieces": [{"amount_minor": 5}]}, "missing tainted"),
        (
            {"pieces": [{"amount_minor": MAX, "tainted": True}, {"amount_minor": 1, "tainted": True}]},
            "together",
        ),
    ],
)
def test_crossings_that_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_crossing(crossing() | change)


def test_a_missing_key_is_refused() -> None:
    document = crossing()
    del document["to_country"]
    with pytest.raises(InputError, match="missing to_country"):
        read_crossing(document)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tainted_minor": 7}, "no more tainted"),
        ({"balance_minor": -1}, "balance"),
        ({"country": 3}, "country"),
    ],
)
def test_holdings_that_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_holding(holding() | change)


@pytest.mark.parametrize("read", [read_crossing, read_holding, read_gap, read_report])
@pytest.mark.parametrize("document", [None, [], "x", 3, {}])
def test_what_is_no_document(read: Callable[[Any], Any], document: Any) -> None:
    with pytest.raises(InputError):
        read(document)


def test_report() -> None:
    report = read_report(
        {"report_id": "R1", "transfers": ["T1", "T2", "T1"], "amounts": {"T2": "5.00"}, "victim": "ours"}
    )
    assert report.report_id == "R1"
    assert report.claims == (Claim(transfer_id="T1", amount=None), Claim(transfer_id="T2", amount="5.00"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"report_id": 7}, "report_id"),
        ({"transfers": "T1"}, "list"),
        ({"transfers": [1]}, "list"),
        ({"amounts": []}, "amounts"),
        ({"amounts": {"T9": "1"}}, "'T9'"),
        ({"amounts": {"T1": 5}}, "decimal"),
    ],
)
def test_reports_that_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_report({"report_id": "R1", "transfers": ["T1"]} | change)


@pytest.mark.parametrize(
    "text",
    [
        "2025-06-01T10:00:00+08:00", "2025-06-01 10:00:00+08:00", "2025-06-01T10:00+0800", "20250601T100000+08",
        "2025-06-01T02:00:00.000000Z", "2025-06-01T02:00:00.0Z", "20250601T0200Z", "2025-05-31T20:30:00-05:30",
    ],
)  # fmt: skip
def test_times_that_are_read(text: str) -> None:
    assert read_time(text) == datetime(2025, 6, 1, 2, tzinfo=UTC)
    assert time_text(read_time(text)) == "2025-06-01T02:00:00.000000Z"


@pytest.mark.parametrize(
    "text",
    [
        "", "2025-06-01", "2025-06-01T10:00:00", "2025-06-01T10:00:00.1234567Z", "2025-06-01T10:00:60Z",
        "2025-06-01T24:00:00Z", "2025-13-01T10:00:00Z", "2025-06-31T10:00:00Z", "2025-06-01T10:00:00+24:00",
        "2025-06-01T10:00:00+08:60", "2025-W22-7T10:00:00Z", "1748772000", "2025-06-01T10:00:00Z ",
        "2025-06-01x10:00:00Z", "0001-01-01T00:00:00+01:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00",
        "２０２５-06-01T10:00:00Z", "2025-06-01T10:00:00z", "2025-06-01T10:00:00.Z",
    ],
)  # fmt: skip
def test_times_that_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="ISO 8601"):
        read_time(text)


def test_times_are_written_in_utc() -> None:
    instant = datetime(2025, 6, 1, 10, 0, 0, 1, tzinfo=timezone(timedelta(hours=8)))
    assert time_text(instant) == "2025-06-01T02:00:00.000001Z"
