"""One byte string per value, and nothing read that two parsers would read differently."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import InputError
from comity.proofs.canonical import MAX_DEPTH, canonical_bytes, parse_strict

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(value=JSON)
def test_what_is_written_is_read_back_and_has_one_spelling(value: Any) -> None:
    written = canonical_bytes(value)
    assert parse_strict(written) == value
    assert canonical_bytes(parse_strict(written)) == written
    assert canonical_bytes(json.loads(json.dumps(value, indent=3))) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
        ({"é": "😀\u2028"}, '{"é":"😀\u2028"}'.encode()),
        ("\x00\n\"\\", rb'"\u0000\n\"\\"'),
        ((1, 2), b"[1,2]"),
        (-(2**63), b"-9223372036854775808"),
    ],
)  # fmt: skip
def test_the_spelling_is_that_of_rfc_8785(value: Any, written: bytes) -> None:
    assert canonical_bytes(value) == written


@pytest.mark.parametrize("value", [1.0, float("nan"), 2**63, -(2**63) - 1, {1: 2}, b"x", {"a"}, object()])
def test_what_json_would_bend_is_not_written(value: Any) -> None:
    with pytest.raises(InputError):
        canonical_bytes(value)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"nul", b"[1,]", b"{'a':1}", b"[1] 2", b"\xef\xbb\xbf[]", b"\xff", b'"\xed\xa0\x80"',
        b'"\\ud800"', b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'[{"x":[{"a":1,"a":1}]}]', b"NaN", b"[Infinity]",
        b"-Infinity", b"1.0", b"1e3", b"1E400", b"-0.0", b"9223372036854775808", b"-9223372036854775809",
        b"1" * 5000, b"01", b"+1", b'"\t"', b'"\\x41"', b"[" * 34 + b"]" * 34, b"[" * 100_000,
        b'{"a":' * 100_000, b'"\\ud83d"', b"/* c */ 1", b"\x00", b'{"a"}', b"[,]",
    ],
)  # fmt: skip
def test_what_parsers_disagree_on_is_refused(text: bytes) -> None:
    with pytest.raises(InputError):
        parse_strict(text)


def test_a_key_with_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InputError):
        parse_strict(b'{"\\ud800":1}')
    with pytest.raises(InputError):
        canonical_bytes({"\ud800": 1})


def test_one_key_twice_among_very_many_is_found_at_once() -> None:
    keys = b",".join(b'"%d":0' % number for number in range(100_000))
    began = time.process_time()
    with pytest.raises(InputError, match="'99999' twice"):
        parse_strict(b"{" + keys + b',"99999":0}')
    assert time.process_time() - began < 3


def test_the_deepest_allowed_nesting_is_read() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert canonical_bytes(parse_strict(deepest)) == deepest


def test_size_is_refused_before_parsing() -> None:
    with pytest.raises(InputError, match="at most 10 bytes"):
        parse_strict(b"[" * 11, max_bytes=10)


def test_the_place_is_named() -> None:
    with pytest.raises(InputError, match="cases"):
        parse_strict(b"{", where="cases.json")


@settings(max_examples=300, deadline=None)
@given(text=st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789.eE-\\u dtrfalsn\x00', max_size=40))
def test_whatever_is_given_is_read_or_refused(text: bytes | str) -> None:
    try:
        value = parse_strict(text)
    except InputError:
        return
    canonical_bytes(value)
