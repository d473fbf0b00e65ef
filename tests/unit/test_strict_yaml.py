"""YAML that means one thing to every reader, and everything else refused with its place."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InputError
from comity.law.strict_yaml import MAX_BYTES, parse_yaml


def test_what_is_allowed() -> None:
    text = """
# a comment
name: mla
version: 1
least: -3
urgent: true
after: 72 h
quoted: 'yes'
date: "2026-11-21"
folded: one
  line
list: [a, b]
deep:
  - {fact: x, op: equals, value: false}
"""
    assert parse_yaml(text, where="x") == {
        "name": "mla", "version": 1, "least": -3, "urgent": True, "after": "72 h", "quoted": "yes",
        "date": "2026-11-21", "folded": "one line", "list": ["a", "b"],
        "deep": [{"fact": "x", "op": "equals", "value": False}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "line 2 column 1.*the key 'a' twice"),
        ("- {a: 1, a: 1}", "the key 'a' twice"),
        ("a: &x 1", "line 1 column 4.*an anchor or alias"),
        ("a: &x {b: 1}\nc: *x", "an anchor or alias"),
        ("a: *x", "an anchor or alias"),
        ("a: !!str 1", "tag"),
        ("a: !!python/object/apply:os.system [x]", "tag"),
        ("a: ! x", "tag"),
        ("1: x", "a key that is no text"),
        ("true: x", "a key that is no text"),
        ("? [a]\n: 1", "a key that is no text"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: 'x", "end of stream"),
        ("a: b: c", "mapping values"),
        ("\ta: 1", "cannot start"),
        ("[" * 50, "more than 16 levels"),
        ("a: \x00", "special characters"),
        ('a: "\\ud800"', "ud800"),
        ('a: "\\UFFFFFFFF"', "too large"),
        ('a: "\\U00110000"', "range"),
        ("x" * (MAX_BYTES + 1), "at most"),
        ("é" * (MAX_BYTES // 2 + 1), "at most"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=rf"(?s)file\.yaml.*{said}"):
        parse_yaml(text, where="file.yaml")


@pytest.mark.parametrize(
    "word",
    [
        "yes", "no", "on", "off", "Yes", "NO", "y", "n", "True", "FALSE", "null", "~", "", "Null", "2026-11-21",
        "2026-11-21T10:00:00Z", "1.5", ".5", ".inf", ".nan", "1e3", "0x1f", "0o17", "012", "0b1", "1_000", "12:30",
        "+1", "-0", "=", "<<", "9999999999999999999",
    ],
)  # fmt: skip
def test_a_word_that_parsers_disagree_about_is_refused_unless_it_is_quoted(word: str) -> None:
    with pytest.raises(InputError, match="parsers disagree"):
        parse_yaml(f"a: {word}", where="x")
    assert parse_yaml(f'a: "{word}"', where="x") == {"a": word}


@given(st.text(max_size=80) | st.text(alphabet="ab:-[]{}&*!|>'\"\\\n #?,~1.x", max_size=60))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    with suppress(InputError):  # anything else is a bug
        parse_yaml(text, where="x")
