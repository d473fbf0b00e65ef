"""Framing of several envelopes and of what became of each: every vector, and what no batch may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import ComityError
from comity.exchange import (
    MOST_ENVELOPES,
    Result,
    read_envelopes,
    read_results,
    write_envelopes,
    write_results,
)
from comity.exchange.batch import MAX_BATCH, MAX_RECEIPT_LINE, MAX_RESULTS, MalformedBatch, OversizeBatch
from comity.exchange.envelope import MAX_WIRE
from tests.unit.exchange_world import vectors


@pytest.mark.parametrize(("expect", "body"), vectors("envelopes"))
def test_vector_of_envelopes(expect: str, body: bytes) -> None:
    if expect == "ok":
        assert write_envelopes(read_envelopes(body)) == body
        return
    with pytest.raises(ComityError) as refusal:
        read_envelopes(body)
    assert refusal.value.code == expect


@pytest.mark.parametrize(("expect", "body"), vectors("results"))
def test_vector_of_results(expect: str, body: bytes) -> None:
    if expect == "ok":
        assert write_results(read_results(body)) == body
        return
    with pytest.raises(ComityError) as refusal:
        read_results(body)
    assert refusal.value.code == expect


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=MOST_ENVELOPES))
def test_a_batch_comes_out_as_it_went_in(wires: list[bytes]) -> None:
    assert read_envelopes(write_envelopes(wires)) == wires


@given(
    st.lists(
        st.builds(
            Result,
            status=st.integers(100, 599),
            receipt=st.text(st.characters(max_codepoint=127), max_size=50),
        ),
        max_size=MOST_ENVELOPES,
    )
)
def test_results_come_out_as_they_went_in(results: list[Result]) -> None:
    assert read_results(write_results(results), count=len(results)) == results


@given(st.binary(max_size=200))
def test_no_bytes_are_read_as_anything_but_what_they_are(body: bytes) -> None:
    """Whatever is read is written back as the same bytes: there is one form."""
    try:
        wires = read_envelopes(body)
    except (MalformedBatch, OversizeBatch):
        return
    assert write_envelopes(wires) == body


@given(st.binary(max_size=200))
def test_no_bytes_are_read_as_results_but_results(body: bytes) -> None:
    try:
        results = read_results(body)
    except (MalformedBatch, OversizeBatch):
        return
    assert write_results(results) == body


def test_one_envelope_of_the_largest_size_always_fits() -> None:
    assert read_envelopes(write_envelopes([bytes(MAX_WIRE)])) == [bytes(MAX_WIRE)]


def test_caps_hold_before_anything_is_cut_out() -> None:
    many = b"\x01" + b"\0\0\0\x01x" * (MOST_ENVELOPES + 1)
    for body in (bytes(MAX_BATCH + 1), many, many * 10_000):
        with pytest.raises(OversizeBatch):
            read_envelopes(body)
    with pytest.raises(OversizeBatch):
        read_results(bytes(MAX_RESULTS + 1))
    with pytest.raises(MalformedBatch):
        read_results(write_results([Result(status=200, receipt="x" * (MAX_RECEIPT_LINE + 1))]))


def test_results_must_be_as_many_as_were_asked_for() -> None:
    body = write_results([Result(status=202), Result(status=202)])
    for count in (0, 1, 3):
        with pytest.raises(MalformedBatch):
            read_results(body, count=count)
